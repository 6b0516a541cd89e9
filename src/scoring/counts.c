/*
 * counts.c - states that count rows by a few numbers, for the aggregates of
 * purchases.c and survival.c.
 *
 * On the way to another process a state is one crm.agg_state: family (4 bytes),
 * constant (8), number of groups (4), each group's length (4) and bytes, then the
 * table as its kernel writes it; numbers little-endian.
 */
#include "scoring/counts.h"

#include <math.h>

#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/expanded_state.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

CRM_FUNCTION(crm_counts_combinefn);

#define COUNTS_STATE_VERSION 1
#define COUNTS_STATE_FIXED 16
/* Different customers; half a million of them are 16 MB. */
#define MAX_DIFFERENT (1 << 19)
#define MAX_GROUPS 1000
#define MAX_GROUP_BYTES 1000

/* Numbers of a key, and how many at its front are never rounded. */
static void
init_table(crm_count_table *table, const crm_env *env, counts_family family)
{
	static const struct
	{
		uint32		width;
		uint32		exact;
	}			shape[] = {
		[COUNTS_PURCHASES] = {3, 1},
		[COUNTS_VALUES] = {2, 1},
		[COUNTS_SURVIVAL] = {2, 1},
		[COUNTS_LOG_RANK] = {3, 2}
	};

	crm_counts_init(table, env, shape[family].width, shape[family].exact, MAX_DIFFERENT);
}

static void
check_counts(crm_status status)
{
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different rows"),
				 errdetail("At most %d are told apart, when numbers are rounded to powers of two.", MAX_DIFFERENT),
				 errhint("Round the numbers, such as times to whole days.")));
	if (status == CRM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of rows is out of range")));
	crm_check(status, "crm.agg_state", false);
}

/* ---- the expanded object ------------------------------------------------------ */

static Size
flat_size(ExpandedObjectHeader *header)
{
	const counts_state *state = (const counts_state *) header;
	Size		size = CRM_AGG_STATE_HEADER + COUNTS_STATE_FIXED + crm_counts_size(&state->table);

	for (uint32 i = 0; i < state->groups.count; i++)
		size += 4 + state->groups.entries[i].length;
	crm_check_size(size, "crm.agg_state");
	return size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	const counts_state *state = (const counts_state *) header;
	uint8	   *out = (uint8 *) ((crm_agg_state *) result)->data;
	uint64		constant;

	crm_agg_state_init(result, size, CRM_STATE_COUNTS, COUNTS_STATE_VERSION);
	memcpy(&constant, &state->constant, sizeof(constant));
	crm_store32(out, state->family);
	crm_store64(out + 4, constant);
	crm_store32(out + 12, state->groups.count);
	out += COUNTS_STATE_FIXED;
	for (uint32 i = 0; i < state->groups.count; i++)
	{
		const crm_value_entry *group = &state->groups.entries[i];

		crm_store32(out, group->length);
		memcpy(out + 4, group->text, group->length);
		out += 4 + group->length;
	}
	check_counts(crm_counts_write(&state->table, out));
}

static void *add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use);

static const crm_expanded_kind counts_kind = {{flat_size, flatten_into}, add_flat};

static counts_state *
new_state(MemoryContext parent, counts_family family, double constant)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm counted rows", ALLOCSET_DEFAULT_SIZES);
	counts_state *state = MemoryContextAllocZero(context, sizeof(counts_state));
	crm_env		env = crm_env_in(context);

	EOH_init_header(&state->header, &counts_kind.methods, context);
	state->context = context;
	state->family = family;
	state->constant = constant;
	init_table(&state->table, &env, family);
	return state;
}

static uint32
group_number(counts_state *state, const char *text, Size length)
{
	crm_env		env = crm_env_in(state->context);
	uint32		code;
	crm_status	status = crm_value_add(&state->groups, &env, text, length, MAX_GROUPS, &code);

	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d groups to compare", MAX_GROUPS)));
	check_counts(status);
	return code - 1;
}

/* ---- flat states --------------------------------------------------------------------- */

/* Adds the rows of another table, whose group i has number numbers[i] here. */
static void
add_renumbered(counts_state *state, const crm_count_table *other, const uint32 *numbers, uint32 count)
{
	for (uint32 i = 0; i < other->places; i++)
	{
		crm_count	entry = other->entries[i];

		if (entry.rows == 0)
			continue;
		if (!(entry.key[0] >= 0 && entry.key[0] < count) || entry.key[0] != floor(entry.key[0]))
			crm_agg_state_damaged("A state names a group that it does not have.");
		entry.key[0] = numbers[(uint32) entry.key[0]];
		check_counts(crm_counts_add(&state->table, entry.key, entry.rows));
	}
}

/* Adds a flat state, hostile until validated, to one at hand, or to a new one. */
static void *
add_flat(void *at_hand, Datum value, MemoryContext parent, const void *use)
{
	counts_state *state = at_hand;
	crm_agg_state *flat = crm_agg_state_fetch(value, CRM_STATE_COUNTS, COUNTS_STATE_VERSION, CRM_AGG_STATE_HEADER + COUNTS_STATE_FIXED);
	const uint8 *in = (const uint8 *) flat->data;
	Size		left = VARSIZE(flat) - CRM_AGG_STATE_HEADER - COUNTS_STATE_FIXED;
	uint32		family = crm_load32(in);
	uint64		bits = crm_load64(in + 4);
	uint32		groups = crm_load32(in + 12);
	uint32	   *numbers = NULL;
	double		constant;
	crm_status	status;

	memcpy(&constant, &bits, sizeof(constant));
	in += COUNTS_STATE_FIXED;
	if (family < COUNTS_PURCHASES || family > COUNTS_LOG_RANK || !isfinite(constant))
		crm_agg_state_damaged("The state belongs to another aggregate.");
	if (groups > MAX_GROUPS || (groups > 0) != (family == COUNTS_LOG_RANK))
		crm_agg_state_damaged("The groups in a state are not such.");
	if (state == NULL)
		state = new_state(parent, family, constant);
	if (state->family != family || state->constant != constant)
		crm_agg_state_damaged("Two states that do not belong together are combined.");
	if (groups > 0)
		numbers = palloc(sizeof(uint32) * groups);
	for (uint32 i = 0; i < groups; i++)
	{
		uint32		length = left < 4 ? UINT32_MAX : crm_load32(in);

		if (length > MAX_GROUP_BYTES || left - 4 < length || !pg_verifymbstr((const char *) in + 4, length, true))
			crm_agg_state_damaged("The groups in a state are not such.");
		numbers[i] = group_number(state, (const char *) in + 4, length);
		in += 4 + length;
		left -= 4 + length;
	}
	if (groups == 0)
		status = crm_counts_read(&state->table, in, left);
	else
	{
		crm_count_table other;
		crm_env		env = crm_env_in(CurrentMemoryContext);

		init_table(&other, &env, family);
		status = crm_counts_read(&other, in, left);
		if (status == CRM_OK)
			add_renumbered(state, &other, numbers, groups);
	}
	if (status == CRM_CORRUPT)
		crm_agg_state_damaged("The counts in a state are not whole.");
	check_counts(status);
	return state;
}

/* ---- in the aggregates' functions ------------------------------------------------------ */

counts_state *
counts_of_transition(FunctionCallInfo fcinfo, counts_family family, double constant, const char *name)
{
	MemoryContext aggcontext;
	counts_state *state;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		elog(ERROR, "transition function of %s called in non-aggregate context", name);
	if (PG_ARGISNULL(0))
		return new_state(aggcontext, family, constant);
	state = crm_expanded_writable(&counts_kind, NULL, PG_GETARG_DATUM(0), aggcontext);
	if (state->family != family)
		crm_agg_state_damaged("The state belongs to another aggregate.");
	if (state->constant != constant)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("constant argument of %s changes within a group: %g, then %g", name, state->constant, constant)));
	return state;
}

void
counts_add(counts_state *state, const double *key)
{
	check_counts(crm_counts_add(&state->table, key, 1));
}

double
counts_group(counts_state *state, const text *group)
{
	if (VARSIZE_ANY_EXHDR(group) > MAX_GROUP_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("name of a group has more than %d bytes", MAX_GROUP_BYTES)));
	return group_number(state, VARDATA_ANY(group), VARSIZE_ANY_EXHDR(group));
}

Datum
crm_counts_combinefn(PG_FUNCTION_ARGS)
{
	return crm_expanded_combine(fcinfo, &counts_kind, NULL, "counted rows");
}

const counts_state *
counts_of_final(FunctionCallInfo fcinfo, counts_family family, const char *name)
{
	const counts_state *state;

	state = crm_expanded_final(fcinfo, &counts_kind, NULL, name);
	if (state == NULL)
		return NULL;
	if (state->family != family)
		crm_agg_state_damaged("The state belongs to another aggregate.");
	return state->table.count == 0 ? NULL : state;
}

double
counts_rounding(const counts_state *state)
{
	return state->table.dropped == 0 ? 0 : ldexp(1, (int) state->table.dropped - 53);
}
