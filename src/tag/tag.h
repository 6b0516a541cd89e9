/*
 * tag.h - the tag room for itself and for other rooms: populations, keys,
 * rights, and the store of sets.
 *
 * The catalogue (catalogue.sql) belongs to the extension's owner; nobody else
 * has rights on the stored sets.  C code checks the caller's rights first
 * (rights.c) and then reads and writes the catalogue itself (catalogue.c as
 * the tables' owner through SPI, store.c directly).
 */
#ifndef CRM_TAG_H
#define CRM_TAG_H

#include "common/crm.h"
#include "audience/audience.h"
#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* ---- populations (population.c) -------------------------------------- */

typedef enum crm_key_form
{
	CRM_KEY_INTEGER,			/* smallint, integer, bigint: own ids, negative ones by dictionary */
	CRM_KEY_UUID,				/* dictionary */
	CRM_KEY_TEXT				/* dictionary */
} crm_key_form;

typedef struct crm_population
{
	int32		id;				/* the stamp of its audiences */
	char	   *name;
	Oid			source;			/* relation with one row per customer */
	char	   *source_name;	/* its qualified name when it was registered */
	char	   *key_column;
	crm_key_form key_form;
	char	   *scope_column;	/* NULL: without scope */
	char	   *valid_from;		/* history columns: the source has rows of other times, too, half open; NULL: without */
	char	   *valid_to;
	Oid			owner;
	int			chunk_bits;		/* ids of a chunk share id >> chunk_bits; 0 before the first refresh */
	bool		has_events;		/* a relation of events is mapped: customers have timelines */
	bool		tracked;		/* changes are logged (track.h), and readers take them into account */
	char	   *zone;			/* TimeZone of the last refresh of all tags; NULL before */
} crm_population;

/* NULL name: the only population there is.  Unknown: 42704 with the nearest names. */
extern crm_population *crm_population_find(const char *name);
extern crm_population *crm_population_find_by_id(int32 id);
/* Type of the key column; 42703 when the column is gone, 42804 when its type holds other keys by now. */
extern Oid	crm_population_key_type(const crm_population *population);
/* The source's qualified, quoted name for a query; 42P01 when it is gone. */
extern char *crm_population_source(const crm_population *population);
/* What stands in FROM for the source under an alias: of a source with history columns the rows valid at an instant. */
extern char *crm_population_rows(const crm_population *population, const char *alias, TimestampTz at);
/* An expression for the customer's id, of a query over the source under an alias, as the caller may know it; NULL when there is none. */
extern char *crm_population_row_id(const crm_population *population, const char *alias);
/* Does a column of this type, no domain, hold keys of the form? */
extern bool crm_key_form_fits(Oid type, crm_key_form form);
/* Type of a relation's column; 42703 with the nearest names. */
extern Oid	crm_column_type(Oid relation, const char *column);
/* Of a tracked population: the stored sets of every customer may be wrong (change_log.c). */
extern void crm_log_everybody(int32 population);
/*
 * What is evaluated between the refreshes of a tracked population stands beside
 * what they found, so its days must begin when theirs did: sets TimeZone until
 * _leave_zone, which takes what _enter_zone returns.
 */
extern int	crm_population_enter_zone(const crm_population *population);
extern void crm_population_leave_zone(int level);
/* Serialises writers of one population until the end of the transaction. */
extern void crm_population_lock(const crm_population *population);

/* ---- sources that other servers hold (shards.c) ---------------------- */

/*
 * The parts of a relation whose rows other servers hold, where a query that
 * aggregates each part by itself runs there, and reads for `reader` what a query
 * over the whole reads: the leaves of a partitioned relation, one of them a
 * foreign table at least, or the relation itself where it is a foreign table or
 * Citus distributes it (or what it, a view, reads).  NIL where no other server
 * aggregates, or where rights or row-level security are not the same for the
 * leaves and the whole.  OIDs; the leaves are locked as for reading.
 */
extern List *crm_shards_of(Oid relation, Oid reader);
/* Does Citus distribute the relation, or one that it, a view, reads? */
extern bool crm_citus_holds(Oid relation);

/* ---- keys (key.c) ------------------------------------------------------ */

/*
 * The id of a key given as text, bigint or uuid; false when the dictionary has
 * never met it (an integer key that is not negative is its own id).  A key that
 * is no value of the population's key type raises 22P02.
 */
extern bool crm_key_id(const crm_population *population, Datum key, Oid type, int64 *id);
/* The key of an id, as text; NULL when unknown. */
extern char *crm_key_of_id(const crm_population *population, int64 id);
/*
 * Looks the customer's row up with the caller's own rights: true when it is
 * there and he may see it.
 */
extern bool crm_key_visible(const crm_population *population, Datum key, Oid type);
/* A key's type as a cast names it: char(n) as of any length, where "character" is of one. */
extern const char *crm_key_cast(Oid type);
/* Has the dictionary any keys? (key_write.c) */
extern bool crm_keys_any(const crm_population *population);
/*
 * Numbers keys that the dictionary has not met, rows of one text each, and ends
 * the store; false when there are none.  The active snapshot sees them.
 */
extern bool crm_keys_add(const crm_population *population, Tuplestorestate *keys);
/*
 * Of a tracked population: numbers those of the keys, in the dictionary's spelling,
 * that it does not have.  Writers who bring the same new key wait for each other,
 * others do not.
 */
extern void crm_keys_number(const crm_population *population, char **keys, int count);
/* Numbers given by crm_keys_number from now on are new to the population. */
extern void crm_keys_clear_sequence(const crm_population *population);
/* Must the dictionary number this key, or is it its own id?  In the dictionary's spelling. */
extern bool crm_key_in_dictionary(const crm_population *population, const char *key);
/* The id of a key in the dictionary's spelling; false when it has never met it. */
extern bool crm_key_number(const crm_population *population, const char *key, int64 *id);

/* ---- rights (rights.c) --------------------------------------------------- */

typedef struct crm_scopes
{
	bool		all;
	int			count;
	int32	   *numbers;		/* scope numbers, ascending, when not all */
} crm_scopes;

/*
 * The scopes whose whole sets the current user may read; raises 42501, with a
 * hint that names the grant, when there are none.
 */
extern crm_scopes *crm_rights_readable(const crm_population *population);
/* The same without an error: NULL when there are none. */
extern crm_scopes *crm_rights_try_readable(const crm_population *population);
extern bool crm_scopes_include(const crm_scopes *scopes, int32 scope);
/* The same for a scope by its name (NULL: of customers without one), which need not have a number yet. */
extern bool crm_rights_may_read_scope(const crm_population *population, const crm_scopes *scopes, const char *scope);
/* 42501 unless the current user may define tags of the population / owns it. */
extern bool crm_rights_may_define(const crm_population *population);
extern void crm_rights_require_define(const crm_population *population);
extern void crm_rights_require_owner(const crm_population *population);
/* May the current user approve rules of others? */
extern bool crm_rights_may_approve(const crm_population *population);
/* 42501 unless the current user may learn the tags of customers whose rows he sees. */
extern void crm_rights_require_tags(const crm_population *population);
/*
 * May he read what was made of these columns of a relation for all customers: as
 * owner, with a grant to read all scopes, or as he may read the columns themselves
 * without row-level security?
 */
extern bool crm_rights_may_read_all(const crm_population *population, Oid relation, int columns, char **column_names);
/* Has he a grant to read, of whatever scopes? */
extern bool crm_rights_may_read_some(const crm_population *population);
/* 42501 when the owner of the catalogue must not name this role as one whose rights queries run with. */
extern void crm_rights_check_owner(Oid owner);
/* As whom a rule of the caller's runs: as the population's owner where he may be acted for (crm_rights_check_owner), else as himself. */
extern Oid	crm_rights_rule_owner(const crm_population *population);
/* May the current user know of the population and its tags at all? */
extern bool crm_rights_may_see(const crm_population *population);

/* ---- queries as an owner (scan_query.c) ------------------------------------- */

/*
 * As a materialized view's query runs: the owner's rights, a security-restricted
 * operation, nothing but pg_catalog on the search_path.  An error may leave between
 * the two calls.
 */
typedef struct crm_owner_session
{
	Oid			saved_user;
	int			saved_context;
	int			settings;		/* level for settings changed until the end */
} crm_owner_session;

extern void crm_owner_begin(crm_owner_session *session, Oid owner);
extern void crm_owner_end(crm_owner_session *session);
/*
 * One customer's row is looked up as the caller, as a SELECT from the source would
 * be; but a superuser, who has no rows hidden from him to begin with, does it as
 * the population's owner: its view must not call functions with all rights.
 */
extern void crm_lookup_begin(crm_owner_session *session, const crm_population *population);
extern void crm_lookup_end(crm_owner_session *session);
/* Runs something that may fail in a subtransaction (explain_evaluate.c); NULL, or the error's message, and its SQLSTATE where asked for. */
extern char *crm_explain_try(void (*action) (void *arg), void *arg, int *sqlstate);
/* Is the error one that a rule raises about a customer's data, and none of the system or of the user's? */
extern bool crm_scan_error_of_a_rule(const ErrorData *error);

/* ---- the catalogue (catalogue.c) ------------------------------------------ */

/*
 * SPI as the owner of the extension's tables, with an empty search_path.  Only
 * fixed statements of ours run between the two calls, never a user's text.
 * Begin connects to SPI, end finishes it: copy results to session.caller.
 */
typedef struct crm_catalogue_session
{
	Oid			saved_user;
	int			saved_context;
	int			guc_level;
	MemoryContext caller;		/* where results are to be copied */
} crm_catalogue_session;

extern void crm_catalogue_begin(crm_catalogue_session *session);
extern void crm_catalogue_end(crm_catalogue_session *session);
/*
 * Run one statement; every "@." in it stands for the extension's schema, and
 * the arguments are given as nargs triples (Oid type, Datum value, bool
 * isnull), a Datum being made with the usual macros.  Return SPI_processed.
 * _read sees the active snapshot and works in parallel workers and on a
 * standby; _write sees and makes the newest state.
 */
extern uint64 crm_catalogue_read(const char *statement, int nargs,...);
extern uint64 crm_catalogue_write(const char *statement, int nargs,...);
/* A column of row `row` of the last result, copied to the session's caller context; NULL for NULL. */
extern char *crm_catalogue_text(crm_catalogue_session *session, uint64 row, int column);
/* The same; XX001 for NULL, which only the tables' owner can have put there. */
extern char *crm_catalogue_required(crm_catalogue_session *session, uint64 row, int column);
/* The number of a scope or value; XX001 when it cannot be one. */
#define CRM_MAX_PLACE (INT32_MAX / 8)
extern int32 crm_catalogue_place(uint64 row, int column);
/* Digits behind the point, and slices, of a numeric tag (number_scale, number_slices). */
#define CRM_MAX_NUMBER_SCALE 38
#define CRM_MAX_NUMBER_SLICES 129
/* A number from 0 to the greatest that there can be; 0 for NULL, XX001 for another. */
extern int32 crm_catalogue_within(uint64 row, int column, int32 greatest);
extern int64 crm_catalogue_number(uint64 row, int column, bool *isnull);
/*
 * What volatile functions call first and after each wait for a lock: an active
 * snapshot that sees everything committed and everything done so far, for
 * _read.  To be popped with PopActiveSnapshot.
 */
extern void crm_catalogue_newest(void);
/* Quoted name of the extension's schema, and oid of one of its relations by name. */
extern const char *crm_schema(void);
extern Oid	crm_relation(const char *name);
extern Oid	crm_type(const char *name);
/* Who owns the extension's tables. */
extern Oid	crm_catalogue_owner(void);
/* 42725 when the extension's schema holds another function of the name than ours. */
extern void crm_require_alone(const char *function);
/*
 * Opens tag_set, tag_change, tag_due or population_key for direct access, its columns checked: the
 * tables' owner may alter them, and must not be able to bring the server down.
 */
extern Relation crm_catalogue_open(const char *name, LOCKMODE mode);
/* Opens one of its indexes, which is still the index that the extension made. */
extern Relation crm_catalogue_index(Relation table, const char *name);

typedef enum crm_value_type
{
	CRM_VALUE_BOOLEAN, CRM_VALUE_TEXT, CRM_VALUE_NUMERIC
} crm_value_type;

/* As the catalogue names it. */
extern const char *crm_value_type_name(crm_value_type type);

typedef enum crm_tag_state
{
	CRM_TAG_APPROVED,
	CRM_TAG_DRAFT,				/* evaluated, not shown with customers */
	CRM_TAG_RETIRED				/* neither evaluated nor read */
} crm_tag_state;

typedef struct crm_tag
{
	int32		id;
	char	   *name;
	char	   *kind;
	crm_value_type type;
	Oid			owner;
	crm_tag_state state;
	int32		version;
	int32		refreshed_version;	/* 0: never refreshed */
	TimestampTz refreshed_at;
	int32		number_scale;	/* numeric, of the stored numbers: digits behind the point */
	int32		number_slices;	/* ... and value numbers in use */
	char	   *rule;			/* as its author wrote it */
	char	   *qualified;		/* as it runs */
} crm_tag;

/* A state by its name: 22023 for none (govern.c). */
extern crm_tag_state crm_tag_state_of(const char *name);
/* All tags of a population but the retired ones, by name. */
extern List *crm_tag_list_in_use(const crm_population *population);
/* 55000 for a retired tag. */
extern void crm_tag_require_in_use(const crm_tag *tag);
/* 42501 unless rules may run as the tag's owner (crm_rights_check_owner); 42704 when he is gone. */
extern void crm_rights_check_tag(const crm_tag *tag);
/* All tags of a population, by name; then one by name (42704 with the nearest names). */
extern List *crm_tag_list(const crm_population *population);
extern crm_tag *crm_tag_find(const crm_population *population, const char *name);
/*
 * The tag with the rule that its stored sets were made by, an earlier one where it
 * has been replaced since; NULL when it was never refreshed.
 */
extern crm_tag *crm_tag_as_refreshed(const crm_tag *tag);
/* Number of a text tag's value; -1 when no customer ever had it. */
extern int32 crm_tag_value_no(const crm_tag *tag, const char *value);
/* Up to three names nearest to name (edit distance) as "a", "b"; NULL when none is near. */
extern char *crm_nearest_names(const char *name, List *names);

/* ---- the store of sets (store.c) -------------------------------------------- */

/* The population itself is stored like a tag of this number. */
#define CRM_BASE_TAG(population) (-(population)->id)
#define CRM_NO_VALUE 0			/* value number of a boolean tag */

/* Adds the members of one set, in the scopes given, to the builder's end: ids ascend. */
extern void crm_store_read(const crm_population *population, int32 tag_id, int32 value_no,
						   const crm_scopes *scopes, crm_ids_builder *builder);

typedef void (*crm_store_visit) (void *arg, int32 tag_id, int32 value_no, int32 scope_no);
/* Calls visit for every set, of one tag or of all, that holds the id, the population's own set too, by tag and value. */
#define CRM_ALL_TAGS 0
extern void crm_store_sets_of(const crm_population *population, int64 id, int32 only_tag, crm_store_visit visit, void *arg);

#endif							/* CRM_TAG_H */
