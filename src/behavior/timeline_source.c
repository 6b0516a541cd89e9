/*
 * timeline_source.c - the rows of a query as events.
 *
 * Names and attributes repeat: what was met a moment ago is found by its bytes,
 * before anything is looked up or parsed.
 */
#include "behavior/timeline_source.h"

#include <math.h>

#include "behavior/behavior.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/decimal.h"
#include "common/query.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#define COLUMN_CUSTOMER 0
#define COLUMN_TIME 1
#define COLUMN_EVENT 2
#define COLUMN_VALUE 3
#define COLUMN_ATTRIBUTES 4

/* How a column's Datum becomes what an event needs. */
typedef enum column_kind
{
	COLUMN_INT2, COLUMN_INT4, COLUMN_INT8,
	COLUMN_FLOAT4, COLUMN_FLOAT8, COLUMN_NUMERIC,
	COLUMN_BOOL,
	COLUMN_TIMESTAMPTZ, COLUMN_TIMESTAMP, COLUMN_DATE,
	COLUMN_TEXT,				/* and varchar */
	COLUMN_OUTPUT,				/* the text form of any type */
	COLUMN_JSONB
} column_kind;

typedef struct column
{
	column_kind kind;
	int16		length;			/* of the type */
	bool		padded;			/* char(n): trailing blanks are none of the text, as in a cast to it */
	FmgrInfo	output;
} column;

/* Names met lately: short ones, by their bytes. */
#define RECENT_NAMES 256
#define RECENT_NAME_SIZE 24

typedef struct recent_name
{
	uint32		size;			/* RECENT_NAME_SIZE + 1: none */
	uint32		number;
	char		bytes[RECENT_NAME_SIZE];
} recent_name;

/* Attributes met lately, by the bytes of the columns. */
#define RECENT_SETS 1024
#define RECENT_SET_SIZE 1024

typedef struct recent_set
{
	uint32		hash;
	uint32		size;
	uint32		room;
	uint32		number;
	char	   *bytes;			/* NULL: none */
} recent_set;

struct timeline_source
{
	MemoryContext context;		/* outlives rows */
	MemoryContext row_context;	/* reset when a row has used it */
	bool		row_used;
	SPIPlanPtr	plan;
	ParamListInfo params;		/* NULL: none */
	int			natts;
	column	   *columns;
	int			channels;		/* columns that are attributes; 0 where there is one jsonb */
	crm_text   *channel_names;
	bool		has_attributes;
	crm_timeline_writer *writer;
	Size		memory;
	uint32		met;			/* names and sets that were numbered anew, to look at the memory now and then */
	bool		full;			/* the writer takes all the memory it may */
	StringInfoData packed;
	StringInfoData raw;			/* attribute columns of a row, as bytes */
	recent_name names[RECENT_NAMES];
	recent_set	sets[RECENT_SETS];
};

/* ---- columns ------------------------------------------------------------------------ */

static const char *const column_names[] = {"customer", "time", "name", "value", "attributes"};

static void
wrong_type(Form_pg_attribute attribute, int number, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column %d of the query, \"%s\", is of type %s and cannot be the %s of events",
					number + 1, NameStr(attribute->attname), format_type_be(attribute->atttypid), column_names[number]),
			 errdetail("%s", detail),
			 errhint("%s", hint)));
}

static void
set_output(column *c, Oid type)
{
	Oid			output;
	bool		is_varlena;

	c->kind = COLUMN_OUTPUT;
	c->padded = type == BPCHAROID;
	getTypeOutputInfo(type, &output, &is_varlena);
	fmgr_info(output, &c->output);
}

static bool
set_number(column *c, Oid type)
{
	switch (type)
	{
		case INT2OID:
			c->kind = COLUMN_INT2;
			return true;
		case INT4OID:
			c->kind = COLUMN_INT4;
			return true;
		case INT8OID:
			c->kind = COLUMN_INT8;
			return true;
		case FLOAT4OID:
			c->kind = COLUMN_FLOAT4;
			return true;
		case FLOAT8OID:
			c->kind = COLUMN_FLOAT8;
			return true;
		case NUMERICOID:
			c->kind = COLUMN_NUMERIC;
			return true;
	}
	return false;
}

static void
set_column(timeline_source *source, Form_pg_attribute attribute, int number)
{
	column	   *c = &source->columns[number];
	Oid			type = getBaseType(attribute->atttypid);

	c->length = get_typlen(type);
	switch (number)
	{
		case COLUMN_CUSTOMER:
			if (!set_number(c, type) || c->kind > COLUMN_INT8)
				wrong_type(attribute, number, "A customer is a smallint, an integer or a bigint.",
						   "Number other keys in the query, or store timelines with create_population and refresh_timelines.");
			break;
		case COLUMN_TIME:
			if (type == TIMESTAMPTZOID)
				c->kind = COLUMN_TIMESTAMPTZ;
			else if (type == TIMESTAMPOID)
				c->kind = COLUMN_TIMESTAMP;
			else if (type == DATEOID)
				c->kind = COLUMN_DATE;
			else
				wrong_type(attribute, number, "A time is a timestamp with time zone, a timestamp or a date.",
						   "Cast it in the query.");
			break;
		case COLUMN_EVENT:
			if (type == TEXTOID || type == VARCHAROID)
				c->kind = COLUMN_TEXT;
			else if (type == BPCHAROID || type == NAMEOID || get_typtype(type) == TYPTYPE_ENUM)
				set_output(c, type);
			else
				wrong_type(attribute, number, "The name of an event is a text.", "Cast it to text in the query.");
			break;
		case COLUMN_VALUE:
			if (!set_number(c, type))
				wrong_type(attribute, number, "A value is a number.", "Cast it to float8 in the query, or write NULL::float8.");
			break;
		default:
			if (source->channels == 0)
			{
				if (type != JSONBOID)
					wrong_type(attribute, number, "Attributes are a jsonb object.",
							   "Write jsonb_build_object('channel', channel, ...).");
				c->kind = COLUMN_JSONB;
			}
			else if (type == BOOLOID)
				c->kind = COLUMN_BOOL;
			else if (type == TEXTOID || type == VARCHAROID)
				c->kind = COLUMN_TEXT;
			else if (!set_number(c, type))
				set_output(c, type);
			break;
	}
}

timeline_source *
timeline_source_open(const char *query, ParamListInfo params, int channels, char **channel_names, crm_timeline_writer *writer,
					 Size memory)
{
	SPIPrepareOptions options = {0};
	timeline_source *source = palloc0(sizeof(timeline_source));
	TupleDesc	desc;
	int			most = COLUMN_ATTRIBUTES + Max(channels, 1);

	source->context = CurrentMemoryContext;
	source->row_context = AllocSetContextCreate(CurrentMemoryContext, "crm row of an event", ALLOCSET_SMALL_SIZES);
	source->writer = writer;
	source->memory = memory;
	source->channels = channels;
	source->params = params;
	options.cursorOptions = CURSOR_OPT_PARALLEL_OK;
	if (params != NULL)
	{
		options.parserSetup = params->parserSetup;
		options.parserSetupArg = params->parserSetupArg;
	}
	source->plan = SPI_prepare_extended(query, &options);
	if (source->plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	desc = crm_select_columns(source->plan, "timelines", "SELECT customer_id, ts, event FROM events");
	source->natts = desc->natts;
	if (desc->natts < 3 || desc->natts > most || (channels > 0 && desc->natts < most))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the query of timelines has %d columns", desc->natts),
				 errhint("Its columns are, by position: customer, time, event, and where wanted value and attributes.")));
	source->has_attributes = desc->natts > COLUMN_ATTRIBUTES;
	source->columns = palloc0(desc->natts * sizeof(column));
	for (int i = 0; i < desc->natts; i++)
		set_column(source, TupleDescAttr(desc, i), i);
	source->channel_names = palloc(Max(channels, 1) * sizeof(crm_text));
	for (int i = 0; i < channels; i++)
		source->channel_names[i] = (crm_text) {channel_names[i], strlen(channel_names[i])};
	for (int i = 0; i < RECENT_NAMES; i++)
		source->names[i].size = RECENT_NAME_SIZE + 1;
	initStringInfo(&source->packed);
	initStringInfo(&source->raw);
	return source;
}

void
timeline_source_close(timeline_source *source)
{
	SPI_freeplan(source->plan);
	MemoryContextDelete(source->row_context);
}

/* ---- running ---------------------------------------------------------------------------- */

int64
timeline_source_rows(const timeline_source *source)
{
	return source->params != NULL ? 0 : (int64) crm_select_rows(source->plan);
}

void
timeline_source_run(timeline_source *source, void (*take) (TupleTableSlot *slot, void *arg), void *arg)
{
	crm_select_run(source->plan, source->params, take, arg);
}

/* ---- a row ---------------------------------------------------------------------------------- */

static int64
int_value(const column *c, Datum value)
{
	switch (c->kind)
	{
		case COLUMN_INT2:
			return DatumGetInt16(value);
		case COLUMN_INT4:
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

static double
float_value(const column *c, Datum value)
{
	double		result;

	switch (c->kind)
	{
		case COLUMN_FLOAT8:
			result = DatumGetFloat8(value);
			break;
		case COLUMN_FLOAT4:
			result = DatumGetFloat4(value);
			break;
		case COLUMN_NUMERIC:
			result = crm_numeric_to_float8(value);
			break;
		default:
			result = (double) int_value(c, value);
			break;
	}
	if (!isfinite(result))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value of an event is not a finite number: \"%g\"", result)));
	return result;
}

static TimestampTz
time_value(const column *c, Datum value)
{
	switch (c->kind)
	{
		case COLUMN_TIMESTAMP:
			value = DirectFunctionCall1(timestamp_timestamptz, value);
			break;
		case COLUMN_DATE:
			value = DirectFunctionCall1(date_timestamptz, value);
			break;
		default:
			break;
	}
	return behavior_finite(DatumGetTimestampTz(value));
}

/* The text of a value; what it needs lies in the row's memory. */
static crm_text
text_value(timeline_source *source, column *c, Datum value)
{
	crm_text	text;

	if (c->kind == COLUMN_TEXT)
	{
		struct varlena *bytes = (struct varlena *) DatumGetPointer(value);

		if (VARATT_IS_EXTENDED(bytes) && !VARATT_IS_SHORT(bytes))
		{
			MemoryContext before = MemoryContextSwitchTo(source->row_context);

			bytes = PG_DETOAST_DATUM_PACKED(value);
			MemoryContextSwitchTo(before);
			source->row_used = true;
		}
		text.data = VARDATA_ANY(bytes);
		text.size = VARSIZE_ANY_EXHDR(bytes);
	}
	else
	{
		MemoryContext before = MemoryContextSwitchTo(source->row_context);

		text.data = OutputFunctionCall(&c->output, value);
		text.size = strlen(text.data);
		while (c->padded && text.size > 0 && text.data[text.size - 1] == ' ')
			text.size--;
		MemoryContextSwitchTo(before);
		source->row_used = true;
	}
	return text;
}

/* Once in a while, as it costs something: have the dictionaries grown too large? */
static void
look_at_memory(timeline_source *source)
{
	if (++source->met % 64 == 0 && crm_timeline_writer_memory(source->writer) > source->memory)
		source->full = true;
}

static inline uint32
recent_slot(crm_text name)
{
	uint64		first = 0;
	uint64		last = 0;

	if (name.size >= 8)
	{
		memcpy(&first, name.data, 8);
		memcpy(&last, name.data + name.size - 8, 8);
	}
	else
		memcpy(&first, name.data, name.size);
	return (uint32) (((first ^ last * 3 ^ name.size) * UINT64CONST(0x9E3779B97F4A7C15)) >> 56);
}

StaticAssertDecl(RECENT_NAMES == 256, "recent_slot gives eight bits");

/* The number of a name; false when it has to travel with the row. */
static bool
number_name(timeline_source *source, crm_text name, uint32 *number)
{
	recent_name *recent = NULL;

	if (name.size <= RECENT_NAME_SIZE)
	{
		recent = &source->names[recent_slot(name)];
		if (recent->size == name.size && memcmp(recent->bytes, name.data, name.size) == 0)
		{
			*number = recent->number;
			return true;
		}
	}
	if (name.size > CRM_TIMELINE_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("name of an event is too long: %zu bytes", name.size),
				 errdetail("It has at most %d bytes.", CRM_TIMELINE_MAX_NAME),
				 errhint("What differs from event to event belongs into attributes.")));
	if (source->full)
		return false;
	crm_check(crm_timeline_writer_name(source->writer, name, number), CRM_TIMELINE_TYPE, false);
	look_at_memory(source);
	if (recent != NULL)
	{
		recent->size = name.size;
		recent->number = *number;
		memcpy(recent->bytes, name.data, name.size);
	}
	return true;
}

/* Name and attributes as bytes: sizes in front of texts. */
static void
pack_text(StringInfo out, crm_text text)
{
	uint32		size = text.size;

	appendBinaryStringInfo(out, (char *) &size, sizeof(size));
	appendBinaryStringInfo(out, text.data, text.size);
}

void
timeline_source_pack(StringInfo out, crm_text name, const crm_attribute *attributes, int count)
{
	resetStringInfo(out);
	pack_text(out, name);
	for (int i = 0; i < count; i++)
	{
		crm_text	text = attributes[i].value.text;

		if (attributes[i].value.kind < CRM_ATTRIBUTE_NUMBER)
			text = (crm_text) {"", 0};
		appendStringInfoChar(out, (char) attributes[i].value.kind);
		pack_text(out, attributes[i].name);
		pack_text(out, text);
	}
}

static crm_text
unpack_text(const char **at)
{
	crm_text	text;
	uint32		size;

	memcpy(&size, *at, sizeof(size));
	text.data = *at + sizeof(size);
	text.size = size;
	*at = text.data + size;
	return text;
}

int
timeline_source_unpack(const void *packed, Size size, crm_text *name, crm_attribute *attributes)
{
	const char *at = packed;
	const char *end = at + size;
	int			count = 0;

	*name = unpack_text(&at);
	while (at < end)
	{
		crm_attribute *attribute = &attributes[count++];

		attribute->value.kind = (crm_attribute_kind) *at++;
		attribute->name = unpack_text(&at);
		attribute->value.text = unpack_text(&at);
	}
	return count;
}

/* A column as an attribute's value. */
static void
column_attribute(timeline_source *source, column *c, Datum value, crm_attribute_value *attribute)
{
	MemoryContext before = MemoryContextSwitchTo(source->row_context);
	char	   *text = NULL;

	source->row_used = true;
	attribute->kind = CRM_ATTRIBUTE_NUMBER;
	switch (c->kind)
	{
		case COLUMN_BOOL:
			attribute->kind = DatumGetBool(value) ? CRM_ATTRIBUTE_TRUE : CRM_ATTRIBUTE_FALSE;
			text = "";
			break;
		case COLUMN_INT2:
		case COLUMN_INT4:
		case COLUMN_INT8:
			text = psprintf(INT64_FORMAT, int_value(c, value));
			break;
		case COLUMN_FLOAT4:
		case COLUMN_FLOAT8:
			(void) float_value(c, value);	/* finite */
			text = DatumGetCString(c->kind == COLUMN_FLOAT4 ? DirectFunctionCall1(float4out, value) :
								   DirectFunctionCall1(float8out, value));
			value = DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
			/* FALLTHROUGH */
		case COLUMN_NUMERIC:
			if (numeric_is_nan(DatumGetNumeric(value)) || numeric_is_inf(DatumGetNumeric(value)))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("attribute of an event is not a finite number")));
			text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
			break;
		default:
			attribute->kind = CRM_ATTRIBUTE_TEXT;
			break;
	}
	MemoryContextSwitchTo(before);
	attribute->text = text == NULL ? text_value(source, c, value) : (crm_text) {text, strlen(text)};
}

/* The attributes of a row from its columns; all of them in the row's memory. */
static int
read_attributes(timeline_source *source, TupleTableSlot *slot, crm_attribute *attributes)
{
	int			count = 0;

	if (source->channels == 0)
	{
		MemoryContext before = MemoryContextSwitchTo(source->row_context);

		source->row_used = true;
		if (!slot->tts_isnull[COLUMN_ATTRIBUTES])
			count = behavior_attributes(DatumGetJsonbP(slot->tts_values[COLUMN_ATTRIBUTES]), attributes);
		MemoryContextSwitchTo(before);
		return count;
	}
	for (int i = 0; i < source->channels; i++)
	{
		int			number = COLUMN_ATTRIBUTES + i;

		if (slot->tts_isnull[number])
			continue;
		attributes[count].name = source->channel_names[i];
		column_attribute(source, &source->columns[number], slot->tts_values[number], &attributes[count].value);
		count++;
	}
	return count;
}

/* The attribute columns as they lie in the row; false when they are large or not in the row itself. */
static bool
raw_attributes(timeline_source *source, TupleTableSlot *slot)
{
	StringInfo	raw = &source->raw;

	resetStringInfo(raw);
	for (int i = COLUMN_ATTRIBUTES; i < source->natts; i++)
	{
		Datum		value = slot->tts_values[i];
		int16		length = source->columns[i].length;

		appendStringInfoCharMacro(raw, (char) slot->tts_isnull[i]);
		if (slot->tts_isnull[i])
			continue;
		if (length == -1)
		{
			struct varlena *bytes = (struct varlena *) DatumGetPointer(value);
			uint32		size = VARSIZE_ANY(bytes);

			if (VARATT_IS_EXTERNAL(bytes) || size > RECENT_SET_SIZE)
				return false;
			appendBinaryStringInfo(raw, (char *) bytes, size);
		}
		else if (length > 0 && length <= (int) sizeof(Datum))
			appendBinaryStringInfo(raw, (char *) &value, sizeof(Datum));
		else if (length > 0)
			appendBinaryStringInfo(raw, DatumGetPointer(value), length);
		else
			return false;
	}
	return raw->len <= RECENT_SET_SIZE;
}

static bool
has_attributes(const timeline_source *source, TupleTableSlot *slot)
{
	for (int i = COLUMN_ATTRIBUTES; i < source->natts; i++)
		if (!slot->tts_isnull[i])
			return true;
	return false;
}

/* Sets the number of the row's attributes; false when they have to travel with it. */
static bool
number_attributes(timeline_source *source, TupleTableSlot *slot, uint32 *number)
{
	crm_attribute attributes[CRM_TIMELINE_MAX_CHANNELS];
	recent_set *recent = NULL;
	uint32		hash = 0;
	int			count;

	*number = 0;
	if (!source->has_attributes || !has_attributes(source, slot))
		return true;
	if (raw_attributes(source, slot))
	{
		hash = hash_bytes((unsigned char *) source->raw.data, source->raw.len);
		recent = &source->sets[hash % RECENT_SETS];
		if (recent->bytes != NULL && recent->hash == hash && recent->size == (uint32) source->raw.len &&
			memcmp(recent->bytes, source->raw.data, source->raw.len) == 0)
		{
			*number = recent->number;
			return true;
		}
	}
	if (source->full)
		return false;
	count = read_attributes(source, slot, attributes);
	crm_check(crm_timeline_writer_attributes(source->writer, attributes, count, number), CRM_TIMELINE_TYPE, false);
	look_at_memory(source);
	if (recent != NULL)
	{
		if (recent->room < (uint32) source->raw.len)
		{
			recent->room = Max(64, (uint32) source->raw.len);
			if (recent->bytes != NULL)
				pfree(recent->bytes);
			recent->bytes = MemoryContextAlloc(source->context, recent->room);
		}
		memcpy(recent->bytes, source->raw.data, source->raw.len);
		recent->size = source->raw.len;
		recent->hash = hash;
		recent->number = *number;
	}
	return true;
}

/* Name and attributes go with the row, unless they are so large that the dictionaries must take them all the same. */
static void
send_along(timeline_source *source, TupleTableSlot *slot, crm_text name, crm_event_row *row)
{
	crm_attribute attributes[CRM_TIMELINE_MAX_CHANNELS];
	int			count = source->has_attributes ? read_attributes(source, slot, attributes) : 0;

	timeline_source_pack(&source->packed, name, attributes, count);
	if (source->packed.len <= CRM_EVENT_MAX_PACKED)
	{
		row->packed = source->packed.data;
		row->attributes = source->packed.len;
		row->name = 0;
		return;
	}
	crm_check(crm_timeline_writer_name(source->writer, name, &row->name), CRM_TIMELINE_TYPE, false);
	crm_check(crm_timeline_writer_attributes(source->writer, attributes, count, &row->attributes), CRM_TIMELINE_TYPE, false);
}

bool
timeline_source_row(timeline_source *source, TupleTableSlot *slot, crm_event_row *row)
{
	crm_text	name;

	slot_getsomeattrs(slot, source->natts);
	if (slot->tts_isnull[COLUMN_CUSTOMER] || slot->tts_isnull[COLUMN_TIME] || slot->tts_isnull[COLUMN_EVENT])
		return false;
	if (source->row_used)
	{
		MemoryContextReset(source->row_context);
		source->row_used = false;
	}
	row->customer = int_value(&source->columns[COLUMN_CUSTOMER], slot->tts_values[COLUMN_CUSTOMER]);
	row->at = time_value(&source->columns[COLUMN_TIME], slot->tts_values[COLUMN_TIME]);
	row->has_value = source->natts > COLUMN_VALUE && !slot->tts_isnull[COLUMN_VALUE];
	if (row->has_value)
		row->value = float_value(&source->columns[COLUMN_VALUE], slot->tts_values[COLUMN_VALUE]);
	row->packed = NULL;
	name = text_value(source, &source->columns[COLUMN_EVENT], slot->tts_values[COLUMN_EVENT]);
	if (!number_name(source, name, &row->name) || !number_attributes(source, slot, &row->attributes))
		send_along(source, slot, name, row);
	return true;
}
