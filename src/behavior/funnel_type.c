/*
 * funnel_type.c - the type crm.funnel: what one customer's way through a
 * funnel was.
 *
 * The text form is JSON with times in UTC, the same whatever the session's
 * settings are:
 *
 *   {"steps": 3, "paths": [{"times": ["2026-06-01T10:00:00+00:00"]}]}
 *
 * "by" lists what else each path has: period, attribute.
 */
#include "behavior/funnel.h"

#include "common/bridge.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_funnel_in);
CRM_FUNCTION(crm_funnel_out);
CRM_FUNCTION(crm_funnel_recv);
CRM_FUNCTION(crm_funnel_send);

/* ---- stored form ---------------------------------------------------------- */

/* Reads everything; false for bytes that no writer wrote. */
static bool
read_bytes(const char *bytes, Size size, funnel *f)
{
	crm_funnel_reader reader;

	if (crm_funnel_open(&reader, bytes, size) != CRM_OK)
		return false;
	f->head = reader.head;
	f->count = reader.left;
	f->entries = MemoryContextAllocHuge(CurrentMemoryContext, Max(f->count, 1) * sizeof(crm_funnel_entry));
	for (int i = 0; i < f->count; i++)
	{
		crm_funnel_entry *entry = &f->entries[i];

		if (crm_funnel_read(&reader, entry) != CRM_OK)
			return false;
		if (!IS_VALID_TIMESTAMP(entry->times[0]) || !IS_VALID_TIMESTAMP(entry->times[entry->level - 1]) ||
			!IS_VALID_TIMESTAMP(entry->period))
			return false;
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

funnel *
funnel_fetch(Datum value)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);
	funnel	   *f = palloc(sizeof(funnel));

	if (!read_bytes(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), f))
		crm_check(CRM_CORRUPT, "crm.funnel", false);
	return f;
}

struct varlena *
funnel_write(const funnel *f)
{
	Size		most = VARHDRSZ + CRM_FUNNEL_HEAD_SIZE;
	Size		size = VARHDRSZ;
	struct varlena *value;

	for (int i = 0; i < f->count; i++)
		most += CRM_FUNNEL_ENTRY_SIZE(f->entries[i].level, f->entries[i].label_length);
	crm_check_size(most, "crm.funnel");
	value = palloc(most);
	size += crm_funnel_put_head((uint8_t *) VARDATA(value), &f->head, f->count);
	for (int i = 0; i < f->count; i++)
		size += crm_funnel_put_entry((uint8_t *) value + size, &f->head, &f->entries[i]);
	SET_VARSIZE(value, size);
	return value;
}

const crm_funnel_entry *
funnel_best(const funnel *f)
{
	const crm_funnel_entry *best = NULL;

	/* Starts of different periods differ, so the start decides. */
	for (int i = 0; i < f->count; i++)
		if (best == NULL || f->entries[i].level > best->level ||
			(f->entries[i].level == best->level && f->entries[i].times[0] < best->times[0]))
			best = &f->entries[i];
	return best;
}

Interval *
funnel_interval(uint64 width)
{
	Interval   *interval = palloc(sizeof(Interval));

	interval->month = 0;
	interval->day = width / USECS_PER_DAY;
	interval->time = width % USECS_PER_DAY;
	return interval;
}

/* ---- text ----------------------------------------------------------------- */

static void
append_time(StringInfo text, TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char		buffer[MAXDATELEN + 1];

	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		crm_check(CRM_CORRUPT, "crm.funnel", false);
	tm.tm_isdst = 0;
	EncodeDateTime(&tm, fsec, true, 0, NULL, USE_XSD_DATES, buffer);
	appendStringInfo(text, "\"%s\"", buffer);
}

Datum
crm_funnel_out(PG_FUNCTION_ARGS)
{
	const funnel *f = funnel_fetch(PG_GETARG_DATUM(0));
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "{\"steps\": %d", f->head.steps);
	if (f->head.periods || f->head.breakdown)
		appendStringInfo(&text, ", \"by\": [%s%s%s]", f->head.periods ? "\"period\"" : "",
						 f->head.periods && f->head.breakdown ? ", " : "", f->head.breakdown ? "\"attribute\"" : "");
	appendStringInfoString(&text, ", \"paths\": [");
	for (int i = 0; i < f->count; i++)
	{
		const crm_funnel_entry *entry = &f->entries[i];

		appendStringInfoString(&text, i > 0 ? ", {" : "{");
		if (f->head.periods)
		{
			appendStringInfoString(&text, "\"period\": ");
			append_time(&text, entry->period);
			appendStringInfoString(&text, ", ");
		}
		if (f->head.breakdown)
		{
			appendStringInfoString(&text, "\"attribute\": ");
			if (entry->label == NULL)
				appendStringInfoString(&text, "null");
			else
				escape_json(&text, pnstrdup(entry->label, entry->label_length));
			appendStringInfoString(&text, ", ");
		}
		appendStringInfoString(&text, "\"times\": [");
		for (int k = 0; k < entry->level; k++)
		{
			if (k > 0)
				appendStringInfoString(&text, ", ");
			append_time(&text, entry->times[k]);
		}
		appendStringInfoString(&text, "]}");
	}
	appendStringInfoString(&text, "]}");
	PG_RETURN_CSTRING(text.data);
}

static void
bad_text(const char *text, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type crm.funnel: \"%.*s\"", pg_mbcliplen(text, (int) strlen(text), 200), text),
			 errdetail("%s", detail),
			 errhint("Write {\"steps\": 2, \"paths\": [{\"times\": [\"2026-06-01T10:00:00+00:00\"]}]}, with \"by\" where paths have a period or an attribute.")));
}

static bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

/* A key's value; the number of those found is counted, so that unknown ones are noticed. */
static JsonbValue *
take_key(JsonbContainer *object, const char *key, int *found)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	if (value != NULL)
		(*found)++;
	return value;
}

static TimestampTz
take_text_time(const char *text, const JsonbValue *value)
{
	TimestampTz at;

	if (value == NULL || value->type != jbvString)
		bad_text(text, "A time is missing or is not a string.");
	at = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(pnstrdup(value->val.string.val, value->val.string.len)),
												 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	if (!IS_VALID_TIMESTAMP(at))
		bad_text(text, "A time is not finite.");
	return at;
}

static void
take_path(const char *text, JsonbContainer *object, const crm_funnel_head *head, crm_funnel_entry *entry)
{
	int			found = 0;
	JsonbValue *period = take_key(object, "period", &found);
	JsonbValue *attribute = take_key(object, "attribute", &found);
	JsonbValue *times = take_key(object, "times", &found);

	memset(entry, 0, offsetof(crm_funnel_entry, times));
	if (found != JsonContainerSize(object))
		bad_text(text, "A path has an unknown key; known are period, attribute, times.");
	if ((period != NULL) != head->periods || (attribute != NULL) != head->breakdown)
		bad_text(text, "\"by\" does not list what a path has.");
	if (period != NULL)
		entry->period = take_text_time(text, period);
	if (attribute != NULL && attribute->type == jbvString)
	{
		entry->label = attribute->val.string.val;
		entry->label_length = attribute->val.string.len;
	}
	else if (attribute != NULL && attribute->type != jbvNull)
		bad_text(text, "An attribute is neither a string nor null.");
	if (times == NULL || !is_array(times))
		bad_text(text, "A path has no times.");
	entry->level = Min(JsonContainerSize(times->val.binary.data), CRM_MAX_CONDITIONS + 1);
	if (entry->level < 1 || entry->level > head->steps)
		bad_text(text, "A path has no times, or more than there are steps.");
	for (int i = 0; i < entry->level; i++)
	{
		entry->times[i] = take_text_time(text, getIthJsonbValueFromContainer(times->val.binary.data, i));
		if (i > 0 && entry->times[i] < entry->times[i - 1])
			bad_text(text, "The times of a path do not ascend.");
	}
}

Datum
crm_funnel_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	Jsonb	   *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	JsonbValue *steps,
			   *by,
			   *paths;
	funnel		f = {{0}};
	int			found = 0;

	if (!JB_ROOT_IS_OBJECT(json))
		bad_text(text, "It is not a JSON object.");
	steps = take_key(&json->root, "steps", &found);
	by = take_key(&json->root, "by", &found);
	paths = take_key(&json->root, "paths", &found);
	if (found != JB_ROOT_COUNT(json))
		bad_text(text, "There is an unknown key; known are steps, by, paths.");
	if (steps == NULL || steps->type != jbvNumeric)
		bad_text(text, "The number of steps is missing.");
	else
	{
		float8		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(steps->val.numeric)));

		if (!(number >= 1 && number <= CRM_MAX_CONDITIONS) || number != (int) number)
			bad_text(text, "The number of steps is not a whole number from 1 to 64.");
		f.head.steps = (int) number;
	}
	if (by != NULL && !is_array(by))
		bad_text(text, "\"by\" is not an array.");
	for (uint32 i = 0; by != NULL && i < JsonContainerSize(by->val.binary.data); i++)
	{
		JsonbValue *name = getIthJsonbValueFromContainer(by->val.binary.data, i);
		bool	   *place = NULL;

		if (name->type == jbvString && name->val.string.len == 6 && memcmp(name->val.string.val, "period", 6) == 0)
			place = &f.head.periods;
		else if (name->type == jbvString && name->val.string.len == 9 && memcmp(name->val.string.val, "attribute", 9) == 0)
			place = &f.head.breakdown;
		if (place == NULL || *place)
			bad_text(text, "\"by\" lists \"period\" and \"attribute\", each once at most.");
		*place = true;
	}
	if (paths == NULL || !is_array(paths))
		bad_text(text, "The array of paths is missing.");
	f.count = JsonContainerSize(paths->val.binary.data);
	if (f.count > 1 && !f.head.periods)
		bad_text(text, "There are several paths, but no periods.");
	f.entries = MemoryContextAllocHuge(CurrentMemoryContext, Max(f.count, 1) * sizeof(crm_funnel_entry));
	for (int i = 0; i < f.count; i++)
	{
		JsonbValue *path = getIthJsonbValueFromContainer(paths->val.binary.data, i);

		if (!is_object(path))
			bad_text(text, "A path is not an object.");
		take_path(text, path->val.binary.data, &f.head, &f.entries[i]);
		if (i > 0 && f.entries[i].period <= f.entries[i - 1].period)
			bad_text(text, "The periods do not ascend.");
	}
	PG_RETURN_POINTER(funnel_write(&f));
}

/* ---- binary: the stored form, whose numbers are little-endian everywhere --- */

Datum
crm_funnel_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendbytes(&buffer, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

Datum
crm_funnel_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buffer = (StringInfo) PG_GETARG_POINTER(0);
	int			size = buffer->len - buffer->cursor;
	struct varlena *value = palloc(size + VARHDRSZ);
	funnel		f;

	SET_VARSIZE(value, size + VARHDRSZ);
	pq_copymsgbytes(buffer, VARDATA(value), size);
	if (!read_bytes(VARDATA(value), size, &f))
		crm_check(CRM_CORRUPT, "crm.funnel", true);
	for (int i = 0; i < f.count; i++)
		pg_verifymbstr(f.entries[i].label == NULL ? "" : f.entries[i].label, f.entries[i].label_length, false);
	PG_RETURN_POINTER(value);
}
