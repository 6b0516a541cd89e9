/*
 * kmeans_state.c - rows to be grouped as the state of an aggregate.
 *
 * All rows are kept, in compact columns; with the option "mini_batch" a sample of
 * them, which neither their order nor their distribution over workers changes:
 * equal rows become one with a count, and of the different ones those are kept
 * whose hashes are lowest.
 */
#include "segment/kmeans.h"

#include <math.h>

#include "common/agg_state.h"
#include "common/settings.h"

/* Starts unless their number is given: so many rows altogether, within bounds. */
#define START_WORK 100000
#define FEWEST_STARTS 10
#define MOST_STARTS 100

/* ---- options --------------------------------------------------------------- */

typedef struct given_options
{
	kmeans_options flat;
	scoring_wholes categorical;
} given_options;

enum
{
	MISSING_ERROR,
	MISSING_SKIP,
	MISSING_IGNORE
};

static const char *const missing_words[] = {"error", "skip", "ignore", NULL};

#define FLAT(member) (offsetof(given_options, flat) + offsetof(kmeans_options, member))
#define FIT_OPTIONS \
	{"seed", SCORING_WHOLE, FLAT(seed), 0, 1e15}, \
	{"n_init", SCORING_WHOLE, FLAT(starts), 1, 1000}, \
	{"max_iter", SCORING_WHOLE, FLAT(iterations), 1, 100000}, \
	{"tolerance", SCORING_NUMBER, FLAT(tolerance), 0, 1}, \
	{"standardize", SCORING_BOOLEAN, FLAT(standardize)}, \
	{"missing", SCORING_WORD, FLAT(missing), 0, 0, missing_words}, \
	{"mini_batch", SCORING_WHOLE, FLAT(mini_batch), 100, 1e9}

static const scoring_option fit_options[] = {FIT_OPTIONS, {NULL}};

static const scoring_option prototypes_options[] = {
	FIT_OPTIONS,
	{"categorical", SCORING_WHOLES, offsetof(given_options, categorical), 1, KMEANS_MARKED_FEATURES},
	{"gamma", SCORING_NUMBER, FLAT(gamma), 0, 1e15},
	{NULL}
};

static const scoring_option choice_options[] = {
	FIT_OPTIONS,
	{"references", SCORING_WHOLE, FLAT(references), 0, 100},
	{"sample", SCORING_WHOLE, FLAT(sample), 10, 20000},
	{NULL}
};

static const given_options defaults = {
	.flat = {.tolerance = 1e-6, .gamma = -1, .starts = 0, .iterations = 300, .references = 10, .sample = 1000}
};

static bool
options_are_valid(const void *bytes)
{
	kmeans_options o;

	memcpy(&o, bytes, sizeof(o));
	return o.tolerance >= 0 && o.tolerance <= 1 && o.gamma >= -1 && o.gamma <= 1e15 && o.groups >= 1 && o.groups <= CRM_KMEANS_MAX_GROUPS &&
		o.starts >= 0 && o.starts <= 1000 && o.iterations >= 1 && o.iterations <= 100000 && o.seed >= 0 &&
		(o.mini_batch == 0 || (o.mini_batch >= 100 && o.mini_batch <= 1000000000)) && o.missing >= MISSING_ERROR && o.missing <= MISSING_IGNORE &&
		o.references >= 0 && o.references <= 100 && o.sample >= 10 && o.sample <= 20000 &&
		((const uint8 *) bytes)[offsetof(kmeans_options, standardize)] <= 1;
}

StaticAssertDecl(sizeof(kmeans_options) <= SCORING_ROWS_OPTIONS, "options do not fit the state");

#define ROWS_USE(place, name, features) \
	{ \
		.number = place, .function = name, .most_features = features, .options_size = sizeof(kmeans_options), \
		.options_are_valid = options_are_valid, .copies = true \
	}

const kmeans_use kmeans_fit_use = {ROWS_USE(20, "kmeans_fit", CRM_KMEANS_MAX_FEATURES)};
const kmeans_use kprototypes_fit_use = {ROWS_USE(21, "kprototypes_fit", KMEANS_MARKED_FEATURES), .prototypes = true};
const kmeans_use kmeans_choice_use = {ROWS_USE(22, "kmeans_choice", CRM_KMEANS_MAX_FEATURES), .choice = true};

static bool
is_marked(const kmeans_options *options, int feature)
{
	return options->categorical[feature / 64] >> (feature % 64) & 1;
}

/* The options of a call, with what is not in the jsonb. */
static void
options_of_call(FunctionCallInfo fcinfo, const kmeans_use *use, kmeans_options *options)
{
	const given_options *given = &defaults;
	int			nargs = PG_NARGS();
	int32		groups;

	if (nargs > 3)
		given = scoring_options_of(fcinfo, nargs - 1, use->prototypes ? prototypes_options : use->choice ? choice_options : fit_options,
								   use->rows.function, &defaults, sizeof(given_options));
	memcpy(options, &given->flat, sizeof(*options));
	for (int i = 0; i < given->categorical.count; i++)
		options->categorical[(given->categorical.numbers[i] - 1) / 64] |= UINT64CONST(1) << ((given->categorical.numbers[i] - 1) % 64);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the number of groups of %s must not be null", use->rows.function)));
	groups = PG_GETARG_INT32(1);
	if (groups < 1 || groups > CRM_KMEANS_MAX_GROUPS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of groups of %s is out of range: %d", use->rows.function, groups),
				 errdetail("It is from 1 to %d.", CRM_KMEANS_MAX_GROUPS)));
	options->groups = groups;
}

bool
kmeans_takes_missing(const kmeans_options *options)
{
	return options->missing == MISSING_IGNORE;
}

/* ---- samples ----------------------------------------------------------------- */

/* Thins the rows of a state that have become twice as many as are to be kept, or that were put together. */
static void
thin(scoring_rows *state, int64 most)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "crm thinning of rows", ALLOCSET_DEFAULT_SIZES);
	crm_env		env = crm_env_in(work);
	crm_columns kept;
	crm_columns *columns = &state->columns;

	scoring_rows_check(state, crm_kmeans_thin(columns, (uint32) most, &state->level, &env, &kept));
	for (Size i = 0; i < columns->block_count; i++)
		columns->env.release(columns->env.arg, columns->blocks[i].data);
	if (columns->blocks != NULL)
		columns->env.release(columns->env.arg, columns->blocks);
	if (columns->pending != NULL)
		columns->env.release(columns->env.arg, columns->pending);
	*columns = kept;
	MemoryContextDelete(work);
}

static bool
is_sampled_out(const scoring_rows *state, double weight, const double *features, int count)
{
	double	   *row;
	bool		out;

	if (state->level == 0)
		return false;
	row = palloc(sizeof(double) * (count + 1));
	memcpy(row, features, sizeof(double) * count);
	row[count] = weight;
	out = !crm_kmeans_is_kept(crm_kmeans_hash(row, count + 1), state->level);
	pfree(row);
	return out;
}

/* ---- transition and combination ------------------------------------------------ */

Datum
kmeans_transition(FunctionCallInfo fcinfo, const kmeans_use *use)
{
	MemoryContext aggcontext;
	int			nargs = PG_NARGS();
	kmeans_options options;
	scoring_rows *state;
	const double *features;
	double		weight = 1;
	int			count;
	bool		nulls;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "transition of %s called in non-aggregate context", use->rows.function);
	options_of_call(fcinfo, use, &options);
	/* Without features or weight it is not an observation. */
	if (PG_ARGISNULL(2) || (nargs == 5 && PG_ARGISNULL(3)))
		return crm_agg_unchanged(fcinfo);
	if (nargs == 5)
		weight = scoring_weight(PG_GETARG_FLOAT8(3));
	features = scoring_features(PG_GETARG_ARRAYTYPE_P(2), &count, &nulls);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("features of %s must not be empty", use->rows.function)));
	state = scoring_rows_state(fcinfo, aggcontext, &use->rows, &options, count);
	if (nulls && options.missing == MISSING_ERROR)
		scoring_feature_missing(features, count, "Replace nulls with coalesce(), or take the option \"missing\": \"ignore\" or \"skip\".");
	if (nulls && options.missing == MISSING_SKIP)
		state->skipped++;
	else if (weight > 0 && !is_sampled_out(state, weight, features, count))
	{
		scoring_rows_add(state, 1, weight, features);
		if (options.mini_batch > 0 && state->columns.rows > 2 * options.mini_batch)
			thin(state, options.mini_batch);
	}
	return EOHPGetRWDatum(&state->header);
}

Datum
kmeans_combine(FunctionCallInfo fcinfo, const kmeans_use *use)
{
	Datum		result = scoring_rows_combine(fcinfo, &use->rows);
	scoring_rows *state;
	kmeans_options options;

	if (fcinfo->isnull || !VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(result)))
		return result;
	state = (scoring_rows *) DatumGetEOHP(result);
	memcpy(&options, state->options, sizeof(options));
	if (options.mini_batch > 0 && (state->level > 0 || state->columns.rows > 2 * options.mini_batch))
		thin(state, options.mini_batch);
	return result;
}

/* ---- for final functions --------------------------------------------------------- */

/* Of few rows more starts cost nothing, and a single row more or less makes another valley. */
static uint32
starts_for(uint64 rows)
{
	return rows >= START_WORK / FEWEST_STARTS ? FEWEST_STARTS : rows <= START_WORK / MOST_STARTS ? MOST_STARTS : (uint32) (START_WORK / rows);
}

kmeans_input *
kmeans_rows_of(FunctionCallInfo fcinfo, const kmeans_use *use)
{
	const scoring_rows *state = scoring_rows_final(fcinfo, &use->rows);
	kmeans_input *input;
	crm_env		env = crm_env_in(CurrentMemoryContext);
	int			features;

	if (state == NULL)
		return NULL;
	features = scoring_rows_features(state);
	input = palloc0(sizeof(kmeans_input));
	input->state = state;
	memcpy(&input->options, state->options, sizeof(kmeans_options));
	input->level = state->level;
	input->columns = state->columns;
	if (input->options.mini_batch > 0)
	{
		/* thinned once more than the state, which does not change; in memory of this call */
		crm_columns from = state->columns;

		from.env = env;
		scoring_rows_check(state, crm_kmeans_thin(&from, (uint32) input->options.mini_batch, &input->level, &env, &input->columns));
	}
	input->wanted = (crm_kmeans_options) {
		.groups = (uint32) input->options.groups,
		.starts = input->options.starts > 0 ? (uint32) input->options.starts : starts_for(input->columns.rows),
		.iterations = (uint32) input->options.iterations,
		.tolerance = input->options.tolerance,
		.seed = (uint64) input->options.seed,
		.standardize = input->options.standardize,
		.gamma = input->options.gamma
	};
	if (use->prototypes)
	{
		uint8	   *marks = palloc0(Max(features, 1));
		bool		any = false;

		for (int j = 0; j < KMEANS_MARKED_FEATURES; j++)
		{
			if (!is_marked(&input->options, j))
				continue;
			if (j >= features)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value of option \"categorical\" of %s", use->rows.function),
						 errdetail("There is no feature %d: the rows have %d.", j + 1, features)));
			marks[j] = 1;
			any = true;
		}
		input->wanted.categorical = any ? marks : NULL;
	}
	return input;
}

void
kmeans_check(const kmeans_input *input, crm_status status, Size needed)
{
	const char *function = input->state->use->function;

	if (status == CRM_LIMIT && needed <= input->columns.max_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a categorical feature of %s has more than %d different values", function, CRM_KMEANS_MAX_CATEGORIES),
				 errhint("Put rare values together, or leave the feature out.")));
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s would need more than crm_analytics.training_memory", function),
				 errdetail("%llu rows of %d features need %zu kB to be grouped, %d kB are allowed.",
						   (unsigned long long) input->columns.rows, scoring_rows_features(input->state), needed / 1024, crm_training_memory),
				 errhint("Raise crm_analytics.training_memory, or take the option \"mini_batch\": 1000000, which keeps a sample of so many different rows.")));
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("features or weights of %s are too large", function),
				 errdetail("Their squares, summed, are beyond the range of double precision."),
				 errhint("Divide them by a large number first.")));
	crm_check(status, CRM_MODEL_TYPE, false);
}
