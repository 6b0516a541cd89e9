/*
 * scan_state.c - the state of tag_scan_agg as a value of type crm.agg_state:
 * expanded while it is filled, flat when it goes to another process.
 */
#include "common/crm.h"

#include "common/agg_state.h"
#include "common/bridge.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "tag/number_tag.h"
#include "tag/scan_state.h"

#define STATE_MAGIC 0x53544147	/* of the expanded object */
#define FLAT_VERSION 1			/* everything behind the header is little-endian and unaligned */
#define TYPE_NAME "crm.agg_state"

static Size get_flat_size(ExpandedObjectHeader *header);
static void flatten_into(ExpandedObjectHeader *header, void *result, Size size);

static const ExpandedObjectMethods methods = {get_flat_size, flatten_into};

/* ---- making ----------------------------------------------------------------- */

crm_scan_state *
crm_scan_state_new(MemoryContext parent, const bytea *plan, int chunk_bits)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm tag scan", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	crm_scan_state *state = palloc0(sizeof(crm_scan_state));
	bool	   *is_text;
	int			rules;

	EOH_init_header(&state->header, &methods, context);
	state->magic = STATE_MAGIC;
	state->context = context;
	state->env = crm_env_in(context);
	state->chunk_bits = chunk_bits;
	state->null_scope = UINT32_MAX;
	state->plan = palloc(VARSIZE_ANY(plan));
	memcpy(state->plan, plan, VARSIZE_ANY(plan));
	state->scan = crm_scan_new(state->plan, context);
	rules = crm_scan_rules(state->scan);
	is_text = palloc0(rules + 1);
	for (int i = 0; i < rules; i++)
		is_text[i] = crm_scan_rule_is_text(state->scan, i);
	crm_check(crm_tag_sets_new(&state->env, chunk_bits, rules, is_text, &state->sets), TYPE_NAME, true);
	for (int i = 0; i < rules; i++)
		if (crm_scan_rule_is_number(state->scan, i))
			crm_tag_sets_set_numeric(state->sets, i);
	MemoryContextSwitchTo(old);
	return state;
}

/* Index of a scope, added when it is new. */
uint32
crm_scan_state_scope(crm_scan_state *state, const char *text, Size length)
{
	uint32		code;
	bool		is_new = false;

	if (text == NULL)
	{
		if (state->null_scope != UINT32_MAX)
			return state->null_scope;
		is_new = true;
	}
	else
	{
		uint32		known = state->scopes.count;

		crm_check(crm_value_add(&state->scopes, &state->env, text, length, 1000000, &code), "scope", false);
		if (state->scopes.count == known)
			return code - 1 + (state->null_scope != UINT32_MAX && state->null_scope <= code - 1 ? 1 : 0);
		is_new = true;
	}
	if (is_new)
	{
		MemoryContext old = MemoryContextSwitchTo(state->context);

		if (state->scope_names == NULL)
			state->scope_names = palloc(8 * sizeof(char *));
		else if (state->scope_count >= 8 && (state->scope_count & (state->scope_count - 1)) == 0)
			state->scope_names = repalloc(state->scope_names, 2 * state->scope_count * sizeof(char *));
		state->scope_names[state->scope_count] = text == NULL ? NULL : pnstrdup(text, length);
		if (text == NULL)
			state->null_scope = state->scope_count;
		state->scope_count++;
		MemoryContextSwitchTo(old);
	}
	return state->scope_count - 1;
}

void
crm_scan_state_maps(crm_scan_state *state, const crm_scan_state *other, uint32 **scope_map, uint16 ***code_maps)
{
	int			rules = crm_scan_rules(state->scan);

	*scope_map = palloc((other->scope_count + 1) * sizeof(uint32));
	for (uint32 i = 0; i < other->scope_count; i++)
		(*scope_map)[i] = crm_scan_state_scope(state, other->scope_names[i],
											   other->scope_names[i] == NULL ? 0 : strlen(other->scope_names[i]));
	*code_maps = palloc0((rules + 1) * sizeof(uint16 *));
	for (int i = 0; i < rules; i++)
	{
		int			values;

		if (!crm_scan_rule_is_text(state->scan, i))
			continue;
		values = crm_scan_value_count(other->scan, i);
		(*code_maps)[i] = palloc0((values + 1) * sizeof(uint16));
		for (int code = 1; code <= values; code++)
			(*code_maps)[i][code] = crm_scan_value_code(state->scan, i, crm_scan_value(other->scan, i, code));
	}
}

void
crm_scan_state_flush(crm_scan_state *state)
{
	int			rules = crm_scan_rules(state->scan);

	if (state->rows == 0)
		return;
	crm_scan_run(state->scan, state->rows);
	crm_check(crm_tag_sets_place(state->sets, state->row_scopes, state->ids, state->rows), TYPE_NAME, false);
	for (int i = 0; i < rules; i++)
		if (crm_scan_rule_is_number(state->scan, i))
			crm_scan_check_numbers(state, i, crm_tag_sets_add_numbers(state->sets, i, crm_scan_numbers(state->scan, i)));
		else
			crm_check(crm_scan_rule_is_text(state->scan, i) ?
					  crm_tag_sets_add_codes(state->sets, i, crm_scan_codes(state->scan, i)) :
					  crm_tag_sets_add_truth(state->sets, i, crm_scan_truth(state->scan, i)),
					  TYPE_NAME, false);
	state->rows = 0;
}

void
crm_scan_check_numbers(const crm_scan_state *state, int rule, crm_status status)
{
	if (unlikely(status == CRM_OUT_OF_RANGE))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("numbers of tag \"%s\" have too many digits together", crm_scan_rule_name(state->scan, rule)),
				 crm_number_detail(CRM_NUMBER_WIDE),
				 errhint("Round them in the rule, for example round(..., 2).")));
	crm_check(status, TYPE_NAME, false);
}

/* ---- the flat form ------------------------------------------------------------- */

static void
put_u32(StringInfo buffer, uint32 value)
{
	uint8		bytes[4];

	crm_store32(bytes, value);
	appendBinaryStringInfo(buffer, (char *) bytes, 4);
}

static void
put_u64(StringInfo buffer, uint64 value)
{
	uint8		bytes[8];

	crm_store64(bytes, value);
	appendBinaryStringInfo(buffer, (char *) bytes, 8);
}

static void
put_bytes(StringInfo buffer, const char *data, Size size)
{
	put_u32(buffer, (uint32) size);
	appendBinaryStringInfo(buffer, data, (int) size);
}

static Size
get_flat_size(ExpandedObjectHeader *header)
{
	crm_scan_state *state = (crm_scan_state *) header;
	MemoryContext old;
	StringInfoData front;
	uint8	   *sets;
	size_t		sets_size;
	int			rules;

	Assert(state->magic == STATE_MAGIC);
	if (state->flat != NULL)
		return state->flat_size;
	old = MemoryContextSwitchTo(state->context);
	crm_scan_state_flush(state);
	initStringInfo(&front);
	put_bytes(&front, VARDATA_ANY(state->plan), VARSIZE_ANY_EXHDR(state->plan));
	put_u32(&front, (uint32) state->chunk_bits);
	put_u64(&front, state->null_keys);
	put_u64(&front, state->negative_keys);
	put_u64(&front, (uint64) state->negative_key);
	put_u32(&front, state->scope_count);
	for (uint32 i = 0; i < state->scope_count; i++)
	{
		appendStringInfoChar(&front, state->scope_names[i] == NULL);
		if (state->scope_names[i] != NULL)
			put_bytes(&front, state->scope_names[i], strlen(state->scope_names[i]));
	}
	rules = crm_scan_rules(state->scan);
	for (int i = 0; i < rules; i++)
	{
		int			values = crm_scan_rule_is_text(state->scan, i) ? crm_scan_value_count(state->scan, i) : 0;

		put_u32(&front, (uint32) values);
		for (int code = 1; code <= values; code++)
		{
			const char *value = crm_scan_value(state->scan, i, code);

			put_bytes(&front, value, strlen(value));
		}
	}
	crm_check(crm_tag_sets_write(state->sets, &sets, &sets_size), TYPE_NAME, false);

	state->flat_size = CRM_AGG_STATE_HEADER + front.len + sets_size;
	if (state->flat_size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the sets of one parallel worker need %zu bytes", state->flat_size),
				 errdetail("What goes from one process to another holds at most %zu bytes.", (Size) MaxAllocSize),
				 errhint("Lower crm_analytics.refresh_memory, so that fewer tags go into one scan.")));
	state->flat = MemoryContextAllocHuge(state->context, front.len + sets_size);
	memcpy(state->flat, front.data, front.len);
	memcpy(state->flat + front.len, sets, sets_size);
	pfree(front.data);
	pfree(sets);
	MemoryContextSwitchTo(old);
	return state->flat_size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	crm_scan_state *state = (crm_scan_state *) header;
	crm_agg_state *flat = result;

	Assert(size == state->flat_size);
	crm_agg_state_init(flat, size, CRM_STATE_TAG_SCAN, FLAT_VERSION);
	memcpy(flat->data, state->flat, size - CRM_AGG_STATE_HEADER);
	pfree(state->flat);
	state->flat = NULL;
}

/* ---- reading the flat form -------------------------------------------------------- */

typedef struct flat_reader
{
	const uint8 *p;
	Size		left;
} flat_reader;

static void
damaged(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid value for type %s", TYPE_NAME)));
}

static uint32
get_u32(flat_reader *reader)
{
	uint32		value;

	if (reader->left < 4)
		damaged();
	value = crm_load32(reader->p);
	reader->p += 4;
	reader->left -= 4;
	return value;
}

static uint64
get_u64(flat_reader *reader)
{
	uint64		low = get_u32(reader);

	return low | (uint64) get_u32(reader) << 32;
}

static const char *
get_bytes(flat_reader *reader, Size *size)
{
	const char *data;

	*size = get_u32(reader);
	if (reader->left < *size)
		damaged();
	data = (const char *) reader->p;
	reader->p += *size;
	reader->left -= *size;
	return data;
}

/* A string in the database's encoding, without a zero byte. */
static char *
get_string(flat_reader *reader)
{
	Size		size;
	const char *data = get_bytes(reader, &size);

	if (memchr(data, 0, size) != NULL)
		damaged();
	(void) pg_verifymbstr(data, (int) size, false);
	return pnstrdup(data, size);
}

static void
require_same_scan(const crm_scan_state *a, const crm_scan_state *b)
{
	if (VARSIZE_ANY(a->plan) != VARSIZE_ANY(b->plan) ||
		memcmp(VARDATA_ANY(a->plan), VARDATA_ANY(b->plan), VARSIZE_ANY_EXHDR(a->plan)) != 0 ||
		a->chunk_bits != b->chunk_bits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("states of different scans cannot be merged")));
}

/* The sets go into another state, where one is given. */
static crm_scan_state *
read_flat(const crm_agg_state *flat, MemoryContext parent, crm_scan_state *into)
{
	flat_reader reader = {(const uint8 *) flat->data, VARSIZE(flat) - CRM_AGG_STATE_HEADER};
	crm_scan_state *state;
	Size		size;
	const char *data;
	bytea	   *plan;
	uint32		n;
	uint32		bits;
	uint32	   *code_limits;
	int			rules;

	data = get_bytes(&reader, &size);
	plan = palloc(VARHDRSZ + size);
	SET_VARSIZE(plan, VARHDRSZ + size);
	memcpy(VARDATA(plan), data, size);
	bits = get_u32(&reader);
	if (bits < CRM_CHUNK_BITS || bits > 62)
		damaged();
	state = crm_scan_state_new(parent, plan, (int) bits);
	state->null_keys = get_u64(&reader);
	state->negative_keys = get_u64(&reader);
	state->negative_key = (int64) get_u64(&reader);
	n = get_u32(&reader);
	for (uint32 i = 0; i < n; i++)
	{
		uint32		before = state->scope_count;
		char	   *name = NULL;

		if (reader.left < 1 || *reader.p > 1)
			damaged();
		reader.left--;
		if (*reader.p++ == 0)
			name = get_string(&reader);
		if (crm_scan_state_scope(state, name, name == NULL ? 0 : strlen(name)) != before)
			damaged();			/* twice the same scope */
	}
	rules = crm_scan_rules(state->scan);
	code_limits = palloc0((rules + 1) * sizeof(uint32));
	for (int i = 0; i < rules; i++)
	{
		n = get_u32(&reader);
		if (n > 0 && !crm_scan_rule_is_text(state->scan, i))
			damaged();
		for (uint32 k = 0; k < n; k++)
			/* a plan may bring values of its own, in the same order */
			if (crm_scan_value_code(state->scan, i, get_string(&reader)) != k + 1)
				damaged();
		code_limits[i] = n;
	}
	if (into == NULL)
		crm_check(crm_tag_sets_read(state->sets, reader.p, reader.left, state->scope_count, code_limits), TYPE_NAME, true);
	else
	{
		uint32	   *scope_map;
		uint16	  **code_maps;
		crm_status	status;

		require_same_scan(into, state);
		crm_scan_state_maps(into, state, &scope_map, &code_maps);
		status = crm_tag_sets_merge_read(into->sets, scope_map, code_maps, state->sets, reader.p, reader.left, state->scope_count, code_limits);
		if (status == CRM_OUT_OF_RANGE)
			crm_scan_check_numbers(into, crm_tag_sets_crowded(into->sets), status);
		crm_check(status, TYPE_NAME, true);
	}
	return state;
}

crm_scan_state *
crm_scan_state_get(Datum value, MemoryContext in_context)
{
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		crm_scan_state *state = (crm_scan_state *) DatumGetEOHP(value);

		if (state->header.eoh_methods != &methods || state->magic != STATE_MAGIC)
			elog(ERROR, "not the state of a tag scan");
		return state;
	}
	return read_flat(crm_agg_state_fetch(value, CRM_STATE_TAG_SCAN, FLAT_VERSION, CRM_AGG_STATE_HEADER), in_context, NULL);
}

uint64
crm_scan_state_merge(crm_scan_state *state, Datum value)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "crm tag scan merge", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	crm_scan_state *other;
	uint64		customers;

	crm_scan_state_flush(state);
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		uint32	   *scope_map;
		uint16	  **code_maps;
		crm_status	status;

		other = crm_scan_state_get(value, scratch);
		require_same_scan(state, other);
		crm_scan_state_flush(other);
		crm_scan_state_maps(state, other, &scope_map, &code_maps);
		status = crm_tag_sets_merge(state->sets, other->sets, scope_map, code_maps);
		crm_scan_check_numbers(state, crm_tag_sets_crowded(state->sets), status);
	}
	else
		other = read_flat(crm_agg_state_fetch(value, CRM_STATE_TAG_SCAN, FLAT_VERSION, CRM_AGG_STATE_HEADER), scratch, state);
	state->null_keys += other->null_keys;
	if (other->negative_keys > 0 && (state->negative_keys == 0 || other->negative_key > state->negative_key))
		state->negative_key = other->negative_key;
	state->negative_keys += other->negative_keys;
	customers = crm_tag_sets_customers(other->sets);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return customers;
}
