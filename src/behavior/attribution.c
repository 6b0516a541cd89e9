/*
 * attribution.c - the aggregates attribution, attribution_effects and
 * attribution_transitions: which channel earned how much.
 *
 * There are few groups of many journeys, so the state is an expanded object.
 * It keeps sums by the keys that kernel/attribution.h tells, and becomes one
 * crm.agg_state on the way to another process.  The three aggregates differ in
 * their final function only and share one state in a query.
 */
#include "common/crm.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/expanded_state.h"
#include "common/result_rows.h"
#include "funcapi.h"
#include "kernel/attribution.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"

CRM_FUNCTION(crm_attribution_transfn);
CRM_FUNCTION(crm_attribution_combinefn);
CRM_FUNCTION(crm_attribution_finalfn);
CRM_FUNCTION(crm_attribution_effects_finalfn);
CRM_FUNCTION(crm_attribution_transitions_finalfn);

#define ATTRIBUTION_STATE_VERSION 1
#define MAX_METHOD 32
/* The method stands before the sums, padded with zeros. */
#define ATTRIBUTION_STATE_HEADER (CRM_AGG_STATE_HEADER + MAX_METHOD)

typedef struct attribution_state
{
	ExpandedObjectHeader header;
	char		method[MAX_METHOD]; /* as it was written; ends with a zero */
	crm_attribution sums;
} attribution_state;

/* ---- errors ---------------------------------------------------------- */

/* What the kernel says, in the words of attribution. */
static void
check_status(crm_status status)
{
	switch (status)
	{
		case CRM_LIMIT:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many or too long channels or paths for attribution"),
					 errdetail("There may be at most %d channels, their names of at most %d bytes, and %d different parts of paths in one group.",
							   CRM_ATTRIBUTION_MAX_CHANNELS, CRM_ATTRIBUTION_MAX_NAME, CRM_ATTRIBUTION_MAX_KEYS),
					 errhint("Group single pages or campaigns into channels, shorten the paths, or take a lower order of \"markov\".")));
			break;
		case CRM_OUT_OF_RANGE:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("sum of conversions or value is out of range")));
			break;
		default:
			crm_check(status, "crm.agg_state", false);
	}
}

static void
check_answer(crm_status status)
{
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the Markov chain of these paths has no solution within %d rounds", CRM_ATTRIBUTION_MAX_SWEEPS),
				 errdetail("Journeys of this chain go on for very many touches."),
				 errhint("Shorten the paths, or take a lower order of \"markov\".")));
	if (status == CRM_CORRUPT)
		crm_agg_state_damaged("The sums of a state of attribution contradict each other.");
	check_status(status);
}

/* ---- the state ------------------------------------------------------- */

static Size
flat_size(ExpandedObjectHeader *header)
{
	Size		size = ATTRIBUTION_STATE_HEADER + crm_attribution_size(&((attribution_state *) header)->sums);

	crm_check_size(size, "crm.agg_state");
	return size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const attribution_state *state = (const attribution_state *) header;
	char	   *data = ((crm_agg_state *) result)->data;

	crm_agg_state_init(result, size, CRM_STATE_ATTRIBUTION, ATTRIBUTION_STATE_VERSION);
	memcpy(data, state->method, MAX_METHOD);
	crm_attribution_write(&state->sums, (uint8 *) data + MAX_METHOD);
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use);

static const crm_expanded_kind attribution_kind = {{flat_size, flatten_into}, add_flat};

/* A state without journeys; the method is known to be valid. */
static attribution_state *
new_state(MemoryContext parent, const char *method, const crm_attribution_method *parsed)
{
	MemoryContext context = AllocSetContextCreate(parent, "attribution", ALLOCSET_DEFAULT_SIZES);
	attribution_state *state = MemoryContextAllocZero(context, sizeof(attribution_state));
	crm_env		env = crm_env_in(context);

	EOH_init_header(&state->header, &attribution_kind.methods, context);
	strcpy(state->method, method);
	crm_attribution_init(&state->sums, &env, parsed);
	return state;
}

static void
check_method_same(const attribution_state *state, const char *method, Size length)
{
	if (strlen(state->method) != length || memcmp(state->method, method, length) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method of attribution changes within a group: \"%s\", then \"%.*s\"",
						state->method, (int) length, method)));
}

/* Adds the sums of a flat state to one at hand, or to a new one. */
static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use)
{
	attribution_state *state = at_hand;
	crm_agg_state *flat = crm_agg_state_fetch(value, CRM_STATE_ATTRIBUTION, ATTRIBUTION_STATE_VERSION,
											  ATTRIBUTION_STATE_HEADER);
	crm_attribution_method parsed;
	Size		length = strnlen(flat->data, MAX_METHOD);
	uint32		channels;
	crm_status	status;

	if (length == MAX_METHOD || crm_attribution_parse(flat->data, length, &parsed) != CRM_OK)
		crm_agg_state_damaged("The method in a state of attribution is not one.");
	if (state == NULL)
		state = new_state(parent, flat->data, &parsed);
	check_method_same(state, flat->data, length);
	channels = state->sums.channels.count;
	status = crm_attribution_read(&state->sums, (const uint8 *) flat->data + MAX_METHOD,
								  VARSIZE(flat) - ATTRIBUTION_STATE_HEADER);
	if (status == CRM_CORRUPT)
		crm_agg_state_damaged("The sums in a state of attribution are not whole.");
	check_status(status);
	/* The bytes may come from anywhere; names become texts. */
	for (; channels < state->sums.channels.count; channels++)
		if (!pg_verifymbstr(state->sums.channels.entries[channels].text, state->sums.channels.entries[channels].length, true))
			crm_agg_state_damaged("A channel in a state of attribution is not a text of this database's encoding.");
	return state;
}

/* ---- arguments ------------------------------------------------------- */

/* The method of a first row. */
static attribution_state *
first_state(MemoryContext aggcontext, const char *method, Size length)
{
	crm_attribution_method parsed;
	crm_status	status = length < MAX_METHOD ? crm_attribution_parse(method, length, &parsed) : CRM_CORRUPT;
	char		copy[MAX_METHOD] = {0};

	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid parameter in method of attribution \"%.*s\"", (int) length, method),
				 errdetail("The order of \"markov\" is a whole number from 1 to %d, the factor of \"decay\" a number above 0, at most 1.",
						   CRM_ATTRIBUTION_MAX_ORDER)));
	if (status != CRM_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown method of attribution \"%.*s\"",
						pg_mbcliplen(method, (int) length, 64), method),
				 errhint("The methods are first, last, linear, position, decay or decay:FACTOR, markov or markov:ORDER, shapley.")));
	memcpy(copy, method, length);
	return new_state(aggcontext, copy, &parsed);
}

/* A number of journeys or a value: NULL is none, anything but a finite number from 0 on is refused. */
static double
number_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double		number;

	if (PG_ARGISNULL(argument))
		return 0;
	number = PG_GETARG_FLOAT8(argument);
	if (!isfinite(number) || number < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s of a path must be a finite number, 0 or more: %s", name,
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(number))))));
	return number;
}

/* The codes of a path's touches. */
static uint32 *
path_argument(ArrayType *array, crm_attribution *sums, int *length)
{
	Datum	   *touches;
	bool	   *nulls;
	uint32	   *codes;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("path must have one dimension, not %d", ARR_NDIM(array))));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &touches, &nulls, length);
	codes = palloc(sizeof(uint32) * Max(*length, 1));
	for (int i = 0; i < *length; i++)
	{
		text	   *touch = (text *) DatumGetPointer(touches[i]);

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("path must not contain null"),
					 errdetail("Touch %d of the path is null.", i + 1),
					 errhint("Drop such touches with array_remove(path, NULL), or name them.")));
		check_status(crm_attribution_channel(sums, VARDATA_ANY(touch), VARSIZE_ANY_EXHDR(touch), &codes[i]));
	}
	return codes;
}

/* ---- the aggregate's functions --------------------------------------- */

/* attribution_transfn(state, method text, path text[], conversions float8, non_conversions float8, value float8) */
Datum
crm_attribution_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	attribution_state *state;
	text	   *method;
	double		conversions,
				non_conversions,
				value;
	uint32	   *path;
	int			length;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "attribution_transfn called in non-aggregate context");
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("method of attribution must not be null")));
	method = PG_GETARG_TEXT_PP(1);
	if (PG_ARGISNULL(0))
		state = first_state(aggcontext, VARDATA_ANY(method), VARSIZE_ANY_EXHDR(method));
	else
	{
		state = crm_expanded_writable(&attribution_kind, NULL, PG_GETARG_DATUM(0), aggcontext);
		check_method_same(state, VARDATA_ANY(method), VARSIZE_ANY_EXHDR(method));
	}

	/* A journey without a path is not one. */
	if (PG_ARGISNULL(2))
		return EOHPGetRWDatum(&state->header);
	conversions = number_argument(fcinfo, 3, "conversions");
	non_conversions = number_argument(fcinfo, 4, "non_conversions");
	value = number_argument(fcinfo, 5, "value");
	if (value > 0 && conversions == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("path has a value but no conversions"),
				 errdetail("Value is what the conversions of a path were worth together.")));
	path = path_argument(PG_GETARG_ARRAYTYPE_P(2), &state->sums, &length);
	check_status(crm_attribution_add(&state->sums, path, (uint32) length, conversions, non_conversions, value));
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_attribution_combinefn(PG_FUNCTION_ARGS)
{
	return crm_expanded_combine(fcinfo, &attribution_kind, NULL, "attribution");
}

/* The state of a final function, which leaves it as it is; NULL when there were no rows. */
static const attribution_state *
final_state(FunctionCallInfo fcinfo, bool chain_only, const char *name)
{
	const attribution_state *state;

	state = crm_expanded_final(fcinfo, &attribution_kind, NULL, name);
	if (state == NULL)
		return NULL;
	if (chain_only && state->sums.method.rule != CRM_ATTRIBUTION_MARKOV)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs method \"markov\", not \"%s\"", name, state->method),
				 errdetail("Only a Markov chain has transitions and effects of removal.")));
	return state;
}

static Datum
name_datum(const char *name, uint32 length)
{
	return PointerGetDatum(cstring_to_text_with_len(name, (int) length));
}

/* Credits as (channel, conversions, value), or effects as (channel, conversion_effect, value_effect). */
static Datum
credit_rows(FunctionCallInfo fcinfo, const attribution_state *state, bool effects)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_channel_credit *credits = NULL;
	uint32		count = 0;
	crm_result_rows result;

	if (state != NULL)
		check_answer(crm_attribution_credits(&state->sums, &env, &credits, &count));
	result = crm_result_rows_begin(fcinfo, count);
	for (uint32 i = 0; i < count; i++)
	{
		const crm_channel_credit *credit = &credits[i];
		Datum		values[3];
		bool		nulls[3] = {credit->name == NULL, false, false};

		if (credit->name == NULL && effects)
			continue;
		values[0] = credit->name == NULL ? (Datum) 0 : name_datum(credit->name, credit->length);
		values[1] = Float8GetDatum(effects ? credit->conversion_effect : credit->conversions);
		values[2] = Float8GetDatum(effects ? credit->value_effect : credit->value);
		crm_result_rows_add(&result, values, nulls);
	}
	return crm_result_rows_end(&result);
}

/* No rows: no credits. */
Datum
crm_attribution_finalfn(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(credit_rows(fcinfo, final_state(fcinfo, false, "attribution"), false));
}

Datum
crm_attribution_effects_finalfn(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(credit_rows(fcinfo, final_state(fcinfo, true, "attribution_effects"), true));
}

/* The name of a state of the chain: its touches, oldest first. */
static Datum
history_datum(const crm_attribution *sums, const uint32 *history, uint32 length)
{
	StringInfoData name;

	initStringInfo(&name);
	if (length == 0)
		appendStringInfoString(&name, "(start)");
	for (uint32 i = 0; i < length; i++)
	{
		const crm_value_entry *channel = &sums->channels.entries[history[i] - 1];

		if (i > 0)
			appendStringInfoString(&name, " > ");
		appendBinaryStringInfo(&name, channel->text, (int) channel->length);
	}
	return name_datum(name.data, (uint32) name.len);
}

Datum
crm_attribution_transitions_finalfn(PG_FUNCTION_ARGS)
{
	const attribution_state *state = final_state(fcinfo, true, "attribution_transitions");
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_attribution_transition *transitions = NULL;
	uint32		count = 0;
	crm_result_rows result;

	if (state != NULL)
		check_answer(crm_attribution_transitions(&state->sums, &env, &transitions, &count));
	result = crm_result_rows_begin(fcinfo, count);
	for (uint32 i = 0; i < count; i++)
	{
		const crm_attribution_transition *t = &transitions[i];
		const char *end = t->converts ? "(conversion)" : "(null)";
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		CHECK_FOR_INTERRUPTS();
		values[0] = history_datum(&state->sums, t->history, t->history_length);
		if (t->next == 0)
			values[1] = name_datum(end, (uint32) strlen(end));
		else
			values[1] = name_datum(state->sums.channels.entries[t->next - 1].text, state->sums.channels.entries[t->next - 1].length);
		values[2] = Float8GetDatum(t->journeys);
		values[3] = Float8GetDatum(t->probability);
		crm_result_rows_add(&result, values, nulls);
	}
	PG_RETURN_DATUM(crm_result_rows_end(&result));
}
