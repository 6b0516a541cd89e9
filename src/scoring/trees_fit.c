/*
 * trees_fit.c - the aggregates boosted_trees_fit and
 * boosted_trees_regression_fit.
 *
 * Boosting reads the rows many times, so the state keeps them, in compact
 * columns and up to crm_analytics.training_memory.  It is an expanded object, and
 * one crm.agg_state on the way to another process.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "common/agg_state.h"
#include "common/expanded_state.h"
#include "common/progress.h"
#include "common/settings.h"
#include "kernel/trees.h"
#include "mb/pg_wchar.h"

CRM_FUNCTION(crm_boosted_trees_fit_transfn);
CRM_FUNCTION(crm_boosted_trees_regression_fit_transfn);
CRM_FUNCTION(crm_boosted_trees_fit_combinefn);
CRM_FUNCTION(crm_boosted_trees_fit_finalfn);

#define TREES_STATE_VERSION 1
/* Whether the target is a number, number of features, length of the options: 4 bytes each. */
#define TREES_STATE_HEADER (CRM_AGG_STATE_HEADER + 12)

typedef struct trees_state
{
	ExpandedObjectHeader header;
	bool		regression;
	uint32		features;
	Jsonb	   *options;		/* as given; NULL for none */
	char	   *options_text;	/* the same as text, "" for none */
	crm_columns rows;			/* features, label, weight */
} trees_state;

/* ---- options --------------------------------------------------------------- */

typedef struct trees_arguments
{
	int64		trees;
	int64		depth;
	int64		bins;
	int64		seed;
	int64		early_stopping;
	double		learning_rate;
	double		l2;
	double		min_child_weight;
	double		min_gain;
	double		row_sample;
	double		column_sample;
	double		held_out;
	double		quantile;
	int			loss;
	scoring_wholes monotone;
	scoring_wholes categorical;
} trees_arguments;

enum
{
	LOSS_SQUARED,
	LOSS_ABSOLUTE,
	LOSS_QUANTILE,
	LOSS_POISSON
};

static const char *const loss_words[] = {"squared", "absolute", "quantile", "poisson", NULL};

#define COMMON_OPTIONS \
	{"trees", SCORING_WHOLE, offsetof(trees_arguments, trees), 1, CRM_TREES_MAX_TREES}, \
	{"depth", SCORING_WHOLE, offsetof(trees_arguments, depth), 1, CRM_TREES_MAX_DEPTH}, \
	{"learning_rate", SCORING_NUMBER, offsetof(trees_arguments, learning_rate), 0.0001, 1}, \
	{"l2", SCORING_NUMBER, offsetof(trees_arguments, l2), 0, 1e9}, \
	{"min_child_weight", SCORING_NUMBER, offsetof(trees_arguments, min_child_weight), 0, 1e9}, \
	{"min_gain", SCORING_NUMBER, offsetof(trees_arguments, min_gain), 0, 1e15}, \
	{"row_sample", SCORING_NUMBER, offsetof(trees_arguments, row_sample), 0.01, 1}, \
	{"column_sample", SCORING_NUMBER, offsetof(trees_arguments, column_sample), 0.01, 1}, \
	{"bins", SCORING_WHOLE, offsetof(trees_arguments, bins), 2, CRM_TREES_MAX_BINS}, \
	{"seed", SCORING_WHOLE, offsetof(trees_arguments, seed), 0, 1e15}, \
	{"early_stopping", SCORING_WHOLE, offsetof(trees_arguments, early_stopping), 0, CRM_TREES_MAX_TREES}, \
	{"held_out", SCORING_NUMBER, offsetof(trees_arguments, held_out), 0.01, 0.9}, \
	{"monotone", SCORING_WHOLES, offsetof(trees_arguments, monotone), -1, 1}, \
	{"categorical", SCORING_WHOLES, offsetof(trees_arguments, categorical), 1, CRM_TREES_MAX_FEATURES}

static const scoring_option class_options[] = {COMMON_OPTIONS, {NULL}};

static const scoring_option number_options[] = {
	COMMON_OPTIONS,
	{"loss", SCORING_WORD, offsetof(trees_arguments, loss), 0, 0, loss_words},
	{"quantile", SCORING_NUMBER, offsetof(trees_arguments, quantile), 0.001, 0.999},
	{NULL}
};

static const char *
function_name(bool regression)
{
	return regression ? "boosted_trees_regression_fit" : "boosted_trees_fit";
}

static const bool *
read_categorical(const scoring_wholes *given, uint32 features, const char *function)
{
	bool	   *categorical;

	if (given->count == 0)
		return NULL;
	categorical = palloc0(sizeof(bool) * features);
	for (int i = 0; i < given->count; i++)
	{
		if (given->numbers[i] > features)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid value of option \"categorical\" of %s", function),
					 errdetail("There is no feature " INT64_FORMAT ": the rows have %u.", given->numbers[i], features)));
		categorical[given->numbers[i] - 1] = true;
	}
	return categorical;
}

static const int8 *
read_monotone(const scoring_wholes *given, const bool *categorical, uint32 features, const char *function)
{
	int8	   *monotone;

	if (given->count == 0)
		return NULL;
	if (given->count != features)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value of option \"monotone\" of %s", function),
				 errdetail("It has %d numbers, the rows have %u features.", given->count, features),
				 errhint("Give 1 (rising), -1 (falling) or 0 (either) for each feature.")));
	monotone = palloc(sizeof(int8) * features);
	for (uint32 f = 0; f < features; f++)
	{
		monotone[f] = (int8) given->numbers[f];
		if (monotone[f] != 0 && categorical != NULL && categorical[f])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid value of option \"monotone\" of %s", function),
					 errdetail("Feature %u is categorical: its values have no order.", f + 1)));
	}
	return monotone;
}

/* What the options of a state mean; arrays in the memory that is current. */
static crm_trees_options
read_options(const trees_state *state)
{
	const char *function = function_name(state->regression);
	trees_arguments given = {
		.trees = 100,
		.depth = 6,
		.bins = CRM_TREES_MAX_BINS,
		.learning_rate = 0.1,
		.l2 = 1,
		.min_child_weight = 1,
		.row_sample = 1,
		.column_sample = 1,
		.held_out = 0.2,
		.quantile = -1
	};
	crm_trees_options options;

	if (state->options != NULL)
		scoring_read_options(state->options, state->regression ? number_options : class_options, function, &given);
	options = (crm_trees_options) {
		.loss = CRM_TREES_LOGISTIC,
		.quantile = 0.5,
		.trees = (uint32) given.trees,
		.depth = (uint32) given.depth,
		.learning_rate = given.learning_rate,
		.l2 = given.l2,
		.min_child_weight = given.min_child_weight,
		.min_gain = given.min_gain,
		.row_sample = given.row_sample,
		.column_sample = given.column_sample,
		.bins = (uint32) given.bins,
		.seed = (uint64) given.seed,
		.early_stopping = (uint32) given.early_stopping,
		.held_out = given.held_out
	};
	if (state->regression)
	{
		options.loss = given.loss == LOSS_SQUARED ? CRM_TREES_SQUARED :
			given.loss == LOSS_POISSON ? CRM_TREES_POISSON : CRM_TREES_QUANTILE;
		if (given.quantile > 0)
		{
			if (given.loss != LOSS_QUANTILE)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("option \"quantile\" of %s needs \"loss\": \"quantile\"", function)));
			options.quantile = given.quantile;
		}
	}
	options.categorical = read_categorical(&given.categorical, state->features, function);
	options.monotone = read_monotone(&given.monotone, options.categorical, state->features, function);
	return options;
}

/* ---- errors ---------------------------------------------------------------- */

static void
check_rows(const trees_state *state, crm_status status)
{
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows of %s need more than crm_analytics.training_memory", function_name(state->regression)),
				 errdetail("%llu rows of %u features fit into %d kB.",
						   (unsigned long long) state->rows.rows, state->features, crm_training_memory),
				 errhint("Raise crm_analytics.training_memory, or train on a sample of the rows, such as those with hashint8extended(id, 0) & 7 = 0.")));
	crm_check(status, "crm.agg_state", false);
}

static void
check_fit(const trees_state *state, crm_status status, Size needed)
{
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s would need more than crm_analytics.training_memory", function_name(state->regression)),
				 errdetail("%llu rows of %u features need %zu kB to train on, %d kB are allowed.",
						   (unsigned long long) state->rows.rows, state->features, needed / 1024, crm_training_memory),
				 errhint("Raise crm_analytics.training_memory, or train on a sample of the rows, such as those with hashint8extended(id, 0) & 7 = 0.")));
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 state->regression ? errmsg("%s has no rows to train on", function_name(true)) :
				 errmsg("labels of %s are all the same", function_name(false)),
				 errdetail("%llu rows have a label, features and a weight above 0.", (unsigned long long) state->rows.rows),
				 errhint("Training needs rows of both kinds outside the held part.")));
	crm_check(status, CRM_MODEL_TYPE, false);
}

/* ---- the state ------------------------------------------------------------- */

static Size
flat_size(ExpandedObjectHeader *header)
{
	const trees_state *state = (const trees_state *) header;
	Size		size = TREES_STATE_HEADER + strlen(state->options_text) + crm_columns_size(&state->rows);

	crm_check_size(size, "crm.agg_state");
	return size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const trees_state *state = (const trees_state *) header;
	uint8	   *data = (uint8 *) ((crm_agg_state *) result)->data;
	Size		length = strlen(state->options_text);

	crm_agg_state_init(result, size, CRM_STATE_TREES, TREES_STATE_VERSION);
	crm_store32(data, state->regression);
	crm_store32(data + 4, state->features);
	crm_store32(data + 8, (uint32) length);
	memcpy(data + 12, state->options_text, length);
	crm_columns_write(&state->rows, data + 12 + length);
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use);

static const crm_expanded_kind trees_kind = {{flat_size, flatten_into}, add_flat};

/* A state without rows; its options are read once, so that errors come at the first row. */
static trees_state *
new_state(MemoryContext parent, bool regression, uint32 features, const Jsonb *options)
{
	MemoryContext context = AllocSetContextCreate(parent, "boosted trees", ALLOCSET_DEFAULT_SIZES);
	trees_state *state = MemoryContextAllocZero(context, sizeof(trees_state));
	MemoryContext old;
	crm_env		env = crm_env_in(context);

	EOH_init_header(&state->header, &trees_kind.methods, context);
	state->regression = regression;
	state->features = features;
	old = MemoryContextSwitchTo(context);
	state->options_text = "";
	if (options != NULL)
	{
		state->options = palloc(VARSIZE(options));
		memcpy(state->options, options, VARSIZE(options));
		state->options_text = JsonbToCString(NULL, &state->options->root, VARSIZE(options));
	}
	MemoryContextSwitchTo(old);
	crm_columns_init(&state->rows, &env, features + 2, (Size) crm_training_memory * 1024);
	(void) read_options(state);
	return state;
}

/* Options compared as jsonb has them: one form for one content. */
static void
check_same(const trees_state *state, bool regression, uint32 features, const Jsonb *options)
{
	const char *function = function_name(state->regression);

	if (state->regression != regression)
		crm_agg_state_damaged("States of classes and of numbers do not combine.");
	if (state->features != features)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("number of features of %s changes within a group: %u, then %u", function, state->features, features)));
	if ((state->options == NULL) != (options == NULL) ||
		(options != NULL && (VARSIZE(options) != VARSIZE(state->options) || memcmp(options, state->options, VARSIZE(options)) != 0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of %s change within a group", function)));
}

/* Labels, weights and features of rows that came from anywhere. */
static void
check_foreign(const trees_state *state, Size first_part)
{
	double	   *numbers = palloc(sizeof(double) * CRM_COLUMNS_MAX_BLOCK);

	for (Size part = first_part; part < crm_columns_parts(&state->rows); part++)
	{
		uint32		count = crm_columns_part_rows(&state->rows, part);

		CHECK_FOR_INTERRUPTS();
		crm_columns_read(&state->rows, part, state->features, numbers);
		for (uint32 i = 0; i < count; i++)
			if (state->regression ? !(fabs(numbers[i]) <= CRM_TREES_MAX_TARGET) : !(numbers[i] == 0 || numbers[i] == 1))
				crm_agg_state_damaged("A label in a state of boosted trees is not one.");
		crm_columns_read(&state->rows, part, state->features + 1, numbers);
		for (uint32 i = 0; i < count; i++)
			if (!(numbers[i] > 0 && numbers[i] <= CRM_TREES_MAX_WEIGHT))
				crm_agg_state_damaged("A weight in a state of boosted trees is not one.");
	}
	pfree(numbers);
}

/* Adds the rows of a flat state to one at hand, or to a new one. */
static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use)
{
	trees_state *state = at_hand;
	crm_agg_state *flat = crm_agg_state_fetch(value, CRM_STATE_TREES, TREES_STATE_VERSION, TREES_STATE_HEADER);
	const uint8 *data = (const uint8 *) flat->data;
	uint32		regression = crm_load32(data);
	uint32		features = crm_load32(data + 4);
	uint32		length = crm_load32(data + 8);
	Size		left = VARSIZE(flat) - TREES_STATE_HEADER;
	Jsonb	   *options = NULL;
	Size		first_part;
	crm_status	status;

	if (regression > 1 || features < 1 || features > CRM_TREES_MAX_FEATURES || length > left)
		crm_agg_state_damaged("The header of a state of boosted trees is not one.");
	data += 12;
	if (length > 0)
	{
		char	   *text = pnstrdup((const char *) data, length);

		if (strlen(text) != length || !pg_verifymbstr(text, (int) length, true))
			crm_agg_state_damaged("The options in a state of boosted trees are not a text.");
		options = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	}
	if (state == NULL)
		state = new_state(parent, regression, features, options);
	else
		check_same(state, regression, features, options);
	first_part = state->rows.block_count;
	status = crm_columns_merge(&state->rows, data + length, left - length);
	if (status == CRM_CORRUPT)
		crm_agg_state_damaged("The rows in a state of boosted trees are not whole.");
	check_rows(state, status);
	check_foreign(state, first_part);
	return state;
}

/* ---- the aggregates' functions ---------------------------------------------- */

/* A label as a number; counts must not be negative. */
static double
label_of(FunctionCallInfo fcinfo, const trees_state *state)
{
	double		target;

	if (!state->regression)
		return PG_GETARG_BOOL(1);
	target = PG_GETARG_FLOAT8(1);
	if (!(fabs(target) <= CRM_TREES_MAX_TARGET))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("target of boosted_trees_regression_fit is out of range: %s",
						DatumGetCString(DirectFunctionCall1(float8out, PG_GETARG_DATUM(1)))),
				 errdetail("A target is a finite number between -1e30 and 1e30."),
				 errhint("Make it null where nothing is known, or cap it.")));
	return target + 0.0;
}

static Datum
transition(FunctionCallInfo fcinfo, bool regression)
{
	MemoryContext aggcontext;
	trees_state *state = NULL;
	int			nargs = PG_NARGS();
	const Jsonb *options = NULL;
	const double *features;
	double	   *row;
	double		weight = 1;
	int			count;
	bool		nulls;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "%s_transfn called in non-aggregate context", function_name(regression));
	if (!PG_ARGISNULL(0))
		state = crm_expanded_writable(&trees_kind, NULL, PG_GETARG_DATUM(0), aggcontext);
	if (nargs == 5 && !PG_ARGISNULL(3))
		weight = PG_GETARG_FLOAT8(3);
	if (!(weight >= 0 && weight <= CRM_TREES_MAX_WEIGHT))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("weight must be from 0 to 1e6: %s",
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(weight))))));
	/* Without a label, features or a weight it is not an observation. */
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (nargs == 5 && PG_ARGISNULL(3)) || (float) weight == 0)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		return EOHPGetRWDatum(&state->header);
	}
	if (nargs > 3 && !PG_ARGISNULL(nargs - 1))
		options = PG_GETARG_JSONB_P(nargs - 1);
	features = scoring_features(PG_GETARG_ARRAYTYPE_P(2), &count, &nulls);
	if (count < 1 || count > CRM_TREES_MAX_FEATURES)
		ereport(ERROR,
				(errcode(count < 1 ? ERRCODE_ARRAY_SUBSCRIPT_ERROR : ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s takes 1 to %d features, not %d", function_name(regression), CRM_TREES_MAX_FEATURES, count)));
	if (state == NULL)
		state = new_state(aggcontext, regression, (uint32) count, options);
	else
		check_same(state, regression, (uint32) count, options);
	check_rows(state, crm_columns_add(&state->rows, &row));
	/* -0 is 0. */
	for (int f = 0; f < count; f++)
		row[f] = features[f] + 0.0;
	row[count] = label_of(fcinfo, state);
	row[count + 1] = (float) weight;
	crm_columns_added(&state->rows);
	return EOHPGetRWDatum(&state->header);
}

/* boosted_trees_fit_transfn(state, label boolean, features float8[] [, options jsonb] | [, weight float8, options jsonb]) */
Datum
crm_boosted_trees_fit_transfn(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, false);
}

/* boosted_trees_regression_fit_transfn(state, target float8, features float8[] ...), as above */
Datum
crm_boosted_trees_regression_fit_transfn(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, true);
}

Datum
crm_boosted_trees_fit_combinefn(PG_FUNCTION_ARGS)
{
	return crm_expanded_combine(fcinfo, &trees_kind, NULL, "boosted_trees_fit");
}

/* Counts are not negative; which loss there is only the options tell. */
static void
check_counts(const trees_state *state)
{
	double	   *numbers = palloc(sizeof(double) * CRM_COLUMNS_MAX_BLOCK);

	for (Size part = 0; part < crm_columns_parts(&state->rows); part++)
	{
		crm_columns_read(&state->rows, part, state->features, numbers);
		for (uint32 i = 0; i < crm_columns_part_rows(&state->rows, part); i++)
			if (numbers[i] < 0)
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("target of the loss \"poisson\" must not be negative: %s",
								DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(numbers[i])))),
						 errhint("Take \"loss\": \"squared\" for numbers that are not counts.")));
	}
	pfree(numbers);
}

Datum
crm_boosted_trees_fit_finalfn(PG_FUNCTION_ARGS)
{
	MemoryContext old;
	MemoryContext work;
	crm_env		env;
	const trees_state *state;
	crm_trees_options options;
	crm_trees	trees;
	crm_model	m;
	Size		allowed = (Size) crm_training_memory * 1024;
	Size		needed;
	struct varlena *result;

	state = crm_expanded_final(fcinfo, &trees_kind, NULL, "boosted_trees_fit");
	if (state == NULL)
		PG_RETURN_NULL();
	if (state->rows.rows == 0)
		PG_RETURN_NULL();
	work = AllocSetContextCreate(CurrentMemoryContext, "boosting", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	options = read_options(state);
	if (options.loss == CRM_TREES_POISSON)
		check_counts(state);
	needed = crm_trees_fit_bytes(state->rows.rows, state->features) + state->rows.bytes;
	memset(&trees, 0, sizeof(trees));
	crm_progress_begin("boosted_trees_fit", NULL);
	crm_progress_phase("growing trees", "trees", options.trees);
	env = crm_progress_env(work);
	check_fit(state, crm_trees_fit(&env, &state->rows, &options, allowed > state->rows.bytes ? allowed - state->rows.bytes : 0, &trees),
			  needed);
	crm_progress_end();
	crm_check(crm_trees_to_model(&env, &trees, &options, &m), CRM_MODEL_TYPE, false);
	result = scoring_model_value(&m, old);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	PG_RETURN_POINTER(result);
}
