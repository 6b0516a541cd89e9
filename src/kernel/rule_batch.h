/*
 * rule_batch.h - evaluation of simple rules over batches of column values.
 *
 * Every column arrives as int64 keys whose order is the type's order, with one
 * NULL bit a row.  A comparison with a constant is then a set of ranges of
 * keys.  The compiler turns "the rule is true" into a tree over sets of rows
 * ("the column is not NULL and its key is in, or is not in, these ranges", "the
 * column is NULL", and, or, not), so that only two values have to be tracked
 * and the result still equals SQL's three-valued logic.
 *
 * A program travels as bytes (crm_program_encode, crm_program_decode); whoever
 * decodes trusts nothing in them.
 */
#ifndef CRM_KERNEL_RULE_BATCH_H
#define CRM_KERNEL_RULE_BATCH_H

#include "kernel/kernel.h"
#include "kernel/value_table.h"

#define CRM_BATCH_ROWS 1024
#define CRM_BATCH_WORDS (CRM_BATCH_ROWS / 64)

/* Keys of one column, a cache line more than a batch: columns at a power of two apart fight for cache sets. */
#define CRM_BATCH_STRIDE (CRM_BATCH_ROWS + 8)

/* A function call has at most 100 arguments, and others stand before ours. */
#define CRM_PROGRAM_MAX_ARGUMENTS 92
/* Numbers with more and with fewer decimals are different keys of one argument. */
#define CRM_PROGRAM_MAX_COLUMNS (4 * CRM_PROGRAM_MAX_ARGUMENTS)
#define CRM_PROGRAM_NONE UINT32_MAX

/* ---- the program ------------------------------------------------------------ */

/* What an argument of the scan is; these numbers are on the wire. */
typedef enum crm_argument_kind
{
	CRM_ARGUMENT_BOOL = 1,
	CRM_ARGUMENT_INT2,
	CRM_ARGUMENT_INT4,
	CRM_ARGUMENT_INT8,
	CRM_ARGUMENT_FLOAT4,
	CRM_ARGUMENT_FLOAT8,
	CRM_ARGUMENT_NUMERIC,
	CRM_ARGUMENT_DATE,
	CRM_ARGUMENT_TIMESTAMP,
	CRM_ARGUMENT_TIMESTAMPTZ,
	CRM_ARGUMENT_TEXT,
	CRM_ARGUMENT_BPCHAR,
	CRM_ARGUMENT_BOOLEANS,		/* results of boolean rules that the executor evaluates */
	CRM_ARGUMENT_TEXTS,			/* results of text rules that the executor evaluates */
	CRM_ARGUMENT_NUMBERS		/* results of numeric rules */
} crm_argument_kind;

#define CRM_ARGUMENT_LAST CRM_ARGUMENT_NUMBERS
/* Arguments of these kinds, at most one of each, hold results of rules and not a column. */
#define CRM_ARGUMENT_GATHERED 3
#define CRM_ARGUMENT_IS_GATHERED(kind) ((kind) >= CRM_ARGUMENT_BOOLEANS)

/* One array of keys, made from one argument. */
typedef struct crm_column
{
	uint16_t	argument;
	uint8_t		fraction;		/* numeric: groups of four decimals that the key holds, 0 ... 3 */
	bool		intern;			/* text: values that the program does not name get codes, too */
	uint32_t	value_count;	/* text: values that the program names, codes 1 ... */
	uint32_t	first_value;	/* their place among the strings */
} crm_column;

typedef enum crm_node_op
{
	CRM_NODE_NEVER = 1,			/* no row */
	CRM_NODE_ALWAYS,			/* every row */
	CRM_NODE_IN,				/* not NULL and in one of the ranges */
	CRM_NODE_OUT,				/* not NULL and in none of them */
	CRM_NODE_NULL,
	CRM_NODE_NOT_NULL,
	CRM_NODE_AND,
	CRM_NODE_OR,
	CRM_NODE_NOT
} crm_node_op;

#define CRM_NODE_LAST CRM_NODE_NOT

/* A set of rows; nodes stand after those that they are made of. */
typedef struct crm_node
{
	uint8_t		op;
	uint32_t	column;			/* of IN, OUT, NULL, NOT_NULL */
	uint32_t	first;			/* of the ranges or of the children */
	uint32_t	count;
} crm_node;

typedef struct crm_range
{
	int64_t		low;			/* both ends belong to it */
	int64_t		high;
} crm_range;

typedef enum crm_rule_kind
{
	CRM_RULE_NODE = 1,			/* boolean: true for the rows of a node */
	CRM_RULE_EXECUTOR_BOOLEAN,	/* boolean: next element of the booleans argument */
	CRM_RULE_CASE,				/* text: the value of the first arm whose node holds the row */
	CRM_RULE_COLUMN,			/* text: the value of a text column */
	CRM_RULE_EXECUTOR_TEXT,		/* text: next element of the texts argument */
	CRM_RULE_EXECUTOR_NUMBER	/* numeric: next element of the numbers argument */
} crm_rule_kind;

#define CRM_RULE_LAST CRM_RULE_EXECUTOR_NUMBER

typedef struct crm_arm
{
	uint32_t	node;
	uint32_t	value;			/* number of a string; CRM_PROGRAM_NONE for NULL */
} crm_arm;

typedef struct crm_program_rule
{
	uint8_t		kind;
	uint32_t	name;			/* the tag's, number of a string */
	uint32_t	target;			/* the node, the column, or the element of the argument */
	uint32_t	first_arm;
	uint32_t	arm_count;
	uint32_t	otherwise;		/* value of rows that no arm holds, of rows where the column is NULL */
} crm_program_rule;

typedef struct crm_string
{
	const char *text;			/* ends with a NUL that is not counted; none inside */
	uint32_t	length;
} crm_string;

/* All lists of one program; also the builder of one (zeroed to begin with). */
typedef struct crm_program
{
	uint32_t	argument_count;
	uint8_t		arguments[CRM_PROGRAM_MAX_ARGUMENTS + CRM_ARGUMENT_GATHERED];
	uint32_t	column_count,
				column_room;
	crm_column *columns;
	uint32_t	node_count,
				node_room;
	crm_node   *nodes;
	uint32_t	range_count,
				range_room;
	crm_range  *ranges;
	uint32_t	child_count,
				child_room;
	uint32_t   *children;
	uint32_t	arm_count,
				arm_room;
	crm_arm    *arms;
	uint32_t	string_count,
				string_room;
	crm_string *strings;
	uint32_t	rule_count,
				rule_room;
	crm_program_rule *rules;
	/* of the builder: nodes by their content */
	uint32_t   *node_slots;
	uint32_t	node_mask;
	/* of a decoded program */
	uint32_t	executor_booleans;
	uint32_t	executor_texts;
	uint32_t	executor_numbers;
} crm_program;

/* Building; all return CRM_NO_MEMORY or CRM_LIMIT when there is no room. */
extern crm_status crm_program_add_argument(crm_program *program, crm_argument_kind kind, uint32_t *argument);
extern crm_status crm_program_add_column(crm_program *program, const crm_env *env, const crm_column *column, uint32_t *number);
extern crm_status crm_program_add_string(crm_program *program, const crm_env *env, const char *text, size_t length, uint32_t *number);
extern crm_status crm_program_add_arm(crm_program *program, const crm_env *env, uint32_t node, uint32_t value);
extern crm_status crm_program_add_rule(crm_program *program, const crm_env *env, const crm_program_rule *rule);
/* Equal nodes are one.  Ranges ascend and do not touch. */
extern crm_status crm_program_constant(crm_program *program, const crm_env *env, bool all, uint32_t *node);
extern crm_status crm_program_ranges(crm_program *program, const crm_env *env, uint32_t column, bool inside,
									 const crm_range *ranges, uint32_t count, uint32_t *node);
extern crm_status crm_program_null(crm_program *program, const crm_env *env, uint32_t column, bool null, uint32_t *node);
extern crm_status crm_program_join(crm_program *program, const crm_env *env, bool all, const uint32_t *nodes,
								   uint32_t count, uint32_t *node);
extern crm_status crm_program_not(crm_program *program, const crm_env *env, uint32_t inner, uint32_t *node);

/* Takes off what was added since the copy was made. */
extern void crm_program_rewind(crm_program *program, const crm_program *copy);

extern crm_status crm_program_encode(const crm_program *program, const crm_env *env, uint8_t **bytes, size_t *size);
/* CRM_CORRUPT unless the bytes are a program that can be run; nothing in it points into them. */
extern crm_status crm_program_decode(const uint8_t *bytes, size_t size, const crm_env *env, crm_program *program);

/* ---- running it --------------------------------------------------------------- */

typedef struct crm_batch
{
	const crm_program *program;
	int64_t    *keys;			/* CRM_BATCH_STRIDE a column */
	uint64_t   *nulls;			/* CRM_BATCH_WORDS a column */
	uint64_t   *rows;			/* CRM_BATCH_WORDS a node: the results */
	uint64_t  **bitmaps;		/* of nodes with many ranges in a small span; else NULL */
	int			width;			/* of the processor's vectors: 0 plain, 1, 2; a test takes a smaller one */
} crm_batch;

extern crm_status crm_batch_prepare(crm_batch *batch, const crm_program *program, const crm_env *env);
/* Computes every node over the first `rows` rows; bits past them are zero. */
extern void crm_batch_run(crm_batch *batch, int rows);

/* Order-preserving keys of floats: -0 is 0, NaN is greatest and equal to itself. */
static inline int64_t
crm_float_key(double value)
{
	int64_t		bits;

	if (value != value)
		return INT64_MAX;
	value += 0.0;				/* -0 becomes 0 */
	memcpy(&bits, &value, sizeof(bits));
	return bits ^ (int64_t) ((uint64_t) (bits >> 63) >> 1);
}

#endif							/* CRM_KERNEL_RULE_BATCH_H */
