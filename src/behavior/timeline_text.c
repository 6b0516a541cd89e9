/*
 * timeline_text.c - the text form of crm.timeline: a JSON array of events.
 *
 * The text is parsed by PostgreSQL's own parser of JSON, event by event, into
 * a writer; numbers go through float8 and numeric, so nothing is rounded that
 * those types hold.
 */
#include "behavior/timeline.h"

#include "common/bridge.h"
#include "common/jsonapi.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_timeline_in);
CRM_FUNCTION(crm_timeline_out);

#define FIRST_EVENTS 64
#define SHOWN_BYTES 80

/* ---- times -------------------------------------------------------------- */

/* So many digits as a number, or -1. */
static int
digits(const char *text, int count)
{
	int			number = 0;

	for (int i = 0; i < count; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

/* The form that output writes, four digits of year: the usual case, without the general parser. */
static bool
parse_own_time(const char *text, TimestampTz *at)
{
	int			year = digits(text, 4);
	int			month;
	int			day;
	int			hour;
	int			minute;
	int			second;
	int			fraction = 0;

	if (year < 1 || text[4] != '-' || (month = digits(text + 5, 2)) < 1 || month > 12 ||
		text[7] != '-' || (day = digits(text + 8, 2)) < 1 || day > day_tab[isleap(year)][month - 1] ||
		text[10] != 'T' || (hour = digits(text + 11, 2)) < 0 || hour > 23 ||
		text[13] != ':' || (minute = digits(text + 14, 2)) < 0 || minute > 59 ||
		text[16] != ':' || (second = digits(text + 17, 2)) < 0 || second > 59)
		return false;
	text += 19;
	if (*text == '.')
	{
		int			unit = USECS_PER_SEC;

		for (text++; *text >= '0' && *text <= '9'; text++)
		{
			unit /= 10;
			fraction += (*text - '0') * unit;
			if (unit == 0)
				return false;	/* rounding is the general parser's */
		}
	}
	if (text[0] != 'Z' || text[1] != '\0')
		return false;
	*at = (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY +
		((hour * MINS_PER_HOUR + minute) * INT64CONST(60) + second) * USECS_PER_SEC + fraction;
	return true;
}

typedef enum time_problem
{
	TIME_IS_GOOD, TIME_IS_MALFORMED, TIME_HAS_NO_ZONE, TIME_IS_OUT_OF_RANGE
} time_problem;

/* Any form that timestamptz takes, if it names its zone: else the value would hang on the session's. */
static time_problem
parse_time(const char *text, TimestampTz *at)
{
	char		buffer[MAXDATELEN + MAXDATEFIELDS];
	char	   *field[MAXDATEFIELDS];
	int			type[MAXDATEFIELDS];
	int			fields;
	int			kind;
	struct pg_tm tm;
	fsec_t		fraction;
	int			zone = 0;
	int			error;

	if (parse_own_time(text, at))
		return TIME_IS_GOOD;
	if (ParseDateTime(text, buffer, sizeof(buffer), field, type, MAXDATEFIELDS, &fields) != 0)
		return TIME_IS_MALFORMED;
	error = crm_decode_date_time(field, type, fields, &kind, &tm, &fraction, &zone);
	if (error == DTERR_FIELD_OVERFLOW || error == DTERR_TZDISP_OVERFLOW)
		return TIME_IS_OUT_OF_RANGE;
	if (error != 0)
		return TIME_IS_MALFORMED;

	/* Without a place for a zone, the parser takes only what has none. */
	if (kind != DTK_DATE ||
		ParseDateTime(text, buffer, sizeof(buffer), field, type, MAXDATEFIELDS, &fields) != 0)
		return TIME_IS_MALFORMED;
	{
		struct pg_tm ignored_tm;
		fsec_t		ignored_fraction;

		if (crm_decode_date_time(field, type, fields, &kind, &ignored_tm, &ignored_fraction, NULL) == 0)
			return TIME_HAS_NO_ZONE;
	}
	if (tm2timestamp(&tm, fraction, &zone, at) != 0 || !IS_VALID_TIMESTAMP(*at))
		return TIME_IS_OUT_OF_RANGE;
	return TIME_IS_GOOD;
}

/* 2026-06-01T10:00:00.5Z, for years before our era with BC behind. */
static void
append_time(StringInfo out, TimestampTz at)
{
	int64		day = at / USECS_PER_DAY;
	int64		time = at % USECS_PER_DAY;
	int			year;
	int			month;
	int			mday;
	int			fraction;

	if (time < 0)
	{
		time += USECS_PER_DAY;
		day--;
	}
	j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	appendStringInfo(out, "%04d-%02d-%02dT%02d:%02d:%02d", year > 0 ? year : 1 - year, month, mday,
					 (int) (time / USECS_PER_HOUR), (int) (time / USECS_PER_MINUTE % 60), (int) (time / USECS_PER_SEC % 60));
	fraction = time % USECS_PER_SEC;
	if (fraction != 0)
	{
		appendStringInfo(out, ".%06d", fraction);
		while (out->data[out->len - 1] == '0')
			out->data[--out->len] = '\0';
	}
	appendStringInfoString(out, year > 0 ? "Z" : "Z BC");
}

/* ---- input -------------------------------------------------------------- */

typedef struct timeline_reader
{
	const char *text;
	crm_timeline_writer *writer;
	crm_timeline_event *events;
	Size		count;
	Size		room;
	int			depth;			/* 1 in the list, 2 in an event, 3 in its attributes */
	int			place;			/* of the element in its event, from 1 */
	crm_timeline_event event;	/* the one being read */
	crm_attribute attributes[CRM_TIMELINE_MAX_CHANNELS];
	int			attribute_count;
} timeline_reader;

static void CRM_NORETURN
malformed(const timeline_reader *reader, const char *detail)
{
	int			length = strlen(reader->text);
	int			shown = pg_mbcliplen(reader->text, length, SHOWN_BYTES);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.*s%s\"", CRM_TIMELINE_TYPE,
					shown, reader->text, shown < length ? "..." : ""),
			 reader->depth == 0 ? errdetail("%s", detail) :
			 errdetail("Event %zu: %s", reader->count + 1, detail),
			 errhint("A timeline is written [[\"2026-06-01T10:00:00Z\",\"order\",19.9,{\"channel\":\"app\"}]]: time, name, value or null, attributes; the last two may be left out.")));
}

/* An error that has a state of its own, at the event it comes from. */
static void CRM_NORETURN
refuse_event(const timeline_reader *reader, int code, const char *message, const char *value)
{
	int			shown = pg_mbcliplen(value, strlen(value), SHOWN_BYTES);

	ereport(ERROR,
			(errcode(code),
			 errmsg("%s: \"%.*s\"", message, shown, value),
			 errdetail("Event %zu of a value for type %s.", reader->count + 1, CRM_TIMELINE_TYPE)));
}

static void
read_time(timeline_reader *reader, const char *text)
{
	TimestampTz at = 0;

	switch (parse_time(text, &at))
	{
		case TIME_IS_GOOD:
			break;
		case TIME_IS_MALFORMED:
			malformed(reader, psprintf("\"%.*s\" is not a time.", pg_mbcliplen(text, strlen(text), SHOWN_BYTES), text));
			break;
		case TIME_HAS_NO_ZONE:
			malformed(reader, psprintf("The time \"%.*s\" has no zone.", pg_mbcliplen(text, strlen(text), SHOWN_BYTES), text));
			break;
		case TIME_IS_OUT_OF_RANGE:
			refuse_event(reader, ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "time of an event is out of range", text);
			break;
	}
	reader->event.at = at;
}

static void
read_name(timeline_reader *reader, const char *name)
{
	crm_status	status = crm_timeline_writer_name(reader->writer, (crm_text) {name, strlen(name)}, &reader->event.name);

	if (status == CRM_LIMIT && strlen(name) > CRM_TIMELINE_MAX_NAME)
		refuse_event(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "name of an event is longer than 1023 bytes", name);
	crm_check(status, CRM_TIMELINE_TYPE, false);
}

static void
read_attribute(timeline_reader *reader, const char *token, JsonTokenType type)
{
	crm_attribute_value *value = &reader->attributes[reader->attribute_count - 1].value;

	value->text = (crm_text) {NULL, 0};
	switch (type)
	{
		case JSON_TOKEN_NULL:
			value->kind = CRM_ATTRIBUTE_NULL;
			break;
		case JSON_TOKEN_TRUE:
			value->kind = CRM_ATTRIBUTE_TRUE;
			break;
		case JSON_TOKEN_FALSE:
			value->kind = CRM_ATTRIBUTE_FALSE;
			break;
		case JSON_TOKEN_NUMBER:
			{
				Datum		number = DirectFunctionCall3(numeric_in, CStringGetDatum(token),
														 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
				char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, number));

				value->kind = CRM_ATTRIBUTE_NUMBER;
				value->text = (crm_text) {text, strlen(text)};
			}
			break;
		default:
			value->kind = CRM_ATTRIBUTE_TEXT;
			value->text = (crm_text) {token, strlen(token)};
	}
}

static CRM_JSON_ACTION
array_start(void *arg)
{
	timeline_reader *reader = arg;

	if (reader->depth == 2)
		malformed(reader, "An array stands where there should be a text, number or object.");
	if (reader->depth == 3)
		malformed(reader, "An attribute is nested.");
	if (++reader->depth == 2)
	{
		reader->place = 0;
		memset(&reader->event, 0, sizeof(reader->event));
		CHECK_FOR_INTERRUPTS();
	}
	CRM_JSON_CONTINUE();
}

static CRM_JSON_ACTION
array_end(void *arg)
{
	timeline_reader *reader = arg;

	if (reader->depth == 2)
	{
		if (reader->place < 2)
			malformed(reader, "It has no name.");
		if (reader->count == reader->room)
		{
			reader->room *= 2;
			reader->events = repalloc_huge(reader->events, reader->room * sizeof(crm_timeline_event));
		}
		reader->events[reader->count++] = reader->event;
	}
	reader->depth--;
	CRM_JSON_CONTINUE();
}

static CRM_JSON_ACTION
array_element_start(void *arg, bool isnull)
{
	timeline_reader *reader = arg;

	if (reader->depth == 2 && ++reader->place > 4)
		malformed(reader, "It has more than four elements.");
	CRM_JSON_CONTINUE();
}

static CRM_JSON_ACTION
object_start(void *arg)
{
	timeline_reader *reader = arg;

	if (reader->depth < 2)
		malformed(reader, reader->depth == 0 ? "A timeline is an array of events." : "It is no array.");
	if (reader->depth == 3)
		malformed(reader, "An attribute is nested.");
	if (reader->place != 4)
		malformed(reader, "Attributes must be the fourth element.");
	reader->depth = 3;
	reader->attribute_count = 0;
	CRM_JSON_CONTINUE();
}

static CRM_JSON_ACTION
object_end(void *arg)
{
	timeline_reader *reader = arg;

	crm_check(crm_timeline_writer_attributes(reader->writer, reader->attributes, reader->attribute_count,
											 &reader->event.attributes), CRM_TIMELINE_TYPE, false);
	reader->depth = 2;
	CRM_JSON_CONTINUE();
}

static CRM_JSON_ACTION
object_field_start(void *arg, char *name, bool isnull)
{
	timeline_reader *reader = arg;
	Size		size = strlen(name);

	for (int i = 0; i < reader->attribute_count; i++)
		if (reader->attributes[i].name.size == size && memcmp(reader->attributes[i].name.data, name, size) == 0)
			malformed(reader, psprintf("The attribute \"%s\" stands twice.", name));
	if (size > CRM_TIMELINE_MAX_NAME)
		refuse_event(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "name of an attribute is longer than 1023 bytes", name);
	if (reader->attribute_count == CRM_TIMELINE_MAX_CHANNELS)
		refuse_event(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "attribute beyond the 64 that an event may have", name);
	reader->attributes[reader->attribute_count++].name = (crm_text) {name, size};
	CRM_JSON_CONTINUE();
}

static CRM_JSON_ACTION
scalar(void *arg, char *token, JsonTokenType type)
{
	timeline_reader *reader = arg;

	if (reader->depth < 2)
		malformed(reader, reader->depth == 0 ? "A timeline is an array of events." : "It is no array.");
	if (reader->depth == 3)
		read_attribute(reader, token, type);
	else if (reader->place == 1)
	{
		if (type != JSON_TOKEN_STRING)
			malformed(reader, "The time, its first element, must be a text.");
		read_time(reader, token);
	}
	else if (reader->place == 2)
	{
		if (type != JSON_TOKEN_STRING)
			malformed(reader, "The name, its second element, must be a text.");
		read_name(reader, token);
	}
	else if (reader->place == 3)
	{
		if (type != JSON_TOKEN_NUMBER && type != JSON_TOKEN_NULL)
			malformed(reader, "The value, its third element, must be a number or null.");
		if (type == JSON_TOKEN_NUMBER)
		{
			reader->event.value = DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(token)));
			reader->event.has_value = true;
		}
	}
	else
		malformed(reader, "The attributes, its fourth element, must be an object.");
	CRM_JSON_CONTINUE();
}

/* What is no JSON at all, with the place where the parser stopped. */
static void CRM_NORETURN
not_json(const timeline_reader *reader, JsonParseErrorType error, JsonLexContext *lexer)
{
	int			length = strlen(reader->text);
	int			shown = pg_mbcliplen(reader->text, length, SHOWN_BYTES);
	const char *at = lexer->token_start == NULL ? lexer->input + length : lexer->token_start;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.*s%s\"", CRM_TIMELINE_TYPE,
					shown, reader->text, shown < length ? "..." : ""),
			 errdetail("%s (at byte %lld)", json_errdetail(error, lexer), (long long) (at - lexer->input + 1)),
			 errhint("A timeline is a JSON array of events, each an array.")));
}

Datum
crm_timeline_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	crm_timeline_writer **slot = behavior_cache(fcinfo, sizeof(crm_timeline_writer *));
	timeline_reader reader = {.text = text,.room = FIRST_EVENTS};
	JsonSemAction actions = {
		.semstate = &reader,
		.object_start = object_start,
		.object_end = object_end,
		.array_start = array_start,
		.array_end = array_end,
		.object_field_start = object_field_start,
		.array_element_start = array_element_start,
		.scalar = scalar
	};
	JsonLexContext *lexer = crm_json_lexer(text, strlen(text), GetDatabaseEncoding());
	JsonParseErrorType error;

	reader.writer = behavior_writer(fcinfo, slot);
	reader.events = palloc(reader.room * sizeof(crm_timeline_event));
	error = pg_parse_json(lexer, &actions);
	if (error != JSON_SUCCESS)
		not_json(&reader, error, lexer);
	PG_RETURN_DATUM(behavior_timeline_write(reader.writer, reader.events, reader.count, false));
}

/* ---- output ------------------------------------------------------------- */

/* A text as JSON writes it. */
static void
append_text(StringInfo out, crm_text text)
{
	char	   *terminated = pnstrdup(text.data, text.size);

	escape_json(out, terminated);
	pfree(terminated);
}

static void
append_attribute(StringInfo out, const crm_attribute_value *value)
{
	switch (value->kind)
	{
		case CRM_ATTRIBUTE_NULL:
			appendStringInfoString(out, "null");
			break;
		case CRM_ATTRIBUTE_FALSE:
			appendStringInfoString(out, "false");
			break;
		case CRM_ATTRIBUTE_TRUE:
			appendStringInfoString(out, "true");
			break;
		case CRM_ATTRIBUTE_NUMBER:
			appendBinaryStringInfo(out, value->text.data, value->text.size);
			break;
		case CRM_ATTRIBUTE_TEXT:
			append_text(out, value->text);
			break;
	}
}

/* The attributes of an event as an object; false if it has none, and then nothing is written. */
static bool
append_attributes(StringInfo out, const behavior_attribute_reader *reader, size_t index, const char *before)
{
	bool		any = false;

	for (uint32 c = 0; c < reader->channels; c++)
	{
		uint32		code = crm_timeline_channel_code(&reader->channel[c], index);

		if (code == 0)
			continue;
		appendStringInfoString(out, any ? "," : before);
		append_text(out, reader->channel[c].name);
		appendStringInfoChar(out, ':');
		append_attribute(out, &reader->values[c][code - 1]);
		any = true;
	}
	if (any)
		appendStringInfoChar(out, '}');
	return any;
}

Datum
crm_timeline_out(PG_FUNCTION_ARGS)
{
	crm_timeline timeline;
	crm_timeline_cursor cursor;
	crm_timeline_values values;
	behavior_attribute_reader attributes;
	crm_text   *names;
	char	  **escaped;
	StringInfoData out;

	behavior_timeline_open(PG_GETARG_DATUM(0), &timeline);
	initStringInfo(&out);
	names = palloc(Max(timeline.names, 1) * sizeof(crm_text));
	escaped = palloc0(Max(timeline.names, 1) * sizeof(char *));
	if (timeline.count > 0)
		crm_timeline_names(&timeline, names);
	for (uint32 code = 0; code < timeline.names; code++)
	{
		StringInfoData name;

		initStringInfo(&name);
		append_text(&name, names[code]);
		escaped[code] = name.data;
	}
	crm_timeline_values_begin(&timeline, &values);
	behavior_attributes_begin(&timeline, &attributes);
	crm_timeline_begin(&timeline, &cursor);

	appendStringInfoChar(&out, '[');
	while (crm_timeline_next(&cursor))
	{
		double		value;
		bool		has_value = crm_timeline_value(&values, cursor.index, &value);

		if (cursor.index % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		appendStringInfoString(&out, cursor.index == 0 ? "[\"" : ",[\"");
		append_time(&out, cursor.at);
		appendStringInfoString(&out, "\",");
		appendStringInfoString(&out, escaped[cursor.code]);
		if (has_value)
		{
			enlargeStringInfo(&out, DOUBLE_SHORTEST_DECIMAL_LEN + 1);
			appendStringInfoChar(&out, ',');
			out.len += double_to_shortest_decimal_bufn(value, out.data + out.len);
		}
		append_attributes(&out, &attributes, cursor.index, has_value ? ",{" : ",null,{");
		appendStringInfoChar(&out, ']');
	}
	appendStringInfoChar(&out, ']');
	PG_RETURN_CSTRING(out.data);
}
