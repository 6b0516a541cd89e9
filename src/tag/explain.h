/*
 * explain.h - what the files of crm.explain_tag share among themselves.
 *
 * A rule is taken apart into a tree of conditions (kernel/reason.h).  Each leaf
 * stays the expression that it was and is evaluated by PostgreSQL's own
 * executor, over the customer's row with one column's value, or the clock,
 * changed.  Nothing here decides how values compare; it only knows at which
 * values of a column the answer of a comparison can change.
 */
#ifndef CRM_TAG_EXPLAIN_H
#define CRM_TAG_EXPLAIN_H

#include "common/crm.h"
#include "executor/executor.h"
#include "kernel/reason.h"
#include "nodes/bitmapset.h"
#include "tag/rule_internal.h"
#include "tag/tag.h"

typedef enum crm_leaf_kind
{
	CRM_LEAF_CONSTANT,			/* needs no row */
	CRM_LEAF_COMPARISON,		/* of one column with what needs no row */
	CRM_LEAF_NULL_TEST,			/* of one column */
	CRM_LEAF_OTHER				/* anything else: only its value is known */
} crm_leaf_kind;

typedef struct crm_leaf
{
	crm_leaf_kind kind;
	Node	   *expr;
	AttrNumber	attribute;		/* COMPARISON, NULL_TEST */
	List	   *constants;		/* COMPARISON: what the column is compared with, Const * */
	bool		is_null;		/* NULL_TEST: IS NULL, not IS NOT NULL */
	bool		by_clock;		/* names as_of */
	bool		steady;			/* ... in a way that crosses a value at most once */
	bool		by_events;		/* names the timeline */
	bool		is_text;		/* gives text: a result of the rule */
	Bitmapset  *columns;		/* that it names, by attribute number; 0 is the whole row */
	ExprState  *state;
	const char *text;			/* how it is written */
	bool		hidden;			/* names a column that the caller may not read */
	bool		asked;			/* outcome is known, for the row as it is */
	bool		failed;			/* ... because its evaluation raised an error */
	int			outcome;
} crm_leaf;

struct crm_event_history;
typedef struct crm_event_history crm_event_history;

typedef struct crm_explanation
{
	const crm_population *population;
	const crm_tag *tag;
	Relation	source;
	TimestampTz as_of;
	int64		id;				/* the customer's */
	crm_rule   *rule;
	struct crm_bound *bound;	/* what the rule was bound to, or NULL */
	crm_env		env;
	crm_reason	reason;
	uint32		root;
	List	   *leaves;			/* of crm_leaf *, by number */
	List	   *values;			/* texts that the rule can give; the code is CRM_REASON_VALUE + place */
	int			depth;
	Bitmapset  *columns;		/* that the rule names */
	Bitmapset  *hidden;			/* of them, those that the caller may not read */
	/* the customer's row, as the tag's owner sees it; by attribute number - 1 */
	Datum	   *row;
	bool	   *nulls;
	char	  **shown;			/* as text */
	Datum		timeline;		/* cut at as_of, where the rule names it */
	Datum		whole_timeline; /* with what is dated behind as_of */
	bool		event_values;	/* the population's events have values */
	crm_event_history *history; /* NULL: the rule does not name the timeline (explain_events.h) */
	bool		timeline_hidden;	/* the caller may not read it */
	bool		chinese;		/* what is said is */
	Datum		result;			/* of the whole rule */
	bool		result_is_null;
	/* evaluation */
	EState	   *estate;
	ExprContext *econtext;
	TupleTableSlot *slot;
	int			outcome;		/* of the tree for the row as it is */
	/* what is tried: one column with another value, another moment, or other events */
	AttrNumber	changed;		/* 0: none */
	bool		moved;			/* as_of is another */
	bool		altered;		/* the timeline is another */
	bool		events_unknown; /* ... and nothing is known of it */
	int			differing;		/* conditions that came out otherwise, in the last trial */
} crm_explanation;

/* A phrase in the language of the explanation. */
#define CRM_SAY(e, english, in_chinese) ((e)->chinese ? (in_chinese) : (english))

/* ---- explain_tree.c -------------------------------------------------------- */

/* Takes the rule apart; e->root and e->leaves are filled. */
extern void crm_explain_take_apart(crm_explanation *e);
/* The columns that an expression names, by attribute number; 0 is the whole row. */
extern Bitmapset *crm_explain_columns(Node *expr);
/* How an expression of the rule is written, as_of by its name. */
extern char *crm_explain_write(const crm_explanation *e, Node *expr);

/* ---- explain_evaluate.c ------------------------------------------------------ */

extern void crm_explain_begin(crm_explanation *e);
extern void crm_explain_end(crm_explanation *e);
/* Outcome of a leaf for the row as it is; OPEN when its evaluation failed. */
extern int	crm_explain_leaf(crm_explanation *e, crm_leaf *leaf);
/* Outcome of the rule for the row as it is. */
extern int	crm_explain_outcome(crm_explanation *e);
extern void crm_explain_decisive(crm_explanation *e, bool *marks);
/* Outcome with another value in a column, or at another moment. */
extern int	crm_explain_try_value(crm_explanation *e, AttrNumber attribute, Datum value, bool isnull);
extern int	crm_explain_try_moment(crm_explanation *e, TimestampTz moment);
/* Outcome over another timeline; 0 for one of which nothing is known. */
extern int	crm_explain_try_events(crm_explanation *e, Datum timeline);
/* What a condition says over another timeline; NULL is neither before nor behind anything: -1. */
extern int	crm_explain_with_events(crm_explanation *e, ExprState *state, Datum timeline);
/*
 * Of a comparison that follows an order, whether its left side is less than the
 * right one, and whether it is not more; 2 of them, or 0 for any other condition.
 */
extern int	crm_explain_order(crm_explanation *e, const crm_leaf *leaf, ExprState **states);
/* The text of an outcome of CRM_REASON_VALUE or more. */
extern const char *crm_explain_value(const crm_explanation *e, int outcome);
extern int	crm_explain_value_code(crm_explanation *e, const char *value);
/* The same; false when it failed. */
extern bool crm_explain_guarded(void (*action) (void *arg), void *arg);

/* ---- explain_line.c ----------------------------------------------------------- */

/* The values of a column's type, as far as order and neighbours go. */
typedef enum crm_line_kind
{
	CRM_LINE_NONE,				/* known or not, nothing else */
	CRM_LINE_BOOL,
	CRM_LINE_TEXT,				/* equal or not */
	CRM_LINE_INTEGER,			/* smallint, integer, bigint */
	CRM_LINE_DATE,
	CRM_LINE_TIME,				/* timestamp, timestamptz */
	CRM_LINE_FLOAT,				/* real, double precision */
	CRM_LINE_NUMERIC
} crm_line_kind;

typedef struct crm_line
{
	crm_line_kind kind;
	Oid			type;			/* base type of the column */
	int32		typmod;
} crm_line;

extern crm_line crm_line_of(Oid type, int32 typmod);
/* Has its values in an order, with distances? */
extern bool crm_line_ordered(const crm_line *line);
/* Every value has a next one that people would name. */
extern bool crm_line_stepped(const crm_line *line);
extern int	crm_line_compare(const crm_line *line, Datum a, Datum b);
/* A constant as a value of the column; inexact: it stands beside that value.  False when it cannot be said. */
extern bool crm_line_place(const crm_line *line, Oid type, Datum constant, Datum *value, bool *inexact);
/* Is it short enough for the column?  A longer text is never equal to what stands there. */
extern bool crm_line_holds(const crm_line *line, Datum value);
/* The next value up (direction 1) or down (-1); false at the end, or where there is none. */
extern bool crm_line_step(const crm_line *line, Datum value, int direction, Datum *next);
/* Zero, of numbers; an ordered type's value like any other. */
extern Datum crm_line_origin(const crm_line *line);
/* Some value between two; some value beyond one. */
extern bool crm_line_between(const crm_line *line, Datum low, Datum high, Datum *value);
extern bool crm_line_beyond(const crm_line *line, Datum value, int direction, Datum *beyond);
/* How far apart, and in proportion to the first: from 0 to 1. */
extern double crm_line_distance(const crm_line *line, Datum a, Datum b);
extern double crm_line_proportion(const crm_line *line, Datum from, double distance, TimestampTz as_of);
/* As it is shown; texts and times in quotes. */
extern char *crm_line_show(const crm_line *line, Datum value);

/* ---- explain_change.c ----------------------------------------------------------- */

/* "at least 5", "less than 5": a bound of the values that give a result, in words. */
extern char *crm_explain_bound(const crm_explanation *e, bool above, bool included, const char *limit);

/* A change of one column, or of the events, that gives another result. */
typedef struct crm_change
{
	AttrNumber	attribute;		/* 0: of the events */
	int			outcome;		/* CRM_REASON_TRUE, CRM_REASON_NULL for not having it, or a value */
	int			differing;		/* conditions that come out otherwise */
	double		proportion;
	char	   *text;			/* "from 5 to at least 10" */
} crm_change;

/* For a rule that is true or not, NULL is as good as false. */
extern int	crm_explain_class(const crm_explanation *e, int outcome);
/* The smallest first, of each result. */
extern void crm_explain_sort_changes(List *changes);

/*
 * The nearest change of each column that gives another result, for each result,
 * the smallest first.  Columns for which that cannot be told are added to
 * unsure.
 */
extern List *crm_explain_changes(crm_explanation *e, Bitmapset **unsure);

/* ---- explain_clock.c -------------------------------------------------------------- */

typedef struct crm_span
{
	bool		by_clock;		/* the rule names as_of, or events */
	bool		since_known,
				until_known;
	TimestampTz since,			/* DT_NOBEGIN: always, as far as was looked */
				until;			/* DT_NOEND: does not end by the clock */
} crm_span;

/* Moments at which something may change. */
typedef struct crm_moments
{
	TimestampTz *at;
	int			count;
	int			room;
	TimestampTz from;			/* before this moment they are not complete; DT_NOBEGIN: complete */
} crm_moments;

extern void crm_moments_add(crm_moments *moments, TimestampTz moment);
/* Adds those at which a condition changes its answer, which it does once, but for the jumps of clocks and months. */
extern void crm_moments_find(crm_moments *moments, crm_explanation *e, ExprState *state);
/* Does an expression grow, or stay, with as_of?  It may jump back as far as clocks and months do. */
extern bool crm_explain_grows(Node *expr);
extern bool crm_explain_names_as_of(Node *expr);

/* Since when and until when the rule gives what it gives, for the row as it is. */
extern crm_span crm_explain_span(crm_explanation *e);

#endif							/* CRM_TAG_EXPLAIN_H */
