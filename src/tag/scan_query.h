/*
 * scan_query.h - running the queries of a refresh as the tags' owner.
 */
#ifndef CRM_SCAN_QUERY_H
#define CRM_SCAN_QUERY_H

#include "tag/scan_state.h"
#include "tag/tag.h"
#include "utils/tuplestore.h"

/* What a tag with this rule gives. */
extern crm_value_type crm_rule_value_type(const crm_rule *rule);

/* One scan of a population's source for some of its tags of one owner. */
typedef struct crm_scan_job
{
	const crm_population *population;
	Oid			owner;			/* who reads the source and runs the rules */
	List	   *tags;			/* crm_tag */
	TimestampTz as_of;
	int			chunk_bits;
	bool		dictionary;		/* keys are looked up in population_keys */
	bool		due;			/* find out, too, when tags may change by the clock (due.h) */
	bool		own_zone;		/* days are the session's, even where the population is tracked */
	bool		learn;			/* what rules need to know of the population is found and kept, not read as kept */
	struct crm_bound *bound;	/* what the rules were bound to; crm_scan_run_job fills it in */
	bool		chosen;			/* of these customers alone */
	const int64 *ids;			/* ascending */
	int			id_count;
	bool		fresh;			/* timelines from the rows of events, not those stored */
	bool		columns_today;	/* of a source with history columns the rows of today, not those of as_of */
	bool		new_keys;		/* nothing but keys that the dictionary may have to number */
	bool		passing;		/* passing ids may stand for the dictionary's: the caller looks whether any was unknown */
	struct crm_scan_shared *shared;	/* what is read and bound once for several jobs; NULL: for this one */
	bool		sent;			/* the rules are evaluated by the servers that hold the rows; crm_scan_run_job decides it (scan_sent.c) */
	struct crm_passing_ids *passed;	/* what stands for ids then, where the ids are the dictionary's */
	Bitmapset  *columns;		/* that rules read, as pull_varattnos has them; filled in with bound */
	bool		within;			/* for a reader within his query, who may have no subtransactions */
	const char *volatile *failed;	/* set to the name of the tag that fails; scan_withhold.c */
} crm_scan_job;

/* 42804 when a stored rule gives another type by now than its tag has. */
extern void crm_rule_check_type(const crm_tag *tag, const crm_rule *rule);

/*
 * Evaluates the job's tags in one scan, seen by the active snapshot; the state
 * belongs to the current context.  An error of a rule is raised anew with the
 * tag and the customer's key, or without the latter where the caller may act
 * neither for the job's owner nor for the population's (scan_withhold.c).
 */
extern crm_scan_state *crm_scan_run_job(const crm_scan_job *job);
/* May the current user be told what such an error says, when the rules of that owner run? */
extern bool crm_scan_is_told(const crm_population *population, Oid owner);
/* Of the job's customers and tags the first instant at which one may change by the clock; DT_NOEND: none. */
extern TimestampTz crm_scan_next_change(const crm_scan_job *job);

/*
 * What the scans of one owner's tags share in a refresh whose rows other servers
 * hold: rules read and bound once, the dictionary read once (scan_sent.c).  NULL
 * where no other server holds any.  job: of all the tags.
 */
typedef struct crm_scan_shared crm_scan_shared;
extern crm_scan_shared *crm_scan_share(const crm_scan_job *job);
extern void crm_scan_share_end(crm_scan_shared *shared);
/* New keys have got numbers. */
extern void crm_scan_share_numbered(crm_scan_shared *shared);
/* The tags that those servers can evaluate by themselves, and the rest, for which the rows have to come here. */
extern List *crm_scan_travelling(const crm_scan_shared *shared, List **rest);

/* The parameters of a scan of chosen customers; its FROM and WHERE clauses, further joins in between (scan_chosen.c). */
extern void crm_scan_choose(const crm_scan_job *job, ParamListInfo params);
extern void crm_scan_append_chosen(StringInfo sql, const crm_scan_job *job, const char *joins);

/* The source in FROM, as customer, with the rows that the job is about. */
extern char *crm_scan_rows(const crm_scan_job *job);
/* Rows of the source as the planner expects them. */
extern double crm_scan_expected_rows(const crm_scan_job *job);
/* A sample of integer keys, about one in `one_in` of all (a power of two), in any order. */
extern int64 *crm_scan_sample_keys(const crm_scan_job *job, int64 one_in, int *count);
/* The planner's quantiles of the integer key, where the source is an analysed table; NULL otherwise. */
extern int64 *crm_scan_key_quantiles(const crm_scan_job *job, int *count);
/*
 * Keys that the dictionary does not know yet, ascending in byte order; one
 * column of text.  There may be as many as customers: beyond work_mem they wait
 * on disk.
 */
extern Tuplestorestate *crm_scan_new_keys(const crm_scan_job *job);

#endif							/* CRM_SCAN_QUERY_H */
