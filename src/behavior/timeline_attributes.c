/*
 * timeline_attributes.c - an event's attributes as jsonb, there and back.
 */
#include "behavior/timeline.h"

#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static void
refuse_nested(const JsonbValue *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("attribute \"%.*s\" of an event is nested", key->val.string.len, key->val.string.val),
			 errdetail("An attribute is a text, a number, true, false or null."),
			 errhint("Give the parts names of their own, or write the whole as text.")));
}

static void
check_name(const JsonbValue *key)
{
	if (key->val.string.len > CRM_TIMELINE_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("name of an attribute is too long: %d bytes", key->val.string.len),
				 errdetail("It has at most %d bytes.", CRM_TIMELINE_MAX_NAME)));
}

int
behavior_attributes(Jsonb *object, crm_attribute *attributes)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	int			count = 0;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attributes of an event must be a JSON object"),
				 errhint("Write them as in '{\"channel\": \"app\", \"items\": 3}'.")));
	if (JB_ROOT_COUNT(object) > CRM_TIMELINE_MAX_CHANNELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many attributes of one event: %d", (int) JB_ROOT_COUNT(object)),
				 errdetail("There may be at most %d.", CRM_TIMELINE_MAX_CHANNELS)));

	iterator = JsonbIteratorInit(&object->root);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		crm_attribute *attribute = &attributes[count];

		if (token != WJB_KEY)
			continue;
		check_name(&key);
		attribute->name = (crm_text) {key.val.string.val, key.val.string.len};
		attribute->value.text = (crm_text) {NULL, 0};
		(void) JsonbIteratorNext(&iterator, &value, true);
		switch (value.type)
		{
			case jbvNull:
				attribute->value.kind = CRM_ATTRIBUTE_NULL;
				break;
			case jbvBool:
				attribute->value.kind = value.val.boolean ? CRM_ATTRIBUTE_TRUE : CRM_ATTRIBUTE_FALSE;
				break;
			case jbvNumeric:
				{
					char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));

					attribute->value.kind = CRM_ATTRIBUTE_NUMBER;
					attribute->value.text = (crm_text) {text, strlen(text)};
				}
				break;
			case jbvString:
				attribute->value.kind = CRM_ATTRIBUTE_TEXT;
				attribute->value.text = (crm_text) {value.val.string.val, value.val.string.len};
				break;
			default:
				refuse_nested(&key);
		}
		count++;
	}
	return count;
}

void
behavior_attributes_begin(const crm_timeline *timeline, behavior_attribute_reader *reader)
{
	reader->channels = timeline->channels;
	reader->channel = palloc(Max(timeline->channels, 1) * sizeof(crm_timeline_channel));
	reader->values = palloc(Max(timeline->channels, 1) * sizeof(crm_attribute_value *));
	if (timeline->channels == 0)
		return;
	crm_timeline_channels(timeline, reader->channel);
	for (uint32 c = 0; c < reader->channels; c++)
	{
		reader->values[c] = MemoryContextAllocHuge(CurrentMemoryContext,
												   Max(reader->channel[c].values, 1) * sizeof(crm_attribute_value));
		crm_timeline_channel_values(&reader->channel[c], reader->values[c]);
	}
}

static void
set_string(JsonbValue *value, crm_text text)
{
	value->type = jbvString;
	value->val.string.val = unconstify(char *, text.data);
	value->val.string.len = text.size;
}

static void
set_value(JsonbValue *value, const crm_attribute_value *attribute)
{
	switch (attribute->kind)
	{
		case CRM_ATTRIBUTE_NULL:
			value->type = jbvNull;
			break;
		case CRM_ATTRIBUTE_FALSE:
		case CRM_ATTRIBUTE_TRUE:
			value->type = jbvBool;
			value->val.boolean = attribute->kind == CRM_ATTRIBUTE_TRUE;
			break;
		case CRM_ATTRIBUTE_NUMBER:
			value->type = jbvNumeric;
			value->val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in,
																	 CStringGetDatum(pnstrdup(attribute->text.data, attribute->text.size)),
																	 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
			break;
		case CRM_ATTRIBUTE_TEXT:
			set_string(value, attribute->text);
			break;
	}
}

Jsonb *
behavior_event_attributes(const behavior_attribute_reader *reader, size_t index)
{
	JsonbParseState *state = NULL;
	JsonbValue *object;

	for (uint32 c = 0; c < reader->channels; c++)
	{
		uint32		code = crm_timeline_channel_code(&reader->channel[c], index);
		JsonbValue	key;
		JsonbValue	value;

		if (code == 0)
			continue;
		if (state == NULL)
			pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		set_string(&key, reader->channel[c].name);
		set_value(&value, &reader->values[c][code - 1]);
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	if (state == NULL)
		return NULL;
	object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(object);
}
