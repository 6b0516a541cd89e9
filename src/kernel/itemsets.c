/*
 * itemsets.c - items that are often in one basket.
 */
#include "kernel/itemsets.h"

#include <math.h>
#include <stdlib.h>

#define BASKETS_A_STEP 4096
/* Below this many, moving each item to its place is quicker than sorting. */
#define INSERTION_BELOW 48
/* Pairs are counted in a triangle of so many counters at most, else prefix by prefix. */
#define TRIANGLE_CELLS (UINT64_C(1) << 26)
/*
 * Bitsets are made anew for the baskets of a prefix alone when that costs less
 * than it saves: a bit looked up takes as long as so many words intersected.
 */
#define WORDS_A_BIT 13

typedef struct miner
{
	const crm_env *env;
	crm_itemsets *found;
	uint32_t	least;
	uint32_t	max_items;

	/* baskets with two or more frequent items: their items by place, ascending */
	uint32_t	baskets;
	size_t	   *starts;
	uint32_t   *entries;
	/* the baskets of each place; NULL when there is no use for them */
	size_t	   *item_starts;
	uint32_t   *item_baskets;
	/* by pair of places; NULL when there would be too many */
	uint32_t   *pairs;
	uint32_t   *counts;			/* by place, for one prefix */
	uint32_t   *slots;			/* by place, the bitset for one prefix, from 1 */
} miner;

/* ---- memory -------------------------------------------------------------- */

static crm_status
take(miner *m, size_t size, void *target)
{
	void	   *memory;

	if (size > m->found->max_bytes - m->found->bytes)
		return CRM_LIMIT;
	CRM_ALLOC(memory, m->env, size);
	m->found->bytes += size;
	memcpy(target, &memory, sizeof(memory));
	return CRM_OK;
}

static void
give(miner *m, void *memory, size_t size)
{
	m->env->release(m->env->arg, memory);
	m->found->bytes -= size;
}

/* One itemset more. */
static crm_status
add_set(miner *m, uint32_t parent, uint32_t place, uint32_t baskets)
{
	crm_itemsets *found = m->found;

	if (found->count == found->room)
	{
		uint32_t	room = found->room == 0 ? 256 : found->room * 2;
		size_t		old_size = sizeof(crm_itemset) * (size_t) found->room;
		size_t		size = sizeof(crm_itemset) * (size_t) room;
		crm_itemset *sets;

		if (found->room > UINT32_MAX / 4 || size - old_size > found->max_bytes - found->bytes)
			return CRM_LIMIT;
		sets = m->env->resize(m->env->arg, found->sets, old_size, size);
		if (sets == NULL)
			return CRM_NO_MEMORY;
		found->bytes += size - old_size;
		found->sets = sets;
		found->room = room;
	}
	found->sets[found->count++] = (crm_itemset) {parent, place, baskets, 0, 0};
	if (parent != CRM_ITEMSET_NONE && found->sets[parent].children++ == 0)
		found->sets[parent].first = found->count - 1;
	return CRM_OK;
}

/* ---- single items -------------------------------------------------------- */

uint32_t
crm_itemsets_least(uint32_t baskets, double min_support, uint64_t min_baskets)
{
	/* By the same comparison as a reader of the share would make, from a little below on. */
	double		least = ceil(min_support * baskets) - 2;

	if (least < 1)
		least = 1;
	while (least / baskets < min_support)
		least++;
	if (least < (double) min_baskets)
		least = (double) min_baskets;
	return least >= UINT32_MAX ? UINT32_MAX : (uint32_t) least;
}

static int
compare_keys(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

/* The frequent items, the rarest first; places says where each item of the index went. */
static crm_status
choose_items(miner *m, const crm_basket_index *index, uint32_t *places)
{
	crm_itemsets *found = m->found;
	uint64_t   *keys;
	uint32_t	count = 0;

	CRM_TRY(take(m, sizeof(uint64_t) * ((size_t) index->item_count + 1), &keys));
	for (uint32_t i = 0; i < index->item_count; i++)
	{
		places[i] = UINT32_MAX;
		if (index->item_baskets[i] >= m->least)
			keys[count++] = (uint64_t) index->item_baskets[i] << 32 | i;
	}
	qsort(keys, count, sizeof(uint64_t), compare_keys);
	CRM_TRY(take(m, sizeof(uint32_t) * ((size_t) count + 1), &found->items));
	for (uint32_t place = 0; place < count; place++)
	{
		found->items[place] = (uint32_t) keys[place];
		places[found->items[place]] = place;
		CRM_TRY(add_set(m, CRM_ITEMSET_NONE, place, (uint32_t) (keys[place] >> 32)));
	}
	found->item_count = count;
	give(m, keys, sizeof(uint64_t) * ((size_t) index->item_count + 1));
	return CRM_OK;
}

static int
compare_places(const void *a, const void *b)
{
	uint32_t	x = *(const uint32_t *) a;
	uint32_t	y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

static void
sort_places(uint32_t *places, size_t count)
{
	if (count >= INSERTION_BELOW)
	{
		qsort(places, count, sizeof(uint32_t), compare_places);
		return;
	}
	for (size_t i = 1; i < count; i++)
	{
		uint32_t	place = places[i];
		size_t		k = i;

		for (; k > 0 && places[k - 1] > place; k--)
			places[k] = places[k - 1];
		places[k] = place;
	}
}

/* The baskets as places of frequent items; those with a single one are of no further use. */
static crm_status
project_baskets(miner *m, const crm_basket_index *index, const uint32_t *places)
{
	size_t		used = 0;

	CRM_TRY(take(m, sizeof(size_t) * ((size_t) index->basket_count + 1), &m->starts));
	CRM_TRY(take(m, sizeof(uint32_t) * (index->starts[index->basket_count] + 1), &m->entries));
	m->baskets = 0;
	for (uint32_t b = 0; b < index->basket_count; b++)
	{
		size_t		first = used;

		for (size_t i = index->starts[b]; i < index->starts[b + 1]; i++)
		{
			uint32_t	place = places[index->entries[i]];

			m->entries[used] = place;
			used += place != UINT32_MAX;
		}
		if (b % BASKETS_A_STEP == 0)
			crm_progress(m->env);
		if (used - first < 2)
		{
			used = first;
			continue;
		}
		sort_places(m->entries + first, used - first);
		m->starts[m->baskets++] = first;
	}
	m->starts[m->baskets] = used;
	return CRM_OK;
}

/* The baskets of each item. */
static crm_status
turn_about(miner *m)
{
	uint32_t	count = m->found->item_count;
	size_t		total = m->starts[m->baskets];
	size_t		place = 0;

	CRM_TRY(take(m, sizeof(size_t) * ((size_t) count + 1), &m->item_starts));
	CRM_TRY(take(m, sizeof(uint32_t) * (total + 1), &m->item_baskets));
	memset(m->item_starts, 0, sizeof(size_t) * ((size_t) count + 1));
	for (size_t i = 0; i < total; i++)
		m->item_starts[m->entries[i]]++;
	for (uint32_t p = 0; p < count; p++)
	{
		size_t		number = m->item_starts[p];

		m->item_starts[p] = place;
		place += number;
	}
	for (uint32_t b = 0; b < m->baskets; b++)
	{
		for (size_t i = m->starts[b]; i < m->starts[b + 1]; i++)
			m->item_baskets[m->item_starts[m->entries[i]]++] = b;
		if (b % BASKETS_A_STEP == 0)
			crm_progress(m->env);
	}
	/* Each start has moved on to the next one's place. */
	memmove(m->item_starts + 1, m->item_starts, sizeof(size_t) * count);
	m->item_starts[0] = 0;
	return CRM_OK;
}

/* ---- pairs --------------------------------------------------------------- */

/*
 * Where the counters of a place with those behind it lie, less its own place and
 * one: another place's number is to be added before it is an index.
 */
static inline size_t
row_of(uint32_t count, uint32_t place)
{
	return (size_t) place * (2 * (size_t) count - place - 1) / 2 - place - 1;
}

static crm_status
count_pairs(miner *m)
{
	uint32_t	count = m->found->item_count;
	uint64_t	cells = (uint64_t) count * (count - 1) / 2;
	size_t		size = sizeof(uint32_t) * (size_t) cells;

	if (cells > TRIANGLE_CELLS || size > (m->found->max_bytes - m->found->bytes) / 2)
		return CRM_OK;
	CRM_TRY(take(m, size, &m->pairs));
	memset(m->pairs, 0, size);
	for (uint32_t b = 0; b < m->baskets; b++)
	{
		const uint32_t *items = m->entries + m->starts[b];
		size_t		n = m->starts[b + 1] - m->starts[b];

		for (size_t i = 0; i + 1 < n; i++)
		{
			size_t		row = row_of(count, items[i]);

			for (size_t j = i + 1; j < n; j++)
				m->pairs[row + items[j]]++;
		}
		/* the pairs are half the square of the items */
		if (b % BASKETS_A_STEP == 0 || n >= INSERTION_BELOW)
			crm_progress(m->env);
	}
	return CRM_OK;
}

/* The items of a basket behind a place that it has. */
static const uint32_t *
behind(const miner *m, uint32_t basket, uint32_t place, const uint32_t **end)
{
	const uint32_t *low = m->entries + m->starts[basket];
	const uint32_t *high = *end = m->entries + m->starts[basket + 1];

	while (low < high)
	{
		const uint32_t *middle = low + (high - low) / 2;

		if (*middle <= place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How often each place behind this one comes with it: counters that begin with the number returned. */
static const uint32_t *
pairs_with(miner *m, uint32_t place, size_t *first)
{
	uint32_t	count = m->found->item_count;

	*first = row_of(count, place);
	if (m->pairs != NULL)
		return m->pairs;
	*first = 0;
	memset(m->counts + place, 0, sizeof(uint32_t) * (count - place));
	for (size_t i = m->item_starts[place]; i < m->item_starts[place + 1]; i++)
	{
		const uint32_t *end;

		for (const uint32_t *item = behind(m, m->item_baskets[i], place, &end); item < end; item++)
			m->counts[*item]++;
		if (i % BASKETS_A_STEP == 0)
			crm_progress(m->env);
	}
	return m->counts;
}

/* ---- larger sets ----------------------------------------------------------- */

CRM_TARGET_CLONES static uint32_t
intersect(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t words)
{
	uint32_t	count = 0;

	for (size_t i = 0; i < words; i++)
	{
		out[i] = a[i] & b[i];
		count += (uint32_t) crm_popcount64(out[i]);
	}
	return count;
}

/* The bits that are at the places of the set bits of a mask, side by side. */
static void
squeeze(uint64_t *out, const uint64_t *bits, const uint32_t *places, uint32_t count)
{
	for (uint32_t i = 0; i < count; i += 64)
	{
		uint32_t	end = count - i < 64 ? count - i : 64;
		uint64_t	word = 0;

		for (uint32_t k = 0; k < end; k++)
			word |= (bits[places[i + k] >> 6] >> (places[i + k] & 63) & 1) << k;
		out[i >> 6] = word;
	}
}

static uint32_t
set_bits(const uint64_t *bits, size_t words, uint32_t *places)
{
	uint32_t	count = 0;

	for (size_t i = 0; i < words; i++)
		for (uint64_t word = bits[i]; word != 0; word &= word - 1)
			places[count++] = (uint32_t) (i * 64) + (uint32_t) crm_ctz64(word);
	return count;
}

/*
 * Sets of one item more than those of a family: children of one parent, from
 * number first on, each with its bits; they have so many items.
 */
static crm_status
extend(miner *m, uint32_t first, uint32_t count, const uint64_t *bits, size_t words, uint32_t items)
{
	size_t		size = sizeof(uint64_t) * words * count;
	uint64_t   *made;

	CRM_TRY(take(m, size, &made));
	for (uint32_t a = 0; a + 1 < count; a++)
	{
		const uint64_t *bits_a = bits + words * a;
		uint32_t	set = first + a;
		uint32_t	baskets = m->found->sets[set].baskets;
		uint32_t	kept = 0;

		for (uint32_t b = a + 1; b < count; b++)
		{
			uint32_t	both = intersect(made + words * kept, bits_a, bits + words * b, words);

			if (both < m->least)
				continue;
			CRM_TRY(add_set(m, set, m->found->sets[first + b].place, both));
			kept++;
		}
		crm_progress(m->env);
		if (kept < 2 || items + 1 >= m->max_items)
			continue;
		if (words * kept > (size_t) WORDS_A_BIT * baskets)
		{
			size_t		few = (baskets + 63) / 64;
			size_t		places_size = sizeof(uint32_t) * baskets;
			size_t		few_size = sizeof(uint64_t) * few * kept;
			uint32_t   *places;
			uint64_t   *squeezed;

			CRM_TRY(take(m, places_size, &places));
			CRM_TRY(take(m, few_size, &squeezed));
			set_bits(bits_a, words, places);
			for (uint32_t i = 0; i < kept; i++)
				squeeze(squeezed + few * i, made + words * i, places, baskets);
			give(m, places, places_size);
			CRM_TRY(extend(m, m->found->sets[set].first, kept, squeezed, few, items + 1));
			give(m, squeezed, few_size);
		}
		else
			CRM_TRY(extend(m, m->found->sets[set].first, kept, made, words, items + 1));
	}
	give(m, made, size);
	return CRM_OK;
}

/* Sets that begin with this place: pairs, and what grows from them. */
static crm_status
begin_with(miner *m, uint32_t place)
{
	size_t		first;
	const uint32_t *with = pairs_with(m, place, &first);
	uint32_t	count = m->found->item_count;
	uint32_t	kept = 0;
	uint32_t	baskets;
	size_t		words;
	size_t		size;
	uint64_t   *bits;

	for (uint32_t other = place + 1; other < count; other++)
		if (with[first + other] >= m->least)
		{
			CRM_TRY(add_set(m, place, other, with[first + other]));
			kept++;
		}
	crm_progress(m->env);
	if (kept < 2 || m->max_items < 3)
		return CRM_OK;

	/* The place's baskets, numbered; a bit for those that have the other place as well. */
	baskets = (uint32_t) (m->item_starts[place + 1] - m->item_starts[place]);
	words = ((size_t) baskets + 63) / 64;
	size = sizeof(uint64_t) * words * kept;
	CRM_TRY(take(m, size, &bits));
	memset(bits, 0, size);
	for (uint32_t i = 0; i < kept; i++)
		m->slots[m->found->sets[m->found->sets[place].first + i].place] = i + 1;
	for (uint32_t i = 0; i < baskets; i++)
	{
		const uint32_t *end;

		for (const uint32_t *item = behind(m, m->item_baskets[m->item_starts[place] + i], place, &end); item < end; item++)
			if (m->slots[*item] > 0)
				bits[words * (m->slots[*item] - 1) + (i >> 6)] |= UINT64_C(1) << (i & 63);
		if (i % BASKETS_A_STEP == 0)
			crm_progress(m->env);
	}
	memset(m->slots + place, 0, sizeof(uint32_t) * (count - place));
	CRM_TRY(extend(m, m->found->sets[place].first, kept, bits, words, 2));
	give(m, bits, size);
	return CRM_OK;
}

crm_status
crm_itemsets_mine(const crm_env *env, const crm_basket_index *index, uint32_t least, uint32_t max_items,
				  size_t max_bytes, crm_itemsets *found)
{
	miner		m = {.env = env, .found = found, .least = least, .max_items = max_items};
	size_t		by_item = sizeof(uint32_t) * ((size_t) index->item_count + 1);
	uint32_t   *places;

	memset(found, 0, sizeof(*found));
	found->max_bytes = max_bytes;
	found->baskets = index->basket_count;
	CRM_TRY(take(&m, by_item, &places));
	CRM_TRY(choose_items(&m, index, places));
	if (max_items < 2 || found->item_count < 2)
		return CRM_OK;
	CRM_TRY(project_baskets(&m, index, places));
	give(&m, places, by_item);
	CRM_TRY(count_pairs(&m));
	if (m.pairs == NULL || max_items > 2)
		CRM_TRY(turn_about(&m));
	CRM_TRY(take(&m, by_item, &m.counts));
	CRM_TRY(take(&m, by_item, &m.slots));
	memset(m.slots, 0, by_item);
	for (uint32_t place = 0; place + 1 < found->item_count; place++)
	{
		CRM_TRY(begin_with(&m, place));
		crm_step(env, (uint64_t) place + 1);
	}
	/* The itemsets stay; the rest is the environment's to free, all at once. */
	return CRM_OK;
}

uint32_t
crm_itemset_items(const crm_itemsets *found, uint32_t set, uint32_t *places)
{
	uint32_t	count = 0;

	for (uint32_t at = set; at != CRM_ITEMSET_NONE; at = found->sets[at].parent)
		count++;
	for (uint32_t at = set, i = count; at != CRM_ITEMSET_NONE; at = found->sets[at].parent)
		places[--i] = found->sets[at].place;
	return count;
}
