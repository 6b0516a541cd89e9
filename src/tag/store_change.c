/*
 * store_change.c - counting who entered a set and who left it.
 *
 * Sets are stored by scope, so a customer who only moves to another branch
 * leaves the set in one and enters it in another.  Of populations with scopes
 * the ids of both are therefore collected, and who is among both has done
 * neither.
 */
#include "common/crm.h"

#include "common/bridge.h"
#include "kernel/tag_chunk.h"
#include "tag/store_write.h"

static void
collect(crm_ids_collector **collector, MemoryContext context, const uint64 *ids, size_t count)
{
	crm_env		env = crm_env_in(context);

	if (count == 0)
		return;
	if (*collector == NULL)
		crm_check(crm_ids_collector_new(&env, collector), "crm.audience", false);
	crm_check(crm_ids_collector_add_many(*collector, ids, count), "crm.audience", false);
}

/* Offsets of the bits of a that b has not. */
static size_t
difference(const uint64 *a, const uint64 *b, uint64 base, uint64 *ids)
{
	size_t		n = 0;

	for (int i = 0; i < CRM_CHUNK_WORDS; i++)
		for (uint64 w = a[i] & ~b[i]; w != 0; w &= w - 1)
			ids[n++] = base + (uint64) i * 64 + (uint64) crm_ctz64(w);
	return n;
}

/* The same of ascending offsets. */
static size_t
difference_wide(const uint64 *a, size_t na, const uint64 *b, size_t nb, uint64 base, uint64 *ids)
{
	size_t		n = 0;
	size_t		j = 0;

	for (size_t i = 0; i < na; i++)
	{
		while (j < nb && b[j] < a[i])
			j++;
		if (j == nb || b[j] != a[i])
			ids[n++] = base | a[i];
	}
	return n;
}

void
crm_value_change_count(crm_value_change *value, const crm_population *population, int32 tag_id, int64 chunk,
					   const uint8 *old, Size old_size, const uint8 *new, Size new_size, MemoryContext moves)
{
	int			bits = population->chunk_bits;
	uint64		base = (uint64) chunk << bits;
	size_t		came;
	size_t		left;
	uint64	   *ids;

	if (bits <= CRM_CHUNK_BITS)
	{
		uint64		a[CRM_CHUNK_WORDS] = {0};
		uint64		b[CRM_CHUNK_WORDS] = {0};

		if ((old != NULL && crm_chunk_decode(old, old_size, a) != CRM_OK) ||
			(new != NULL && crm_chunk_decode(new, new_size, b) != CRM_OK))
			crm_store_damaged(population, tag_id, chunk);
		if (moves == NULL)
		{
			for (int i = 0; i < CRM_CHUNK_WORDS; i++)
			{
				value->entered += (uint64) crm_popcount64(b[i] & ~a[i]);
				value->exited += (uint64) crm_popcount64(a[i] & ~b[i]);
			}
			return;
		}
		ids = palloc(CRM_CHUNK_IDS * sizeof(uint64));
		came = difference(b, a, base, ids);
		collect(&value->came, moves, ids, came);
		left = difference(a, b, base, ids);
		collect(&value->left, moves, ids, left);
	}
	else
	{
		uint64	   *a = palloc((old_size + 1) * sizeof(uint64));
		uint64	   *b = palloc((new_size + 1) * sizeof(uint64));
		size_t		na = 0;
		size_t		nb = 0;

		if ((old != NULL && crm_chunk_decode_wide(old, old_size, bits, a, &na) != CRM_OK) ||
			(new != NULL && crm_chunk_decode_wide(new, new_size, bits, b, &nb) != CRM_OK))
			crm_store_damaged(population, tag_id, chunk);
		ids = palloc((Max(na, nb) + 1) * sizeof(uint64));
		came = difference_wide(b, nb, a, na, base, ids);
		if (moves != NULL)
			collect(&value->came, moves, ids, came);
		left = difference_wide(a, na, b, nb, base, ids);
		if (moves != NULL)
			collect(&value->left, moves, ids, left);
		pfree(a);
		pfree(b);
	}
	value->entered += came;
	value->exited += left;
	pfree(ids);
}

/* The collected ids as a set. */
static crm_ids
finish(crm_ids_collector *collector, const crm_env *env)
{
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(env, &builder), "crm.audience", false);
	crm_check(crm_ids_collector_build(collector, builder), "crm.audience", false);
	return crm_audience_ids(crm_audience_finish(builder, 0));
}

void
crm_value_change_settle(crm_value_change *value)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	uint64		moved;

	if (value->came != NULL && value->left != NULL)
	{
		moved = crm_ids_and_count(&env, finish(value->came, &env), finish(value->left, &env));
		value->entered -= moved;
		value->exited -= moved;
	}
	if (value->came != NULL)
		crm_ids_collector_free(value->came);
	if (value->left != NULL)
		crm_ids_collector_free(value->left);
	value->came = value->left = NULL;
}
