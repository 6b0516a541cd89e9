/*
 * due_plan.h - what the files of the due list's derivation share.
 *
 * A rule is a function of the customer's row, of his events and of as_of.  While
 * row and events stay, only as_of moves.  Of each part of a rule one can say how
 * it behaves then:
 *
 *   fixed     it does not depend on as_of, and stays until the next event
 *   calendar  it changes at the beginning of days, months ... of a zone only
 *   step      it changes at instants that its sources tell
 *   moving    it goes on with as_of, up or down, back by no more than a little
 *   unknown   none of these
 *
 * A function of parts that change at known instants changes at these alone.  What
 * moves becomes a step where it is compared with something that does not.  The
 * sources make a tree, which is asked for each customer's next instant.
 */
#ifndef CRM_TAG_DUE_PLAN_H
#define CRM_TAG_DUE_PLAN_H

#include "common/crm.h"
#include "executor/executor.h"
#include "pgtime.h"
#include "tag/rule_internal.h"
#include "utils/hsearch.h"

/* How far is looked ahead; whoever is not due until then is due then. */
#define CRM_DUE_HORIZON (400 * USECS_PER_DAY)
#define CRM_DUE_QUARTER (15 * USECS_PER_MINUTE)

/*
 * By how much time local clocks may go back altogether (an hour or two in our
 * day, a day where a country changed its side of the date line), and what months
 * of different length add.
 */
#define CRM_DUE_CLOCKS (26 * USECS_PER_HOUR)
#define CRM_DUE_MONTHS (4 * USECS_PER_DAY)

typedef enum crm_clock_kind
{
	CRM_CLOCK_FIXED,
	CRM_CLOCK_CALENDAR,
	CRM_CLOCK_STEP,
	CRM_CLOCK_MOVING,
	CRM_CLOCK_UNKNOWN
} crm_clock_kind;

/* From coarse to fine: whatever begins with one of them begins with a finer one, too. */
typedef enum crm_clock_unit
{
	CRM_UNIT_YEAR,
	CRM_UNIT_MONTH,
	CRM_UNIT_DAY,
	CRM_UNIT_HOUR,
	CRM_UNIT_QUARTER,			/* of an hour, in whatever zone: all zones' days begin with one */
	CRM_UNIT_MINUTE,
	CRM_UNIT_NONE				/* with none of them */
} crm_clock_unit;

/* What intervals that move are made of: which of their fields grow with them. */
typedef enum crm_span_kind
{
	CRM_SPAN_NONE,				/* no interval */
	CRM_SPAN_DAYS,				/* the difference of two times: days of 24 hours and time */
	CRM_SPAN_AGE,				/* age(): years, months, days */
	CRM_SPAN_ANY				/* good for comparisons only */
} crm_span_kind;

typedef struct crm_clock
{
	crm_clock_kind kind;
	/* calendar: the unit with which it changes; moving: the unit that its own days begin with */
	crm_clock_unit unit;
	pg_tz	   *zone;			/* of the unit; NULL: the session's */
	bool		ahead;			/* calendar: may be evaluated for later times, nothing in it fails then */
	/* moving */
	int			direction;		/* 1 up, -1 down, 0 one of the two */
	int64		wobble;			/* how much later it may still be back where it was */
	bool		discrete;		/* stays at each value for a while */
	bool		shifted;		/* not as_of itself, or its local time, any more */
	crm_span_kind span;
} crm_clock;

typedef enum crm_due_kind
{
	CRM_DUE_ALL,				/* the first of its children */
	CRM_DUE_AND,				/* children's values: a false one decides */
	CRM_DUE_OR,
	CRM_DUE_CASE,				/* children: condition, result, condition, result ... and the last result */
	CRM_DUE_COALESCE,
	CRM_DUE_FIXED,				/* never; stands for its value */
	CRM_DUE_EVENT,				/* when the next event arrives */
	CRM_DUE_CALENDAR,			/* when the value changes at the beginning of a unit */
	CRM_DUE_PASS,				/* when as_of, moved by an interval, passes a time */
	CRM_DUE_WINDOW,				/* when as_of, moved by an interval, passes the next event */
	CRM_DUE_CROSS				/* when the value, going one way, becomes another: looked for by halving */
} crm_due_kind;

/* as_of moved by an interval. */
typedef struct crm_due_mover
{
	bool		null;
	Interval	by;				/* what is added to as_of */
	TimestampTz moved;
	bool		even;			/* around as_of every moment is moved by the same length of time */
} crm_due_mover;

typedef struct crm_due_node
{
	crm_due_kind kind;
	List	   *children;		/* of crm_due_node * */
	Expr	   *value;			/* what it stands for, where its parent asks for it */
	ExprState  *value_state;
	bool		positive;		/* AND: NULL is as good as false */
	Expr	   *expr;			/* CALENDAR, CROSS: the value, with parameters for what is fixed in it */
	ExprState  *state;
	int16		length;			/* of its type */
	bool		by_value;
	/* CALENDAR */
	crm_clock_unit unit;
	pg_tz	   *zone;
	bool		ahead;
	List	   *operands;		/* what is fixed, Expr *; parameter first_operand and following */
	ExprState **operand_states;
	int16	   *operand_lengths;
	bool	   *operands_by_value;
	int			first_operand;
	HTAB	   *memo;
	uint64		asked,
				found;
	/* PASS, WINDOW: expr is as_of moved, of type timestamptz */
	Expr	   *interval;		/* NULL: not moved */
	bool		minus;
	ExprState  *interval_state;
	bool		same_for_all;	/* the interval needs no row */
	bool		mover_known;
	crm_due_mover mover;		/* of the row at hand, or of all */
	Expr	   *target;			/* PASS: the time; WINDOW: the first event not before parameter first_operand */
	Oid			target_type;
	ExprState  *target_state;
	struct crm_due_answer *answers; /* PASS: the last ones, by target */
	/* CROSS */
	int64		wobble;
	bool		quarters;		/* within the wobble it goes one way from quarter to quarter of an hour */
	int			direction;		/* 1: once true, for good; -1: once false; 0: unknown */
} crm_due_node;

/* ---- due_derive.c ------------------------------------------------------------ */

typedef struct crm_due_plan
{
	List	   *rules;			/* of crm_due_node *, one a rule that the clock changes */
	int			params;			/* of the expressions, those of rules included */
	List	   *param_types;	/* from CRM_RULE_TIMELINE_PARAM + 1 on */
	Node	   *underivable;	/* the first part of which nothing could be derived; NULL: none */
	int			depth;			/* of the logic, while it is taken apart */
} crm_due_plan;

/* Adds a rule; false when the clock does not change it. */
extern bool crm_due_derive(crm_due_plan *plan, const crm_rule *rule);

/* ---- due_classify.c ------------------------------------------------------------ */

/* Does it depend on as_of or on events? */
extern bool crm_due_depends(Node *expr);
/* On as_of?  What depends on events alone stays until the next one. */
extern bool crm_due_names_as_of(Node *expr);
/* A function of PostgreSQL's that never fails for arguments near those that it has taken. */
extern bool crm_due_harmless(Oid function);
/* The function of this room's extension, by name; NULL for any other. */
extern const char *crm_due_own_function(Oid function);
/*
 * What a function of PostgreSQL's makes of an argument that moves; args are the
 * clocks of nodes, number moving is the one.  Unknown for most.
 */
extern crm_clock crm_due_move(Oid function, List *nodes, const crm_clock *args, int moving);
/* The strategy of a comparison of PostgreSQL's, its family and types; 0 for any other operator. */
extern int	crm_due_strategy(Oid op, Oid *family, Oid *left, Oid *right);
/* The value of an expression of constants and PostgreSQL's own functions; NULL for any other, and for NULL. */
extern Const *crm_due_constant(Node *expr);

/* ---- due_clock.c -------------------------------------------------------------- */

/* The beginnings of a unit behind a time, as they are needed. */
typedef struct crm_due_points
{
	crm_clock_unit unit;
	pg_tz	   *zone;
	int			count;			/* known so far */
	int			most;			/* worth looking at */
	TimestampTz at[1];			/* most of them */
} crm_due_points;

extern crm_due_points *crm_due_points_new(crm_clock_unit unit, pg_tz *zone);
/* The first multiple of a length behind a time. */
extern TimestampTz crm_due_round_up(TimestampTz after, int64 unit);
/* Number n (0 is the first) behind a time, which is the same in every call. */
extern TimestampTz crm_due_point(crm_due_points *points, TimestampTz after, int n);

/* The changes of a zone's clocks some years around a time. */
typedef struct crm_due_changes
{
	TimestampTz first,
				last;			/* between which they are known */
	int			count;
	int			room;
	TimestampTz *at;
} crm_due_changes;

extern void crm_due_changes_find(crm_due_changes *changes, TimestampTz around);
/* Did no clock change within CRM_DUE_CLOCKS of a time, as far as is known? */
extern bool crm_due_calm(const crm_due_changes *changes, TimestampTz at);
/* Day of the month, in the session's zone; 0 when it has none. */
extern int	crm_due_day(TimestampTz at);

/* ---- due_solve.c --------------------------------------------------------------- */

/* One customer at one time. */
typedef struct crm_due_run
{
	TimestampTz as_of;
	TimestampTz next_event;		/* DT_NOEND: none */
	EState	   *estate;
	ExprContext *econtext;
	ParamListInfo params;
	List	   *points;			/* of crm_due_points * */
	crm_due_changes changes;
	bool		changes_known;
} crm_due_run;

extern void crm_due_prepare(crm_due_run *run, crm_due_node *node);
/* The first instant behind as_of at which the node's value may be another; DT_NOEND: none. */
extern TimestampTz crm_due_next(crm_due_run *run, crm_due_node *node);

/* The sooner of two times.  Not Min: a macro would find one of them twice, and so would each level of a tree. */
static inline TimestampTz
crm_due_sooner(TimestampTz a, TimestampTz b)
{
	return a < b ? a : b;
}

#endif							/* CRM_TAG_DUE_PLAN_H */
