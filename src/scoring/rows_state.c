/*
 * rows_state.c - rows as the state of an aggregate.
 *
 * As crm.agg_state: number of the use, size of the options and level of a sample (a
 * byte each), a byte 0, number of features (4 bytes), rows skipped (8 bytes), the options, padded to 8
 * bytes, then the rows as kernel/columns.h writes them.
 */
#include "scoring/rows_state.h"

#include <math.h>

#include "common/agg_state.h"
#include "common/expanded_state.h"
#include "common/settings.h"

#define ROWS_STATE_VERSION 1
/* A sample of 2^-63 of the rows, and as many equal rows as sums of them can tell. */
#define MAX_LEVEL 63
#define MAX_COPIES 1e15
#define ROWS_HEADER 16

/* ---- errors -------------------------------------------------------------- */

void
scoring_rows_check(const scoring_rows *state, crm_status status)
{
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows of %s need more than crm_analytics.training_memory", state->use->function),
				 errdetail("%llu rows of %d numbers are kept; the setting allows %d kB.", (unsigned long long) state->columns.rows,
						   (int) state->columns.width, crm_training_memory),
				 errhint("Raise crm_analytics.training_memory, or take a sample of the rows, such as those with hashint8extended(id, 0) & 7 = 0.")));
	if (status == CRM_CORRUPT)
		crm_agg_state_damaged("The rows in a state of a trainer are not whole.");
	crm_check(status, "crm.agg_state", false);
}

/* ---- the expanded object --------------------------------------------------- */

static Size
options_room(const scoring_rows_use *use)
{
	return MAXALIGN(use->options_size);
}

static Size
flat_size(ExpandedObjectHeader *header)
{
	const scoring_rows *state = (const scoring_rows *) header;
	Size		size = CRM_AGG_STATE_HEADER + ROWS_HEADER + options_room(state->use) + crm_columns_size(&state->columns);

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows of %s are too many to be handed to another process", state->use->function),
				 errdetail("They take %zu bytes, and %zu can be handed over.", size, (Size) MaxAllocSize),
				 errhint("Set max_parallel_workers_per_gather to 0, or take a sample of the rows.")));
	return size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const scoring_rows *state = (const scoring_rows *) header;
	uint8	   *data = (uint8 *) ((crm_agg_state *) result)->data;

	crm_agg_state_init(result, size, CRM_STATE_ROWS, ROWS_STATE_VERSION);
	memset(data, 0, ROWS_HEADER + options_room(state->use));
	data[0] = state->use->number;
	data[1] = (uint8) state->use->options_size;
	data[2] = state->level;
	crm_store32(data + 4, (uint32) scoring_rows_features(state));
	crm_store64(data + 8, state->skipped);
	memcpy(data + ROWS_HEADER, state->options, state->use->options_size);
	crm_columns_write(&state->columns, data + ROWS_HEADER + options_room(state->use));
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *of_use);

static const crm_expanded_kind rows_kind = {{flat_size, flatten_into}, add_flat, offsetof(scoring_rows, use)};

static scoring_rows *
new_state(MemoryContext parent, const scoring_rows_use *use, const void *options, int features)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm training rows", ALLOCSET_SMALL_SIZES);
	scoring_rows *state = MemoryContextAllocZero(context, sizeof(scoring_rows));
	crm_env		env = crm_env_in(context);

	EOH_init_header(&state->header, &rows_kind.methods, context);
	state->use = use;
	memcpy(state->options, options, use->options_size);
	crm_columns_init(&state->columns, &env, (uint32) features + SCORING_ROWS_FEATURES, (Size) crm_training_memory * 1024);
	return state;
}

static void
check_same(const scoring_rows *state, const void *options, int features)
{
	if (memcmp(state->options, options, state->use->options_size) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of %s change within a group", state->use->function)));
	if (scoring_rows_features(state) != features)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("number of features of %s changes within a group: %d, then %d", state->use->function,
						scoring_rows_features(state), features)));
}

/* ---- rows from elsewhere ---------------------------------------------------- */

/* What the trainers count on: labels are 0 or 1 where they are labels, neither they nor weights are missing, weights are positive. */
static bool
rows_are_valid(const scoring_rows *state, Size from_part)
{
	double		numbers[CRM_COLUMNS_MAX_BLOCK];

	for (Size part = from_part; part < crm_columns_parts(&state->columns); part++)
		for (int column = SCORING_ROWS_LABEL; column <= SCORING_ROWS_WEIGHT; column++)
		{
			crm_columns_read(&state->columns, part, (uint32) column, numbers);
			for (uint32 i = 0; i < crm_columns_part_rows(&state->columns, part); i++)
				if (column == SCORING_ROWS_WEIGHT ? !(numbers[i] > 0) :
					state->use->copies ? !(numbers[i] >= 1 && numbers[i] <= MAX_COPIES && numbers[i] == floor(numbers[i])) :
					state->use->labels ? numbers[i] != 0 && numbers[i] != 1 : numbers[i] != numbers[i])
					return false;
		}
	return true;
}

/* Adds a flat state to one at hand, or to a new one. */
static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *of_use)
{
	scoring_rows *state = at_hand;
	const scoring_rows_use *use = of_use;
	crm_agg_state *flat = crm_agg_state_fetch(value, CRM_STATE_ROWS, ROWS_STATE_VERSION,
											  CRM_AGG_STATE_HEADER + ROWS_HEADER + options_room(use));
	const uint8 *data = (const uint8 *) flat->data;
	char		options[SCORING_ROWS_OPTIONS];
	uint32		features = crm_load32(data + 4);
	uint64		skipped = crm_load64(data + 8);
	Size		before;

	if (data[0] != use->number || data[1] != use->options_size)
		crm_agg_state_damaged("The state belongs to another aggregate.");
	if (features > use->most_features || skipped > PG_INT64_MAX / 2)
		crm_agg_state_damaged("The state has more features than the aggregate takes.");
	if (data[2] > MAX_LEVEL)
		crm_agg_state_damaged("The level of a sample is none.");
	memcpy(options, data + ROWS_HEADER, use->options_size);
	if (use->options_are_valid != NULL && !use->options_are_valid(options))
		crm_agg_state_damaged("The options in a state of a trainer are not such.");
	if (state == NULL)
		state = new_state(parent, use, options, (int) features);
	check_same(state, options, (int) features);
	state->skipped += skipped;
	state->level = Max(state->level, data[2]);
	before = state->columns.block_count;
	scoring_rows_check(state, crm_columns_merge(&state->columns, data + ROWS_HEADER + options_room(use),
										  VARSIZE(flat) - CRM_AGG_STATE_HEADER - ROWS_HEADER - options_room(use)));
	if (!rows_are_valid(state, before))
		crm_agg_state_damaged("A label or a weight in a state of a trainer is not one.");
	return state;
}

/* ---- for the aggregates ------------------------------------------------------ */

scoring_rows *
scoring_rows_state(FunctionCallInfo fcinfo, MemoryContext aggcontext, const scoring_rows_use *use, const void *options, int features)
{
	scoring_rows *state;

	if (features > use->most_features)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s takes at most %d features, not %d", use->function, use->most_features, features)));
	if (PG_ARGISNULL(0))
		return new_state(aggcontext, use, options, features);
	state = crm_expanded_writable(&rows_kind, use, PG_GETARG_DATUM(0), aggcontext);
	check_same(state, options, features);
	return state;
}

void
scoring_rows_add(scoring_rows *state, double label, double weight, const double *features)
{
	double	   *row;
	int			count = scoring_rows_features(state);

	scoring_rows_check(state, crm_columns_add(&state->columns, &row));
	row[SCORING_ROWS_LABEL] = label;
	row[SCORING_ROWS_WEIGHT] = weight;
	memcpy(row + SCORING_ROWS_FEATURES, features, sizeof(double) * count);
	crm_columns_added(&state->columns);
}

Datum
scoring_rows_combine(FunctionCallInfo fcinfo, const scoring_rows_use *use)
{
	return crm_expanded_combine(fcinfo, &rows_kind, use, use->function);
}

const scoring_rows *
scoring_rows_final(FunctionCallInfo fcinfo, const scoring_rows_use *use)
{
	const scoring_rows *state = crm_expanded_final(fcinfo, &rows_kind, use, use->function);

	return state != NULL && state->columns.rows > 0 ? state : NULL;
}

void
scoring_require_both_labels(const scoring_rows *state)
{
	double		labels[CRM_COLUMNS_MAX_BLOCK];
	uint64		positives = 0;

	for (Size part = 0; part < crm_columns_parts(&state->columns); part++)
	{
		crm_columns_read(&state->columns, part, SCORING_ROWS_LABEL, labels);
		for (uint32 i = 0; i < crm_columns_part_rows(&state->columns, part); i++)
			positives += labels[i] > 0;
	}
	if (positives == 0 || positives == state->columns.rows)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("all labels of %s are %s", state->use->function, positives == 0 ? "false" : "true"),
				 errdetail("There are %llu rows.", (unsigned long long) state->columns.rows),
				 errhint("A model of yes or no needs rows of both.")));
}
