/*
 * demand_state.c - the state of unmet_demand, and its result.
 *
 * Of each segment and term, demands and customers are counted.  There are few groups
 * of many timelines: the state is an expanded object, and one crm.agg_state on the
 * way to another process.
 */
#include "behavior/demand_state.h"

#include "catalog/pg_type.h"
#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/expanded_state.h"
#include "common/result_rows.h"
#include "common/settings.h"
#include "kernel/significance.h"
#include "kernel/value_table.h"
#include "mb/pg_wchar.h"
#include "utils/timestamp.h"

CRM_FUNCTION(crm_unmet_demand_combinefn);
CRM_FUNCTION(crm_unmet_demand_finalfn);

#define DEMAND_STATE_VERSION 1
/* Pairs of segment and term. */
#define MAX_PAIRS 1000000
/* Of a row of the result, beside its texts: a value of its own, and the one in the array. */
#define ROW_BYTES (sizeof(Datum) + 400)

struct demand_state
{
	ExpandedObjectHeader header;
	crm_env		env;
	uint64		parameters;		/* hash of what must be the same for all rows */
	int64		min_customers;
	crm_value_table pairs;		/* segments and terms, as pair_key makes them */
	demand_counts *counts;		/* of code 1, 2 ... */
	uint32		room;
};

/* ---- the state ---------------------------------------------------------------------- */

/* After the header: parameters and min_customers (8 bytes each), pairs (4 bytes), 4 bytes 0, then of each pair its six counts and its key behind its length (4 bytes). */
#define DEMAND_HEADER (CRM_AGG_STATE_HEADER + 24)
#define COUNTS_BYTES 48

static Size
flat_size(ExpandedObjectHeader *header)
{
	const demand_state *state = (const demand_state *) header;
	Size		size = DEMAND_HEADER;

	for (uint32 i = 0; i < state->pairs.count; i++)
		size += COUNTS_BYTES + 4 + state->pairs.entries[i].length;
	crm_check_size(size, "crm.agg_state");
	return size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const demand_state *state = (const demand_state *) header;
	uint8	   *out = (uint8 *) ((crm_agg_state *) result)->data;

	crm_agg_state_init(result, size, CRM_STATE_UNMET_DEMAND, DEMAND_STATE_VERSION);
	crm_store64(out, state->parameters);
	crm_store64(out + 8, (uint64) state->min_customers);
	crm_store32(out + 16, state->pairs.count);
	crm_store32(out + 20, 0);
	out += 24;
	for (uint32 i = 0; i < state->pairs.count; i++)
	{
		const demand_counts *c = &state->counts[i + 1];
		uint64		numbers[6] = {c->demands, c->met, c->customers, c->met_customers, (uint64) c->first, (uint64) c->last};

		for (int k = 0; k < 6; k++)
			crm_store64(out + 8 * k, numbers[k]);
		crm_store32(out + COUNTS_BYTES, state->pairs.entries[i].length);
		memcpy(out + COUNTS_BYTES + 4, state->pairs.entries[i].text, state->pairs.entries[i].length);
		out += COUNTS_BYTES + 4 + state->pairs.entries[i].length;
	}
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use);

static const crm_expanded_kind demand_kind = {{flat_size, flatten_into}, add_flat};

static demand_state *
new_state(MemoryContext parent, uint64 parameters, int64 min_customers)
{
	MemoryContext context = AllocSetContextCreate(parent, "unmet demand", ALLOCSET_DEFAULT_SIZES);
	demand_state *state = MemoryContextAllocZero(context, sizeof(demand_state));

	EOH_init_header(&state->header, &demand_kind.methods, context);
	state->env = crm_env_in(context);
	state->parameters = parameters;
	state->min_customers = min_customers;
	state->room = 64;
	state->counts = MemoryContextAllocZero(context, sizeof(demand_counts) * state->room);
	return state;
}

static void
check_same(const demand_state *state, uint64 parameters, int64 min_customers)
{
	if (state->parameters != parameters || state->min_customers != min_customers)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within, until, wanted, bought and options of unmet_demand must be the same for all rows of one group")));
}

/* Before the state, or what is made of it, takes so much more. */
static void
require_memory(const demand_state *state, Size more)
{
	Size		allowed = (Size) crm_training_memory * 1024;

	if (MemoryContextMemAllocated(state->header.eoh_context, true) + more > allowed)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("terms of unmet_demand need more than crm_analytics.training_memory"),
				 errdetail("%u pairs of segment and term are kept; the setting allows %d kB.", state->pairs.count, crm_training_memory),
				 errhint("Raise crm_analytics.training_memory, or take fewer segments or a shorter time.")));
}

/* Adds counts of a pair. */
static void
add_counts(demand_state *state, const char *key, Size length, const demand_counts *more)
{
	uint32		code = 0;
	crm_status	status = crm_value_add(&state->pairs, &state->env, key, length, MAX_PAIRS, &code);
	demand_counts *c;

	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d different terms and segments in unmet_demand", MAX_PAIRS),
				 errhint("Take fewer segments or a shorter time.")));
	crm_check(status, "crm.agg_state", false);
	if (code == state->pairs.count)
		require_memory(state, code >= state->room ? sizeof(demand_counts) * state->room * 2 : 0);
	if (code >= state->room)
	{
		state->counts = repalloc_huge(state->counts, sizeof(demand_counts) * state->room * 2);
		memset(state->counts + state->room, 0, sizeof(demand_counts) * state->room);
		state->room *= 2;
	}
	c = &state->counts[code];
	c->first = c->customers == 0 ? more->first : Min(c->first, more->first);
	c->last = c->customers == 0 ? more->last : Max(c->last, more->last);
	c->demands += more->demands;
	c->met += more->met;
	c->customers += more->customers;
	c->met_customers += more->met_customers;
}

/* A key: 4 bytes 0 where there is no segment, else its length and 1; its bytes; the term's. */
static char *
pair_key(const text *segment, const char *term, Size term_size, Size *length)
{
	Size		segment_size = segment == NULL ? 0 : VARSIZE_ANY_EXHDR(segment);
	char	   *key = palloc(4 + segment_size + term_size);

	crm_store32(key, segment == NULL ? 0 : (uint32) segment_size + 1);
	if (segment_size > 0)
		memcpy(key + 4, VARDATA_ANY(segment), segment_size);
	memcpy(key + 4 + segment_size, term, term_size);
	*length = 4 + segment_size + term_size;
	return key;
}

/* The parts of a key; false for one that is none. */
static bool
read_key(const char *key, Size length, crm_text *segment, crm_text *term)
{
	uint32		mark;

	if (length < 4)
		return false;
	mark = crm_load32(key);
	if (mark > 0 && mark - 1 > length - 4)
		return false;
	*segment = (crm_text) {mark == 0 ? NULL : key + 4, mark == 0 ? 0 : mark - 1};
	*term = (crm_text) {key + 4 + segment->size, length - 4 - segment->size};
	return pg_verifymbstr(segment->size == 0 ? "" : segment->data, (int) segment->size, true) && pg_verifymbstr(term->data, (int) term->size, true);
}

static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use)
{
	demand_state *state = at_hand;
	crm_agg_state *flat = crm_agg_state_fetch(value, CRM_STATE_UNMET_DEMAND, DEMAND_STATE_VERSION, DEMAND_HEADER);
	const uint8 *in = (const uint8 *) flat->data;
	const uint8 *end = (const uint8 *) flat + VARSIZE(flat);
	uint64		parameters = crm_load64(in);
	int64		min_customers = (int64) crm_load64(in + 8);
	uint32		count = crm_load32(in + 16);

	if (min_customers < 1 || crm_load32(in + 20) != 0)
		crm_agg_state_damaged("A parameter in a state of unmet_demand is out of its range.");
	if (state == NULL)
		state = new_state(parent, parameters, min_customers);
	check_same(state, parameters, min_customers);
	in += 24;
	for (uint32 i = 0; i < count; i++)
	{
		demand_counts c;
		uint32		length;
		crm_text	segment;
		crm_text	term;

		if (end - in < COUNTS_BYTES + 4 || end - in - COUNTS_BYTES - 4 < (length = crm_load32(in + COUNTS_BYTES)))
			crm_agg_state_damaged("The terms in a state of unmet_demand are not whole.");
		c = (demand_counts) {crm_load64(in), crm_load64(in + 8), crm_load64(in + 16), crm_load64(in + 24), (int64) crm_load64(in + 32), (int64) crm_load64(in + 40)};
		if (c.customers == 0 || c.customers > c.demands || c.met > c.demands || c.met_customers > c.customers || c.met_customers > c.met ||
			c.demands > (uint64) 1 << 53 || c.first > c.last || !IS_VALID_TIMESTAMP(c.first) || !IS_VALID_TIMESTAMP(c.last))
			crm_agg_state_damaged("The counts of a term are impossible.");
		if (!read_key((const char *) in + COUNTS_BYTES + 4, length, &segment, &term))
			crm_agg_state_damaged("A term in a state is not a text of this database's encoding.");
		add_counts(state, (const char *) in + COUNTS_BYTES + 4, length, &c);
		in += COUNTS_BYTES + 4 + length;
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	if (in != end)
		crm_agg_state_damaged("The terms in a state of unmet_demand are not whole.");
	return state;
}

demand_state *
behavior_demand_state(FunctionCallInfo fcinfo, MemoryContext aggcontext, uint64 parameters, int64 min_customers)
{
	demand_state *state;

	if (PG_ARGISNULL(0))
		return new_state(aggcontext, parameters, min_customers);
	state = crm_expanded_writable(&demand_kind, NULL, PG_GETARG_DATUM(0), aggcontext);
	check_same(state, parameters, min_customers);
	return state;
}

void
behavior_demand_add(demand_state *state, const text *segment, crm_text term, const demand_counts *counts)
{
	Size		length;
	char	   *key = pair_key(segment, term.data, term.size, &length);

	add_counts(state, key, length, counts);
}

Datum
behavior_demand_datum(demand_state *state)
{
	return EOHPGetRWDatum(&state->header);
}

Datum
crm_unmet_demand_combinefn(PG_FUNCTION_ARGS)
{
	return crm_expanded_combine(fcinfo, &demand_kind, NULL, "unmet_demand");
}

/* ---- the result ----------------------------------------------------------------------------- */

typedef struct demand_row
{
	crm_text	segment;
	crm_text	term;
	const demand_counts *counts;
	double		usual;			/* share of unmet customers in the segment */
	double		share;
	double		lower;
	double		excess;
} demand_row;

static int
compare_texts(crm_text a, crm_text b)
{
	int			order = memcmp(a.data, b.data, Min(a.size, b.size));

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* By bytes, so that no collation matters; those without segment last. */
static int
compare_segments(const demand_row *a, const demand_row *b)
{
	if (a->segment.data == NULL || b->segment.data == NULL)
		return (a->segment.data == NULL) - (b->segment.data == NULL);
	return compare_texts(a->segment, b->segment);
}

static int
by_segment(const void *a, const void *b)
{
	return compare_segments(a, b);
}

static int
by_excess(const void *a, const void *b)
{
	const demand_row *x = a;
	const demand_row *y = b;
	int			order = compare_segments(x, y);

	if (order != 0)
		return order;
	if (x->excess != y->excess)
		return x->excess > y->excess ? -1 : 1;
	return compare_texts(x->term, y->term);
}

/* Judges the rows of each segment against all of it. */
static void
judge(demand_row *rows, uint32 count)
{
	for (uint32 from = 0, to; from < count; from = to)
	{
		uint64		customers = 0;
		uint64		met = 0;

		for (to = from; to < count && compare_segments(&rows[to], &rows[from]) == 0; to++)
		{
			customers += rows[to].counts->customers;
			met += rows[to].counts->met_customers;
		}
		for (uint32 i = from; i < to; i++)
		{
			const demand_counts *c = rows[i].counts;
			double		upper;

			rows[i].usual = (double) (customers - met) / (double) customers;
			rows[i].share = (double) (c->customers - c->met_customers) / (double) c->customers;
			crm_wilson(rows[i].share, (double) c->customers, &rows[i].lower, &upper);
			rows[i].excess = (rows[i].lower - rows[i].usual) * (double) c->customers;
		}
		CHECK_FOR_INTERRUPTS();
	}
}

/* No timelines: NULL; without demands no rows. */
Datum
crm_unmet_demand_finalfn(PG_FUNCTION_ARGS)
{
	const demand_state *state;
	demand_row *rows;
	uint32		count;
	Size		bytes = 0;
	crm_result_rows result;

	state = crm_expanded_final(fcinfo, &demand_kind, NULL, "unmet_demand");
	if (state == NULL)
		PG_RETURN_NULL();
	count = state->pairs.count;
	for (uint32 i = 0; i < count; i++)
		if (state->counts[i + 1].customers >= (uint64) state->min_customers)
			bytes += ROW_BYTES + 2 * (Size) state->pairs.entries[i].length;
	require_memory(state, bytes + sizeof(demand_row) * ((Size) count + 1));
	rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(demand_row) * ((Size) count + 1));
	for (uint32 i = 0; i < count; i++)
	{
		rows[i].counts = &state->counts[i + 1];
		read_key(state->pairs.entries[i].text, state->pairs.entries[i].length, &rows[i].segment, &rows[i].term);
	}
	qsort(rows, count, sizeof(demand_row), by_segment);
	judge(rows, count);
	qsort(rows, count, sizeof(demand_row), by_excess);
	result = crm_result_rows_begin(fcinfo, count);
	for (uint32 i = 0; i < count; i++)
	{
		const demand_row *row = &rows[i];
		Datum		values[12];
		bool		nulls[12] = {row->segment.data == NULL};

		if (row->counts->customers < (uint64) state->min_customers)
			continue;
		values[0] = nulls[0] ? (Datum) 0 : PointerGetDatum(cstring_to_text_with_len(row->segment.data, (int) row->segment.size));
		values[1] = PointerGetDatum(cstring_to_text_with_len(row->term.data, (int) row->term.size));
		values[2] = Int64GetDatum((int64) row->counts->demands);
		values[3] = Int64GetDatum((int64) (row->counts->demands - row->counts->met));
		values[4] = Int64GetDatum((int64) row->counts->customers);
		values[5] = Int64GetDatum((int64) (row->counts->customers - row->counts->met_customers));
		values[6] = Float8GetDatum(row->share);
		values[7] = Float8GetDatum(row->lower);
		values[8] = Float8GetDatum(row->usual);
		values[9] = Float8GetDatum(row->excess);
		values[10] = TimestampTzGetDatum(row->counts->first);
		values[11] = TimestampTzGetDatum(row->counts->last);
		crm_result_rows_add(&result, values, nulls);
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_DATUM(crm_result_rows_end(&result));
}
