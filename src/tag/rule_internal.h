/*
 * rule_internal.h - what the files of rules share among themselves.
 */
#ifndef CRM_RULE_INTERNAL_H
#define CRM_RULE_INTERNAL_H

#include "common/crm.h"
#include "nodes/params.h"
#include "nodes/primnodes.h"
#include "parser/parse_node.h"
#include "tag/scan_plan.h"

/* Longest text of a rule, in bytes. */
#define CRM_RULE_MAX_BYTES (100 * 1024)

/* ---- rule_check.c --------------------------------------------------------- */

/* Refuses everything but one bare expression, and returns it. */
extern Node *crm_rule_check_raw(ParseState *pstate, List *statements);
/* The string literals of the raw tree; analysis changes the tree, so they are gathered before it. */
extern List *crm_rule_literals(Node *raw);
/* Refuses what PostgreSQL would take but a rule must not hold. */
extern void crm_rule_check(ParseState *pstate, List *literals, Node *expr);
/* For a ColumnRef that nothing answers to: raises the error, with the nearest name. */
extern void crm_rule_unknown_column(ParseState *pstate, Relation source, ColumnRef *cref);
/* What to write instead, for a syntax error at the character number given (1 is the first). */
extern const char *crm_rule_syntax_hint(const char *text, int position);

/* ---- rule_parse.c ---------------------------------------------------------- */

/* The text of an expression of a rule; within crm_rule_enter. */
extern char *crm_rule_write(Relation source, Node *expr);
/* crm_rule_read of a text that has further parameters, of these types, behind the timeline's. */
extern crm_rule *crm_rule_read_bound(Relation source, const char *qualified, List *types);

/* ---- rule_bind_query.c ------------------------------------------------------- */

struct crm_bound;
/* What a parameter that was bound is in a query; NULL for one that was not. */
extern Node *crm_bound_resolve(const struct crm_bound *bound, ParseState *pstate, ParamRef *pref);
extern int	crm_bound_params(const struct crm_bound *bound);
extern void crm_bound_param(const struct crm_bound *bound, int place, ParamExternData *data);

/* ---- rule_functions.c ------------------------------------------------------- */

/* Opens a relation whose columns the caller may read, some at least; 42809 for one without rows of customers. */
extern Relation crm_rule_open_source(Oid relid);

/* ---- rule_query.c ----------------------------------------------------------- */

/* A parameter of a rule as a node. */
extern Node *crm_rule_param(int number, Oid type, int location);

/* ---- rule_arguments.c ------------------------------------------------------- */

/* The symbol in our library of a function; NULL for a function that is not ours. */
extern char *crm_rule_our_function(Oid function);
/* An argument by name, as it stands in the call; NULL when it is left out. */
extern Node *crm_rule_argument(const FuncExpr *call, const char *name);

/* ---- rule_locate.c ---------------------------------------------------------- */

/* The keys of a column that are equal to a constant; low is high + 1 when there are none. */
typedef struct crm_position
{
	int			side;			/* 1: all keys are less than it; -1: all are greater; else 0 */
	int64		low;
	int64		high;
} crm_position;

/*
 * Finds the constant's place; false when keys cannot tell exactly.  seen_as is
 * the type to which the comparison brings the column.  Not for texts.
 */
extern bool crm_rule_locate(crm_argument_kind kind, Oid seen_as, int fraction, Oid type, Datum value,
							crm_position *position);

/* ---- rule_compile.c --------------------------------------------------------- */

/* A column of the source that the program reads. */
typedef struct crm_compiled_column
{
	AttrNumber	attribute;
	uint8		fraction;		/* numeric, see crm_column */
	uint32		number;			/* among the program's columns */
	crm_value_table values;		/* text: values that rules name, in the order of their codes */
} crm_compiled_column;

typedef struct crm_compiler
{
	Relation	source;
	TimestampTz as_of;
	crm_env		env;
	crm_program program;
	AttrNumber	attributes[CRM_PROGRAM_MAX_ARGUMENTS];	/* of the arguments */
	List	   *columns;		/* of crm_compiled_column * */
	int			steps;			/* conditions of the current rule that were looked at */
} crm_compiler;

/* Nodes of no row or every row; of the rows that all, or any, of the nodes hold. */
extern uint32 crm_compile_constant(crm_compiler *compiler, bool all);
extern uint32 crm_compile_join(crm_compiler *compiler, bool all, const uint32 *nodes, int count);
extern uint32 crm_compile_join2(crm_compiler *compiler, bool all, uint32 a, uint32 b);
/* The rows where a condition is true, or false as wanted; false when batches cannot tell. */
extern bool crm_compile_condition(crm_compiler *compiler, Node *expr, bool wanted, uint32 *node);
/* The condition of one WHEN; NULL when it is none by itself. */
extern Node *crm_compile_when(const CaseExpr *expr, const CaseWhen *when);
/*
 * Adds the rule to the program, all of it but its name: true.  False, and a
 * program that is as before, when the rule has to go through the executor.
 */
extern bool crm_rule_compile(crm_compiler *compiler, const crm_rule *rule, crm_program_rule *compiled);

/* ---- rule_compare.c --------------------------------------------------------- */

/* A column as a comparison sees it. */
typedef struct crm_operand
{
	AttrNumber	attribute;
	crm_argument_kind kind;
	Oid			seen_as;		/* type to which it is brought */
} crm_operand;

/* The value of an expression that needs neither row nor parameters, as a constant. */
extern Node *crm_evaluate_alone(Node *expr);
/* The value of an expression that needs no row; NULL when it needs one, or code that is not PostgreSQL's. */
extern Const *crm_compile_fold(crm_compiler *compiler, Node *expr);
/* A column, also inside casts that keep its order and cannot fail. */
extern bool crm_compile_operand(Node *expr, crm_operand *result);
/* Beside the five strategies of a btree: their negation that is none itself. */
#define CRM_STRATEGY_NOT_EQUAL 6
/* The strategy of an operator of PostgreSQL's whose order is that of keys, and its family; 0 for any other. */
extern int	crm_compile_strategy(Oid op, Oid collation, Oid *family);
/* The program's column for an operand; false when the scan has no argument left. */
extern bool crm_compile_column(crm_compiler *compiler, const crm_operand *source, int fraction,
							   crm_compiled_column **result);
/* The rows where the column is NULL, or where it is not. */
extern bool crm_compile_null(crm_compiler *compiler, const crm_operand *source, bool null, uint32 *node);
/* column op constant; column IS DISTINCT FROM constant; column op ANY or ALL (array). */
extern bool crm_compile_operator(crm_compiler *compiler, OpExpr *expr, bool wanted, uint32 *node);
extern bool crm_compile_distinct(crm_compiler *compiler, DistinctExpr *expr, bool wanted, uint32 *node);
extern bool crm_compile_array(crm_compiler *compiler, ScalarArrayOpExpr *expr, bool wanted, uint32 *node);

#endif							/* CRM_RULE_INTERNAL_H */
