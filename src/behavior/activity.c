/*
 * activity.c - the type crm.activity: reading and writing it, text and binary
 * form, merging, its periods as rows.
 */
#include "behavior/activity.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/datetime.h"

CRM_FUNCTION(crm_activity_in);
CRM_FUNCTION(crm_activity_out);
CRM_FUNCTION(crm_activity_recv);
CRM_FUNCTION(crm_activity_send);
CRM_FUNCTION(crm_activity_merge);
CRM_FUNCTION(crm_periods);

#define FIRST_ROOM 256

static const char *const period_names[] = {"", "day", "week", "month", "quarter", "year", "24 hours"};

void
activity_damaged(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("damaged value of type crm.activity"),
			 errdetail("%s", detail)));
}

/* NULL, or what is wrong with the head, whose bytes end somewhere before end. */
static const char *
check_head(const uint8 *bytes, Size size)
{
	if (size < ACTIVITY_HEAD || bytes[0] != ACTIVITY_VERSION)
		return "The version is not known.";
	if (bytes[1] < ACTIVITY_DAY || bytes[1] > ACTIVITY_24_HOURS || bytes[2] < 1 || bytes[2] > 7 ||
		(bytes[1] != ACTIVITY_WEEK && bytes[2] != 1))
		return "The kind of period is not known.";
	if (bytes[3] == 0 || (Size) bytes[3] > size - ACTIVITY_HEAD)
		return "The name of the zone is too long.";
	return NULL;
}

bool
activity_head_is_valid(const uint8 *head, Size size)
{
	return check_head(head, size) == NULL && size == ACTIVITY_HEAD + (Size) head[3];
}

static void
open_bytes(const uint8 *bytes, Size size, activity *a)
{
	const char *wrong = check_head(bytes, size);
	uint64		anchor;

	if (wrong)
		activity_damaged(wrong);
	a->bytes = bytes;
	a->head_size = ACTIVITY_HEAD + bytes[3];
	a->next = bytes + a->head_size;
	a->end = bytes + size;
	a->any = a->next < a->end;
	a->begun = false;
	a->anchor = 0;
	a->number = 0;
	a->marks = 0;
	if (a->any && bytes[1] == ACTIVITY_24_HOURS)
	{
		if (!activity_varint(&a->next, a->end, &anchor))
			activity_damaged("An entry does not end.");
		a->anchor = activity_unzigzag(anchor);
		if (a->anchor > ACTIVITY_MAX_NUMBER || a->anchor < -ACTIVITY_MAX_NUMBER)
			activity_damaged("A period is out of its range.");
	}
}

void
activity_open(Datum value, activity *a)
{
	const struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

	open_bytes((const uint8 *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), a);
}

/* ---- writing ------------------------------------------------------------- */

static inline uint8 *
make_room(activity_writer *writer, Size more)
{
	if (writer->size + more > writer->room)
	{
		Size		room = Max(writer->room * 2, Max(writer->size + more, FIRST_ROOM));

		crm_check_size(room, "crm.activity");
		if (writer->bytes == NULL)
			writer->bytes = MemoryContextAlloc(writer->context, room);
		else
			writer->bytes = repalloc(writer->bytes, room);
		writer->room = room;
	}
	return writer->bytes + writer->size;
}

static void
write_varint(activity_writer *writer, uint64 value)
{
	uint8	   *p = make_room(writer, 10);

	while (value >= 0x80)
	{
		*p++ = (uint8) value | 0x80;
		value >>= 7;
	}
	*p++ = (uint8) value;
	writer->size = p - writer->bytes;
}

static inline uint64
zigzag(int64 value)
{
	return ((uint64) value << 1) ^ (uint64) (value >> 63);
}

void
activity_write_head(activity_writer *writer, const uint8 *head, Size size)
{
	writer->size = 0;
	writer->begun = false;
	memcpy(make_room(writer, VARHDRSZ + size) + VARHDRSZ, head, size);
	writer->size = VARHDRSZ + size;
}

void
activity_write_anchor(activity_writer *writer, int64 anchor)
{
	write_varint(writer, zigzag(anchor));
}

void
activity_write_entry(activity_writer *writer, int64 number, unsigned marks)
{
	uint64		entry = (writer->begun ? (uint64) (number - writer->number) : zigzag(number)) << 2 | marks;

	/* The usual case: one byte, and there is place. */
	if (entry < 0x80 && writer->size < writer->room)
		writer->bytes[writer->size++] = (uint8) entry;
	else
		write_varint(writer, entry);
	writer->begun = true;
	writer->number = number;
}

Datum
activity_written(activity_writer *writer)
{
	struct varlena *value = palloc(writer->size);

	memcpy(value, writer->bytes, writer->size);
	SET_VARSIZE(value, writer->size);
	return PointerGetDatum(value);
}

/* ---- periods --------------------------------------------------------------- */

behavior_period
activity_calendar_period(activity_period period)
{
	switch (period)
	{
		case ACTIVITY_WEEK:
			return BEHAVIOR_WEEK;
		case ACTIVITY_MONTH:
			return BEHAVIOR_MONTH;
		case ACTIVITY_QUARTER:
			return BEHAVIOR_QUARTER;
		case ACTIVITY_YEAR:
			return BEHAVIOR_YEAR;
		default:
			return BEHAVIOR_DAY;
	}
}

const char *
activity_period_name(const uint8 *head)
{
	if (head[1] == ACTIVITY_WEEK && head[2] != 1)
		return psprintf("week:%d", head[2]);
	return period_names[head[1]];
}

void
activity_dates(const uint8 *head, behavior_calendar *calendar)
{
	text	   *utc = cstring_to_text("UTC");

	behavior_calendar_set(calendar, activity_calendar_period((activity_period) head[1]), utc, head[2]);
	pfree(utc);
}

/* 'day', 'week', 'week:7' ... as period and first day of the week; false for something else. */
static bool
parse_period(const char *data, Size size, activity_period *period, int *week_start)
{
	*week_start = 1;
	if (size == 6 && memcmp(data, "week:", 5) == 0 && data[5] >= '1' && data[5] <= '7')
	{
		*period = ACTIVITY_WEEK;
		*week_start = data[5] - '0';
		return true;
	}
	for (int i = ACTIVITY_DAY; i <= ACTIVITY_24_HOURS; i++)
	{
		if (strlen(period_names[i]) == size && memcmp(period_names[i], data, size) == 0)
		{
			*period = (activity_period) i;
			return true;
		}
	}
	return false;
}

void
activity_maker_set(activity_maker *maker, const text *period, const text *zone)
{
	const char *data = VARDATA_ANY(period);
	Size		size = VARSIZE_ANY_EXHDR(period);
	int			week_start;
	Size		zone_size;

	if (maker->period_text[0] != '\0' && size < sizeof(maker->period_text) &&
		maker->period_text[size] == '\0' && memcmp(maker->period_text, data, size) == 0)
	{
		zone_size = maker->head.size - ACTIVITY_HEAD;
		if (zone_size == VARSIZE_ANY_EXHDR(zone) && memcmp(maker->head.bytes + ACTIVITY_HEAD, VARDATA_ANY(zone), zone_size) == 0)
			return;
	}
	maker->period_text[0] = '\0';
	if (!parse_period(data, size, &maker->period, &week_start))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown period of activity: \"%s\"", text_to_cstring(period)),
				 errhint("Periods are day, week, week:1 (from Monday) to week:7 (from Sunday), month, quarter, year, "
						 "and 24 hours, counted from the customer's first start.")));
	behavior_calendar_set(&maker->calendar, activity_calendar_period(maker->period), zone, week_start);
	zone_size = strlen(maker->calendar.zone_name);
	maker->head.bytes[0] = ACTIVITY_VERSION;
	maker->head.bytes[1] = (uint8) maker->period;
	maker->head.bytes[2] = (uint8) week_start;
	maker->head.bytes[3] = (uint8) zone_size;
	memcpy(maker->head.bytes + ACTIVITY_HEAD, maker->calendar.zone_name, zone_size);
	maker->head.size = ACTIVITY_HEAD + zone_size;
	memcpy(maker->period_text, data, size);
	maker->period_text[size] = '\0';
}

void
activity_longer_period(activity_maker *maker, const text *period)
{
	text	   *utc;

	if (maker->period_text[0] != '\0' && strlen(maker->period_text) == VARSIZE_ANY_EXHDR(period) &&
		memcmp(maker->period_text, VARDATA_ANY(period), VARSIZE_ANY_EXHDR(period)) == 0)
		return;
	utc = cstring_to_text("UTC");
	activity_maker_set(maker, period, utc);
	pfree(utc);
	if (maker->period == ACTIVITY_DAY || maker->period == ACTIVITY_24_HOURS)
	{
		maker->period_text[0] = '\0';
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must be longer than a day: \"%s\"", text_to_cstring(period)),
				 errhint("Periods are week, week:1 (from Monday) to week:7 (from Sunday), month, quarter and year.")));
	}
}

void
activity_write_events(activity_writer *writer, activity_maker *maker, const crm_event *events, Size count)
{
	bool		rolling = maker->period == ACTIVITY_24_HOURS;
	int64		from = 0;
	Size		i = 0;

	activity_write_head(writer, maker->head.bytes, maker->head.size);
	if (rolling)
	{
		while (i < count && !(events[i].met & ACTIVITY_STARTED))
			i++;
		if (i == count)
			return;
		from = events[i].at;
		/* All events of that instant: their order says nothing about which came first. */
		while (i > 0 && events[i - 1].at == from)
			i--;
		activity_write_anchor(writer, behavior_calendar_number(&maker->calendar, from));
	}
	while (i < count)
	{
		int64		number = rolling ? (int64) (crm_time_between(from, events[i].at) / USECS_PER_DAY) : events[i].at;
		unsigned	marks = 0;

		for (; i < count; i++)
		{
			if (number != (rolling ? (int64) (crm_time_between(from, events[i].at) / USECS_PER_DAY) : events[i].at))
				break;
			marks |= (unsigned) events[i].met;
		}
		activity_write_entry(writer, number, marks & ACTIVITY_MARKS);
	}
}

/* ---- text form: day@Asia/Shanghai{2026-06-01,2026-06-02b} ---------------------- */

Datum
crm_activity_out(PG_FUNCTION_ARGS)
{
	activity	a;
	behavior_calendar calendar;
	StringInfoData out;
	bool		rolling;
	int			year,
				month,
				day;

	activity_open(PG_GETARG_DATUM(0), &a);
	rolling = activity_period_of(&a) == ACTIVITY_24_HOURS;
	memset(&calendar, 0, sizeof(calendar));
	activity_dates(a.bytes, &calendar);
	initStringInfo(&out);
	appendStringInfo(&out, "%s@%.*s", activity_period_name(a.bytes), (int) a.bytes[3], (const char *) a.bytes + ACTIVITY_HEAD);
	if (rolling && a.any)
	{
		j2date((int) (a.anchor + POSTGRES_EPOCH_JDATE), &year, &month, &day);
		appendStringInfo(&out, ":%04d-%02d-%02d", year, month, day);
	}
	appendStringInfoChar(&out, '{');
	while (activity_next(&a))
	{
		if (out.data[out.len - 1] != '{')
			appendStringInfoChar(&out, ',');
		if (rolling)
			appendStringInfo(&out, INT64_FORMAT, a.number);
		else
		{
			j2date((int) (behavior_calendar_date(&calendar, a.number) + POSTGRES_EPOCH_JDATE), &year, &month, &day);
			appendStringInfo(&out, "%04d-%02d-%02d", year, month, day);
		}
		if (a.marks != ACTIVITY_MARKS)
			appendStringInfoChar(&out, a.marks == ACTIVITY_STARTED ? 's' : 'b');
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

static void
refuse_text(const char *text, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type crm.activity: \"%.*s\"", pg_mbcliplen(text, (int) strlen(text), 64), text),
			 errdetail("%s", detail)));
}

/* A whole number at *p, not longer than nine digits. */
static bool
read_number(const char **p, int *value)
{
	const char *from = *p;
	bool		negative = *from == '-';

	if (negative)
		from++;
	*value = 0;
	*p = from;
	while (**p >= '0' && **p <= '9' && *p - from < 9)
		*value = *value * 10 + (*(*p)++ - '0');
	if (negative)
		*value = -*value;
	return *p > from;
}

/* A day that a timestamp can lie in. */
static inline bool
date_is_in_range(int64 date)
{
	return date >= -POSTGRES_EPOCH_JDATE && date < TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE;
}

/* So that the dates of periods can be computed. */
static inline bool
number_is_in_range(activity_period period, int64 number)
{
	static const int shortest[] = {0, 1, 7, 28, 90, 365, 1};

	return date_is_in_range(number * shortest[period]);
}

/* A date at *p as days from 2000-01-01. */
static bool
read_date(const char **p, int64 *date)
{
	int			year,
				month,
				day,
				julian,
				back[3];

	if (!read_number(p, &year) || *(*p)++ != '-' || !read_number(p, &month) || *(*p)++ != '-' || !read_number(p, &day) ||
		!IS_VALID_JULIAN(year, month, day) || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	julian = date2j(year, month, day);
	j2date(julian, &back[0], &back[1], &back[2]);
	*date = (int64) julian - POSTGRES_EPOCH_JDATE;
	return back[0] == year && back[1] == month && back[2] == day && date_is_in_range(*date);
}

Datum
crm_activity_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	const char *zone = strchr(text, '@');
	const char *brace = strchr(text, '{');
	const char *zone_end = brace;
	const char *p;
	activity_writer writer = {.context = CurrentMemoryContext};
	activity_period period = ACTIVITY_DAY;
	int			week_start;
	uint8		head[ACTIVITY_MAX_HEAD];
	behavior_calendar calendar;
	int64		anchor = 0;
	bool		rolling;
	int64		last = 0;

	if (zone == NULL || brace == NULL || zone > brace || !parse_period(text, zone - text, &period, &week_start))
		refuse_text(text, "It begins with a period, @, a zone and a brace, as in \"week@Asia/Shanghai{2026-06-01}\".");
	rolling = period == ACTIVITY_24_HOURS;
	zone++;
	if (rolling && brace[1] != '}')
	{
		/* The zone may hold a colon itself, the day of the first start does not. */
		for (zone_end = brace; zone_end > zone && *zone_end != ':'; zone_end--)
			;
		p = zone_end + 1;
		if (*zone_end != ':' || !read_date(&p, &anchor) || p != brace)
			refuse_text(text, "Behind the zone stands the day of the first start, as in \"24 hours@UTC:2026-06-01{0,3}\".");
	}
	if (zone_end == zone || zone_end - zone > TZ_STRLEN_MAX)
		refuse_text(text, "The zone is missing or too long.");
	head[0] = ACTIVITY_VERSION;
	head[1] = (uint8) period;
	head[2] = (uint8) week_start;
	head[3] = (uint8) (zone_end - zone);
	memcpy(head + ACTIVITY_HEAD, zone, zone_end - zone);
	memset(&calendar, 0, sizeof(calendar));
	activity_dates(head, &calendar);

	activity_write_head(&writer, head, ACTIVITY_HEAD + head[3]);
	if (rolling && brace[1] != '}')
		activity_write_anchor(&writer, anchor);
	p = brace + 1;
	while (*p != '}' || writer.begun)
	{
		int64		number;
		unsigned	marks = ACTIVITY_MARKS;

		if (rolling)
		{
			int			small;

			if (!read_number(&p, &small) || small < 0 || !date_is_in_range(anchor + small))
				refuse_text(text, "Between the braces stand numbers of periods from 0.");
			number = small;
		}
		else
		{
			int64		date;

			if (!read_date(&p, &date))
				refuse_text(text, "Between the braces stand dates, each with s or b behind it where the customer only started or only came back.");
			number = behavior_calendar_number(&calendar, date * USECS_PER_DAY);
			if (behavior_calendar_date(&calendar, number) != date)
				refuse_text(text, "A date is not the first day of its period.");
		}
		if (*p == 's' || *p == 'b')
			marks = *p++ == 's' ? ACTIVITY_STARTED : ACTIVITY_BACK;
		if (writer.begun && number <= last)
			refuse_text(text, "The periods are not in ascending order.");
		if (rolling && !writer.begun && (number != 0 || !(marks & ACTIVITY_STARTED)))
			refuse_text(text, "The first of the 24 hours is period 0, in which the customer started.");
		activity_write_entry(&writer, number, marks);
		last = number;
		if (*p == '}')
			break;
		if (*p++ != ',')
			refuse_text(text, "Between two periods stands a comma.");
	}
	if (p[1] != '\0')
		refuse_text(text, "There is something behind the closing brace.");
	PG_RETURN_DATUM(activity_written(&writer));
}

Datum
crm_activity_send(PG_FUNCTION_ARGS)
{
	const struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendbytes(&buffer, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

/* NULL, or what is wrong with bytes from outside: canonical form included, as all of it was written by activity_write_entry. */
static const char *
check_bytes(const uint8 *bytes, Size size)
{
	const char *wrong = check_head(bytes, size);
	const uint8 *next;
	const uint8 *end = bytes + size;
	activity_writer writer = {.context = CurrentMemoryContext};
	bool		rolling;
	behavior_calendar calendar;
	uint64		value;
	int64		number = 0;
	int64		anchor = 0;
	bool		begun = false;

	if (wrong)
		return wrong;
	if (!pg_verify_mbstr(GetDatabaseEncoding(), (const char *) bytes + ACTIVITY_HEAD, bytes[3], true) ||
		memchr(bytes + ACTIVITY_HEAD, '{', bytes[3]) || memchr(bytes + ACTIVITY_HEAD, '\0', bytes[3]))
		return "The name of the zone is none.";
	memset(&calendar, 0, sizeof(calendar));
	activity_dates(bytes, &calendar);
	rolling = bytes[1] == ACTIVITY_24_HOURS;
	next = bytes + ACTIVITY_HEAD + bytes[3];
	activity_write_head(&writer, bytes, ACTIVITY_HEAD + bytes[3]);
	if (rolling && next < end)
	{
		if (!activity_varint(&next, end, &value) || !date_is_in_range(activity_unzigzag(value)) || next == end)
			return "The day of the first start is wrong.";
		anchor = activity_unzigzag(value);
		activity_write_anchor(&writer, anchor);
	}
	while (next < end)
	{
		if (!activity_varint(&next, end, &value))
			return "An entry does not end.";
		if ((value & ACTIVITY_MARKS) == 0 || (begun && value >> 2 == 0))
			return "An entry says nothing.";
		if (value >> 2 > 2 * (uint64) ACTIVITY_MAX_NUMBER)
			return "A period is out of its range.";
		number = begun ? number + (int64) (value >> 2) : activity_unzigzag(value >> 2);
		if (!number_is_in_range((activity_period) bytes[1], number) ||
			!date_is_in_range(rolling ? anchor + number : behavior_calendar_date(&calendar, number)))
			return "A period is out of its range.";
		if (rolling && !begun && (number != 0 || !(value & ACTIVITY_STARTED)))
			return "The first of the 24 hours is period 0, in which the customer started.";
		activity_write_entry(&writer, number, value & ACTIVITY_MARKS);
		begun = true;
	}
	if (writer.size - VARHDRSZ != size || memcmp(writer.bytes + VARHDRSZ, bytes, size) != 0)
		return "A number is longer than it need be.";
	return NULL;
}

Datum
crm_activity_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buffer = (StringInfo) PG_GETARG_POINTER(0);
	int			size = buffer->len - buffer->cursor;
	struct varlena *value = palloc(size + VARHDRSZ);
	const char *wrong;

	SET_VARSIZE(value, size + VARHDRSZ);
	pq_copymsgbytes(buffer, VARDATA(value), size);
	wrong = check_bytes((const uint8 *) VARDATA(value), size);
	if (wrong)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary value for type crm.activity"),
				 errdetail("%s", wrong)));
	PG_RETURN_POINTER(value);
}

/* ---- merging, and periods as rows ------------------------------------------- */

/* activity_merge(a, b): what happened in either. */
Datum
crm_activity_merge(PG_FUNCTION_ARGS)
{
	activity	a,
				b;
	activity_writer writer = {.context = CurrentMemoryContext};
	bool		more_a,
				more_b;

	activity_open(PG_GETARG_DATUM(0), &a);
	activity_open(PG_GETARG_DATUM(1), &b);
	if (a.head_size != b.head_size || memcmp(a.bytes, b.bytes, a.head_size) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("activities of different periods or zones cannot be merged")));
	if (activity_period_of(&a) == ACTIVITY_24_HOURS && a.any && b.any)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("activities by 24 hours cannot be merged"),
				 errdetail("Their periods are counted from different starts."),
				 errhint("Merge timelines, or use periods of the calendar.")));
	if (!b.any)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (!a.any)
		PG_RETURN_DATUM(PG_GETARG_DATUM(1));

	activity_write_head(&writer, a.bytes, a.head_size);
	more_a = activity_next(&a);
	more_b = activity_next(&b);
	while (more_a || more_b)
	{
		bool		take_a = more_a && (!more_b || a.number <= b.number);
		bool		take_b = more_b && (!more_a || b.number <= a.number);

		activity_write_entry(&writer, take_a ? a.number : b.number, (take_a ? a.marks : 0) | (take_b ? b.marks : 0));
		if (take_a)
			more_a = activity_next(&a);
		if (take_b)
			more_b = activity_next(&b);
	}
	PG_RETURN_DATUM(activity_written(&writer));
}

/* periods(a) -> TABLE (number bigint, begins date, started boolean, back boolean) */
Datum
crm_periods(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	activity	a;
	behavior_calendar calendar;

	activity_open(PG_GETARG_DATUM(0), &a);
	memset(&calendar, 0, sizeof(calendar));
	activity_dates(a.bytes, &calendar);
	InitMaterializedSRF(fcinfo, 0);
	while (activity_next(&a))
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = Int64GetDatum(a.number);
		values[1] = DateADTGetDatum(activity_period_of(&a) == ACTIVITY_24_HOURS ? (DateADT) (a.anchor + a.number) :
									behavior_calendar_date(&calendar, a.number));
		values[2] = BoolGetDatum(a.marks & ACTIVITY_STARTED);
		values[3] = BoolGetDatum((a.marks & ACTIVITY_BACK) != 0);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
