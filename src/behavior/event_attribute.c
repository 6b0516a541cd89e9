/*
 * event_attribute.c - crm.event_attribute(name, value): one attribute of an event
 * as an object.  Unlike jsonb_build_object it depends on no setting, so that an
 * aggregate over events may run on another server.
 */
#include "behavior/behavior.h"

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

CRM_FUNCTION(crm_event_attribute_text);
CRM_FUNCTION(crm_event_attribute_number);
CRM_FUNCTION(crm_event_attribute_float);
CRM_FUNCTION(crm_event_attribute_boolean);

/* {name: value}; {} for a NULL value. */
static Datum
object_of(FunctionCallInfo fcinfo, JsonbValue *value)
{
	JsonbParseState *state = NULL;
	JsonbValue	key;
	text	   *name;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (value != NULL)
	{
		name = PG_GETARG_TEXT_PP(0);
		key.type = jbvString;
		key.val.string.val = VARDATA_ANY(name);
		key.val.string.len = VARSIZE_ANY_EXHDR(name);
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, value);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

static bool
absent(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the name of an attribute must not be NULL")));
	return PG_ARGISNULL(1);
}

Datum
crm_event_attribute_text(PG_FUNCTION_ARGS)
{
	JsonbValue	value;
	text	   *given;

	if (absent(fcinfo))
		return object_of(fcinfo, NULL);
	given = PG_GETARG_TEXT_PP(1);
	value.type = jbvString;
	value.val.string.val = VARDATA_ANY(given);
	value.val.string.len = VARSIZE_ANY_EXHDR(given);
	return object_of(fcinfo, &value);
}

static Datum
object_of_number(FunctionCallInfo fcinfo, Datum number)
{
	JsonbValue	value;

	if (numeric_is_nan(DatumGetNumeric(number)) || numeric_is_inf(DatumGetNumeric(number)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("attribute of an event is not a finite number")));
	value.type = jbvNumeric;
	value.val.numeric = DatumGetNumeric(number);
	return object_of(fcinfo, &value);
}

Datum
crm_event_attribute_number(PG_FUNCTION_ARGS)
{
	if (absent(fcinfo))
		return object_of(fcinfo, NULL);
	return object_of_number(fcinfo, NumericGetDatum(PG_GETARG_NUMERIC(1)));
}

/* The number's shortest exact text, as refresh_timelines has it, not the 15 digits of the cast to numeric. */
Datum
crm_event_attribute_float(PG_FUNCTION_ARGS)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (absent(fcinfo))
		return object_of(fcinfo, NULL);
	double_to_shortest_decimal_buf(PG_GETARG_FLOAT8(1), text);
	return object_of_number(fcinfo, DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

Datum
crm_event_attribute_boolean(PG_FUNCTION_ARGS)
{
	JsonbValue	value;

	if (absent(fcinfo))
		return object_of(fcinfo, NULL);
	value.type = jbvBool;
	value.val.boolean = PG_GETARG_BOOL(1);
	return object_of(fcinfo, &value);
}
