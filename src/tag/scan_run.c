/*
 * scan_run.c - a scan plan at work: arguments become keys, keys become answers.
 *
 * crm_scan_row runs once a customer and must not allocate; a value that has to
 * be detoasted goes to the caller's short-lived context.
 */
#include "common/crm.h"

#include "access/detoast.h"
#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/settings.h"
#include "mb/pg_wchar.h"
#include "tag/number_tag.h"
#include "tag/scan_keys.h"
#include "tag/scan_plan.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/lsyscache.h"

/* Longest value of a text tag, in bytes. */
#define MAX_VALUE_BYTES 1000

/* Fills one array of keys. */
typedef struct column_reader
{
	uint8		kind;			/* crm_argument_kind */
	uint8		fraction;
	bool		intern;
	uint16		argument;
	uint32		column;
	int64	   *keys;
	uint64	   *nulls;
	crm_value_table values;		/* text */
	uint32		value_cap;
} column_reader;

typedef struct rule_state
{
	uint64	   *truth;			/* boolean */
	uint16	   *codes;			/* text: of each row */
	crm_value_table values;		/* text: met so far */
	uint16	   *met;			/* text: code of each arm's value, of each of the column's values; 0 as long as not met */
	uint32		met_room;
	crm_tag_number *numbers;	/* numeric: of each row */
	uint16		null_code;		/* text column: of the value that stands for NULL, 0 as long as not met */
} rule_state;

struct crm_scan
{
	MemoryContext context;
	crm_env		env;
	crm_program program;
	crm_batch	batch;
	bool		checked;		/* the arguments' number and types */
	int			booleans;		/* their arguments, or -1 */
	int			texts;
	int			numbers;
	column_reader *readers;		/* one a column */
	rule_state *rules;
	uint32	   *boolean_rules;	/* rules that the executor evaluates, in its order */
	uint32	   *text_rules;
	uint32	   *number_rules;
};

/* ---- making one ------------------------------------------------------------- */

static void
check_plan(crm_status status)
{
	if (status == CRM_CORRUPT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid scan plan"),
				 errhint("Plans are made by refresh_tags and are valid within its query.")));
	crm_check(status, "scan plan", true);
}

static void
prepare_readers(crm_scan *scan)
{
	const crm_program *program = &scan->program;

	scan->readers = palloc0(sizeof(column_reader) * (program->column_count + 1));
	for (uint32 i = 0; i < program->column_count; i++)
	{
		const crm_column *column = &program->columns[i];
		column_reader *reader = &scan->readers[i];

		reader->kind = program->arguments[column->argument];
		reader->fraction = column->fraction;
		reader->intern = column->intern;
		reader->argument = column->argument;
		reader->column = i;
		reader->keys = scan->batch.keys + (size_t) i * CRM_BATCH_STRIDE;
		reader->nulls = scan->batch.nulls + (size_t) i * CRM_BATCH_WORDS;
		/* The rule's own cap is met at the end of the batch at the latest. */
		reader->value_cap = column->value_count + crm_max_tag_values + 2 * CRM_BATCH_ROWS;
		for (uint32 v = 0; v < column->value_count; v++)
		{
			const crm_string *value = &program->strings[column->first_value + v];
			uint32		code;

			check_plan(crm_value_add(&reader->values, &scan->env, value->text, value->length, UINT32_MAX, &code));
			if (code != v + 1)
				check_plan(CRM_CORRUPT);
		}
	}
	scan->booleans = scan->texts = scan->numbers = -1;
	for (uint32 i = 0; i < program->argument_count; i++)
	{
		if (program->arguments[i] == CRM_ARGUMENT_BOOLEANS)
			scan->booleans = i;
		else if (program->arguments[i] == CRM_ARGUMENT_TEXTS)
			scan->texts = i;
		else if (program->arguments[i] == CRM_ARGUMENT_NUMBERS)
			scan->numbers = i;
	}
}

static void
prepare_rules(crm_scan *scan)
{
	const crm_program *program = &scan->program;

	scan->rules = MemoryContextAllocExtended(scan->context, sizeof(rule_state) * (program->rule_count + 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	scan->boolean_rules = palloc(sizeof(uint32) * (program->executor_booleans + 1));
	scan->text_rules = palloc(sizeof(uint32) * (program->executor_texts + 1));
	scan->number_rules = palloc(sizeof(uint32) * (program->executor_numbers + 1));
	for (uint32 i = 0; i < program->rule_count; i++)
	{
		const crm_program_rule *rule = &program->rules[i];
		rule_state *state = &scan->rules[i];

		switch ((crm_rule_kind) rule->kind)
		{
			case CRM_RULE_NODE:
				state->truth = scan->batch.rows + (size_t) rule->target * CRM_BATCH_WORDS;
				break;
			case CRM_RULE_EXECUTOR_BOOLEAN:
				state->truth = palloc0(sizeof(uint64) * CRM_BATCH_WORDS);
				scan->boolean_rules[rule->target] = i;
				break;
			case CRM_RULE_CASE:
				state->met_room = rule->arm_count + 1;
				state->met = palloc0(sizeof(uint16) * state->met_room);
				break;
			case CRM_RULE_EXECUTOR_TEXT:
				scan->text_rules[rule->target] = i;
				break;
			case CRM_RULE_EXECUTOR_NUMBER:
				scan->number_rules[rule->target] = i;
				state->numbers = palloc0(sizeof(crm_tag_number) * CRM_BATCH_ROWS);
				break;
			case CRM_RULE_COLUMN:
				break;
		}
		if (crm_scan_rule_is_text(scan, i))
			state->codes = palloc0(sizeof(uint16) * CRM_BATCH_ROWS);
	}
}

crm_scan *
crm_scan_new(const bytea *plan, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	crm_scan   *scan = palloc0(sizeof(crm_scan));

	scan->context = context;
	scan->env = crm_env_in(context);
	check_plan(crm_program_decode((const uint8 *) VARDATA_ANY(plan), VARSIZE_ANY_EXHDR(plan), &scan->env, &scan->program));
	/* Values become text values of the database. */
	for (uint32 i = 0; i < scan->program.string_count; i++)
		if (!pg_verifymbstr(scan->program.strings[i].text, scan->program.strings[i].length, true))
			check_plan(CRM_CORRUPT);
	check_plan(crm_batch_prepare(&scan->batch, &scan->program, &scan->env));
	prepare_readers(scan);
	prepare_rules(scan);
	MemoryContextSwitchTo(caller);
	return scan;
}

int
crm_scan_rules(const crm_scan *scan)
{
	return scan->program.rule_count;
}

bool
crm_scan_rule_is_text(const crm_scan *scan, int rule)
{
	uint8		kind = scan->program.rules[rule].kind;

	return kind == CRM_RULE_CASE || kind == CRM_RULE_COLUMN || kind == CRM_RULE_EXECUTOR_TEXT;
}

bool
crm_scan_rule_is_number(const crm_scan *scan, int rule)
{
	return scan->program.rules[rule].kind == CRM_RULE_EXECUTOR_NUMBER;
}

const char *
crm_scan_rule_name(const crm_scan *scan, int rule)
{
	return scan->program.strings[scan->program.rules[rule].name].text;
}

/* ---- values of text rules ------------------------------------------------------ */

static void
refuse_many_values(const crm_scan *scan, int rule)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("text tag \"%s\" has more than %d values", crm_scan_rule_name(scan, rule), crm_max_tag_values),
			 errdetail("The setting crm_analytics.max_tag_values allows %d.", crm_max_tag_values),
			 errhint("Group the values in the rule, such as by CASE, or raise the setting.")));
}

static void
refuse_long_value(const crm_scan *scan, int rule, Size length)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("text tag \"%s\" has a value that is too long", crm_scan_rule_name(scan, rule)),
			 errdetail("It has %zu bytes, at most %d are allowed.", length, MAX_VALUE_BYTES),
			 errhint("Shorten it in the rule, such as by left(..., 100), or group the values by CASE.")));
}

static uint16
value_code(crm_scan *scan, int rule, const char *value, Size length)
{
	crm_status	status;
	uint32		code;

	if (length > MAX_VALUE_BYTES)
		refuse_long_value(scan, rule, length);
	status = crm_value_add(&scan->rules[rule].values, &scan->env, value, length, crm_max_tag_values, &code);
	if (status == CRM_LIMIT)
		refuse_many_values(scan, rule);
	crm_check(status, "text tag", false);
	return code;
}

uint16
crm_scan_value_code(crm_scan *scan, int rule, const char *value)
{
	return value_code(scan, rule, value, strlen(value));
}

int
crm_scan_value_count(const crm_scan *scan, int rule)
{
	return scan->rules[rule].values.count;
}

const char *
crm_scan_value(const crm_scan *scan, int rule, int code)
{
	return scan->rules[rule].values.entries[code - 1].text;
}

/* ---- rows ---------------------------------------------------------------------- */

static bool
type_fits(crm_argument_kind kind, Oid type)
{
	switch (kind)
	{
		case CRM_ARGUMENT_BOOL:
			return type == BOOLOID;
		case CRM_ARGUMENT_INT2:
			return type == INT2OID;
		case CRM_ARGUMENT_INT4:
			return type == INT4OID;
		case CRM_ARGUMENT_INT8:
			return type == INT8OID;
		case CRM_ARGUMENT_FLOAT4:
			return type == FLOAT4OID;
		case CRM_ARGUMENT_FLOAT8:
			return type == FLOAT8OID;
		case CRM_ARGUMENT_NUMERIC:
			return type == NUMERICOID;
		case CRM_ARGUMENT_DATE:
			return type == DATEOID;
		case CRM_ARGUMENT_TIMESTAMP:
			return type == TIMESTAMPOID;
		case CRM_ARGUMENT_TIMESTAMPTZ:
			return type == TIMESTAMPTZOID;
		case CRM_ARGUMENT_TEXT:
			return type == TEXTOID || type == VARCHAROID;
		case CRM_ARGUMENT_BPCHAR:
			return type == BPCHAROID;
		case CRM_ARGUMENT_BOOLEANS:
			return type == BOOLARRAYOID;
		case CRM_ARGUMENT_TEXTS:
			return type == TEXTARRAYOID;
		case CRM_ARGUMENT_NUMBERS:
			return type == NUMERICARRAYOID;
	}
	return false;
}

bool
crm_scan_checked(const crm_scan *scan)
{
	return scan->checked;
}

void
crm_scan_check(crm_scan *scan, const Oid *types, int count)
{
	if (count != (int) scan->program.argument_count)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("scan plan expects %u arguments after the customer, not %d",
						scan->program.argument_count, count)));
	for (int i = 0; i < count; i++)
		if (!OidIsValid(types[i]) || !type_fits(scan->program.arguments[i], getBaseType(types[i])))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("scan plan does not expect type %s as argument %d",
							OidIsValid(types[i]) ? format_type_be(types[i]) : "unknown", i + 1)));
	scan->checked = true;
}

/* Code of a text: its place among the column's known values, 0 for any other. */
static int64
text_key(crm_scan *scan, column_reader *reader, Datum datum)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);
	Size		length;
	const char *text;
	crm_status	status;
	uint32		code;

	if (VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value))
	{
		/* No need to fetch what is longer than every value that the rules name. */
		if (!reader->intern && reader->kind == CRM_ARGUMENT_TEXT &&
			toast_raw_datum_size(datum) - VARHDRSZ > reader->values.longest)
			return 0;
		value = pg_detoast_datum_packed(value);
	}
	length = VARSIZE_ANY_EXHDR(value);
	text = VARDATA_ANY(value);
	if (reader->kind == CRM_ARGUMENT_BPCHAR)
		while (length > 0 && text[length - 1] == ' ')
			length--;
	if (!reader->intern)
		return crm_value_find(&reader->values, text, length);

	if (length > MAX_VALUE_BYTES)
	{
		for (uint32 i = 0; i < scan->program.rule_count; i++)
			if (scan->program.rules[i].kind == CRM_RULE_COLUMN && scan->program.rules[i].target == reader->column)
				refuse_long_value(scan, i, length);
		return 0;
	}
	status = crm_value_add(&reader->values, &scan->env, text, length, reader->value_cap, &code);
	if (status == CRM_LIMIT)
	{
		for (uint32 i = 0; i < scan->program.rule_count; i++)
			if (scan->program.rules[i].kind == CRM_RULE_COLUMN && scan->program.rules[i].target == reader->column)
				refuse_many_values(scan, i);
		return 0;
	}
	crm_check(status, "text tag", false);
	return code;
}

static inline void
read_column(crm_scan *scan, column_reader *reader, const NullableDatum *argument, int row)
{
	int64		key = 0;

	if (argument->isnull)
	{
		reader->nulls[row >> 6] |= UINT64CONST(1) << (row & 63);
		return;
	}
	switch ((crm_argument_kind) reader->kind)
	{
		case CRM_ARGUMENT_BOOL:
			key = DatumGetBool(argument->value);
			break;
		case CRM_ARGUMENT_INT2:
			key = DatumGetInt16(argument->value);
			break;
		case CRM_ARGUMENT_INT4:
			key = DatumGetInt32(argument->value);
			break;
		case CRM_ARGUMENT_DATE:
			key = DatumGetDateADT(argument->value);
			break;
		case CRM_ARGUMENT_INT8:
		case CRM_ARGUMENT_TIMESTAMP:
		case CRM_ARGUMENT_TIMESTAMPTZ:
			key = DatumGetInt64(argument->value);
			break;
		case CRM_ARGUMENT_FLOAT4:
			key = crm_float_key(DatumGetFloat4(argument->value));
			break;
		case CRM_ARGUMENT_FLOAT8:
			key = crm_float_key(DatumGetFloat8(argument->value));
			break;
		case CRM_ARGUMENT_NUMERIC:
			key = crm_numeric_key(argument->value, reader->fraction);
			break;
		case CRM_ARGUMENT_TEXT:
		case CRM_ARGUMENT_BPCHAR:
			key = text_key(scan, reader, argument->value);
			break;
		case CRM_ARGUMENT_BOOLEANS:
		case CRM_ARGUMENT_TEXTS:
		case CRM_ARGUMENT_NUMBERS:
			break;				/* no columns are made of these */
	}
	reader->keys[row] = key;
}

/* The array of the rules that the executor evaluates, of the length that the plan says. */
static ArrayType *
executor_array(const NullableDatum *argument, Oid element_type, uint32 length)
{
	ArrayType  *array;

	if (argument->isnull)
		check_plan(CRM_CORRUPT);
	array = DatumGetArrayTypeP(argument->value);
	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != (int) length || ARR_ELEMTYPE(array) != element_type)
		check_plan(CRM_CORRUPT);
	return array;
}

static void
read_booleans(crm_scan *scan, const NullableDatum *argument, int row)
{
	ArrayType  *array = executor_array(argument, BOOLOID, scan->program.executor_booleans);
	const char *data = ARR_DATA_PTR(array);
	const bits8 *present = ARR_NULLBITMAP(array);
	uint64		bit = UINT64CONST(1) << (row & 63);

	for (uint32 i = 0; i < scan->program.executor_booleans; i++)
	{
		/* NULL is no, and has no place in the data */
		if (present != NULL && !(present[i / 8] & (1 << (i % 8))))
			continue;
		if (*data++)
			scan->rules[scan->boolean_rules[i]].truth[row >> 6] |= bit;
	}
}

static void
read_texts(crm_scan *scan, const NullableDatum *argument, int row)
{
	ArrayType  *array = executor_array(argument, TEXTOID, scan->program.executor_texts);
	const char *data = ARR_DATA_PTR(array);
	const bits8 *present = ARR_NULLBITMAP(array);

	for (uint32 i = 0; i < scan->program.executor_texts; i++)
	{
		int			rule = scan->text_rules[i];

		if (present && !(present[i / 8] & (1 << (i % 8))))
		{
			scan->rules[rule].codes[row] = 0;
			continue;
		}
		/* Elements of an array are neither compressed nor stored elsewhere. */
		scan->rules[rule].codes[row] = value_code(scan, rule, VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data));
		data = att_addlength_pointer(data, -1, data);
		data = (const char *) att_align_nominal(data, TYPALIGN_INT);
	}
}

static void
refuse_number(const crm_scan *scan, int rule, Datum number, crm_number_fault fault)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("numeric tag \"%s\" cannot keep the number \"%s\"", crm_scan_rule_name(scan, rule),
					DatumGetCString(DirectFunctionCall1(numeric_out, number))),
			 crm_number_detail(fault)));
}

static void
read_numbers(crm_scan *scan, const NullableDatum *argument, int row)
{
	ArrayType  *array = executor_array(argument, NUMERICOID, scan->program.executor_numbers);
	const char *data = ARR_DATA_PTR(array);
	const bits8 *present = ARR_NULLBITMAP(array);

	for (uint32 i = 0; i < scan->program.executor_numbers; i++)
	{
		int			rule = scan->number_rules[i];
		crm_tag_number *number = &scan->rules[rule].numbers[row];
		crm_number_fault fault;

		number->present = false;
		if (present && !(present[i / 8] & (1 << (i % 8))))
			continue;
		fault = crm_number_take(PointerGetDatum(data), number);
		if (unlikely(fault != CRM_NUMBER_FINE))
			refuse_number(scan, rule, PointerGetDatum(data), fault);
		data = att_addlength_pointer(data, -1, data);
		data = (const char *) att_align_nominal(data, TYPALIGN_INT);
	}
}

static void
begin_batch(crm_scan *scan)
{
	memset(scan->batch.nulls, 0, sizeof(uint64) * CRM_BATCH_WORDS * scan->program.column_count);
	for (uint32 i = 0; i < scan->program.executor_booleans; i++)
		memset(scan->rules[scan->boolean_rules[i]].truth, 0, sizeof(uint64) * CRM_BATCH_WORDS);
}

void
crm_scan_row(crm_scan *scan, const NullableDatum *arguments, int row)
{
	column_reader *reader = scan->readers;
	const column_reader *end = reader + scan->program.column_count;

	if (row == 0)
		begin_batch(scan);
	for (; reader < end; reader++)
		read_column(scan, reader, &arguments[reader->argument], row);
	if (scan->booleans >= 0)
		read_booleans(scan, &arguments[scan->booleans], row);
	if (scan->texts >= 0)
		read_texts(scan, &arguments[scan->texts], row);
	if (scan->numbers >= 0)
		read_numbers(scan, &arguments[scan->numbers], row);
}

/* ---- answers --------------------------------------------------------------------- */

/* Code, within the rule, of a value of the program. */
static uint16
string_code(crm_scan *scan, int rule, uint32 place, uint32 string)
{
	rule_state *state = &scan->rules[rule];
	const crm_string *value = &scan->program.strings[string];

	if (state->met[place] == 0)
		state->met[place] = value_code(scan, rule, value->text, value->length);
	return state->met[place];
}

static void
run_case(crm_scan *scan, int number, int rows)
{
	const crm_program_rule *rule = &scan->program.rules[number];
	uint16	   *codes = scan->rules[number].codes;
	uint64		open[CRM_BATCH_WORDS];

	for (int w = 0; w < CRM_BATCH_WORDS; w++)
	{
		int			here = rows - w * 64;

		open[w] = here >= 64 ? ~UINT64CONST(0) : here <= 0 ? 0 : (UINT64CONST(1) << here) - 1;
	}
	memset(codes, 0, sizeof(uint16) * CRM_BATCH_ROWS);
	for (uint32 i = 0; i <= rule->arm_count; i++)
	{
		bool		otherwise = i == rule->arm_count;
		uint32		value = otherwise ? rule->otherwise : scan->program.arms[rule->first_arm + i].value;
		const uint64 *arm_rows = otherwise ? open :
			scan->batch.rows + (size_t) scan->program.arms[rule->first_arm + i].node * CRM_BATCH_WORDS;

		for (int w = 0; w < CRM_BATCH_WORDS; w++)
		{
			uint64		taken = open[w] & arm_rows[w];

			open[w] &= ~taken;
			if (value == CRM_PROGRAM_NONE || taken == 0)
				continue;
			for (uint16 code = string_code(scan, number, i, value); taken != 0; taken &= taken - 1)
				codes[w * 64 + crm_ctz64(taken)] = code;
		}
	}
}

static void
run_column(crm_scan *scan, int number, int rows)
{
	column_reader *reader = &scan->readers[scan->program.rules[number].target];
	rule_state *state = &scan->rules[number];
	uint32		otherwise = scan->program.rules[number].otherwise;

	if (reader->values.count >= state->met_room)
	{
		uint32		room = Max(64, reader->values.count * 2);

		state->met = state->met ? repalloc(state->met, sizeof(uint16) * room) :
			MemoryContextAlloc(scan->context, sizeof(uint16) * room);
		memset(state->met + state->met_room, 0, sizeof(uint16) * (room - state->met_room));
		state->met_room = room;
	}
	for (int row = 0; row < rows; row++)
	{
		int64		key = reader->keys[row];

		if (reader->nulls[row >> 6] >> (row & 63) & 1)
		{
			if (state->null_code == 0 && otherwise != CRM_PROGRAM_NONE)
				state->null_code = value_code(scan, number, scan->program.strings[otherwise].text,
											  scan->program.strings[otherwise].length);
			state->codes[row] = state->null_code;
		}
		else
		{
			if (state->met[key] == 0)
				state->met[key] = value_code(scan, number, reader->values.entries[key - 1].text,
											 reader->values.entries[key - 1].length);
			state->codes[row] = state->met[key];
		}
	}
}

void
crm_scan_run(crm_scan *scan, int rows)
{
	crm_batch_run(&scan->batch, rows);
	for (uint32 i = 0; i < scan->program.rule_count; i++)
	{
		if (scan->program.rules[i].kind == CRM_RULE_CASE)
			run_case(scan, i, rows);
		else if (scan->program.rules[i].kind == CRM_RULE_COLUMN)
			run_column(scan, i, rows);
	}
}

const uint64 *
crm_scan_truth(const crm_scan *scan, int rule)
{
	return scan->rules[rule].truth;
}

const uint16 *
crm_scan_codes(const crm_scan *scan, int rule)
{
	return scan->rules[rule].codes;
}

const crm_tag_number *
crm_scan_numbers(const crm_scan *scan, int rule)
{
	return scan->rules[rule].numbers;
}
