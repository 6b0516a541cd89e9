/*
 * count_table.c - rows counted by a few numbers: open addressing over keys of
 * plain doubles.
 *
 * Bytes: width and dropped bits (4 bytes each), number of entries (8), then the
 * entries ascending: the key's numbers (8 bytes each) and the rows (8).
 */
#include "kernel/count_table.h"

#include <math.h>
#include <stdlib.h>

#define FRACTION_BITS 52
#define DROP_STEP 4
#define FIRST_PLACES 64
#define HEADER 16
#define PROGRESS_ENTRIES 65536

void
crm_counts_init(crm_count_table *table, const crm_env *env, uint32_t width, uint32_t exact, uint32_t cap)
{
	*table = (crm_count_table) {.env = *env,.width = width,.exact = exact,.cap = cap};
}

static uint64_t
bits_of(double number)
{
	uint64_t	bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

static double
number_of(uint64_t bits)
{
	double		number;

	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* The number as the table keeps it. */
static double
shortened(double number, uint32_t dropped)
{
	if (number == 0)
		return 0;				/* -0 too */
	return dropped == 0 ? number : number_of(bits_of(number) & ~((UINT64_C(1) << dropped) - 1));
}

/* The middle of all numbers that are shortened to this one. */
static double
middle(double number, uint32_t dropped)
{
	if (number == 0 || dropped == 0)
		return number;
	return number_of(bits_of(number) | UINT64_C(1) << (dropped - 1));
}

static uint32_t
place_of(const crm_count_table *table, const double *key)
{
	uint64_t	hash = 0;

	for (uint32_t i = 0; i < table->width; i++)
	{
		hash ^= bits_of(key[i]);
		hash *= UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 32;
	}
	return (uint32_t) (hash * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (table->places - 1);
}

static bool
same(const crm_count_table *table, const double *a, const double *b)
{
	for (uint32_t i = 0; i < table->width; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static crm_count *
find(const crm_count_table *table, const double *key)
{
	uint32_t	place = place_of(table, key);

	while (table->entries[place].rows > 0 && !same(table, table->entries[place].key, key))
		place = (place + 1) & (table->places - 1);
	return &table->entries[place];
}

/* Puts all entries into so many places, shortened to the bits that are to be dropped now. */
static crm_status
rebuild(crm_count_table *table, uint32_t places)
{
	crm_count  *old = table->entries;
	uint32_t	old_places = table->places;
	crm_count  *entries = table->env.alloc(table->env.arg, sizeof(crm_count) * places);
	crm_status	status = CRM_OK;

	if (entries == NULL)
		return CRM_NO_MEMORY;
	memset(entries, 0, sizeof(crm_count) * places);
	table->entries = entries;
	table->places = places;
	table->count = 0;
	for (uint32_t i = 0; i < old_places; i++)
	{
		crm_count	moved = old[i];
		crm_count  *entry;

		if (i % PROGRESS_ENTRIES == 0)
			crm_progress(&table->env);
		if (moved.rows == 0)
			continue;
		for (uint32_t k = table->exact; k < table->width; k++)
			moved.key[k] = shortened(moved.key[k], table->dropped);
		entry = find(table, moved.key);
		if (entry->rows == 0)
		{
			memcpy(entry->key, moved.key, sizeof(moved.key));
			table->count++;
		}
		entry->rows += moved.rows;
	}
	if (old != NULL)
		table->env.release(table->env.arg, old);
	return status;
}

static crm_status
drop_to(crm_count_table *table, uint32_t dropped)
{
	if (dropped > FRACTION_BITS)
		return CRM_LIMIT;
	table->dropped = dropped;
	return table->places == 0 ? CRM_OK : rebuild(table, table->places);
}

crm_status
crm_counts_add(crm_count_table *table, const double *key, uint64_t rows)
{
	double		kept[CRM_COUNT_WIDTH] = {0};
	crm_count  *entry;

	if (rows == 0)
		return CRM_OK;
	if (rows > CRM_COUNT_MAX_ROWS - table->rows)
		return CRM_OUT_OF_RANGE;
	if (table->places == 0)
		CRM_TRY(rebuild(table, FIRST_PLACES));
	else if (table->count >= table->places / 4 * 3)
		CRM_TRY(rebuild(table, table->places * 2));
	for (uint32_t i = 0; i < table->width; i++)
		kept[i] = shortened(key[i], i < table->exact ? 0 : table->dropped);
	entry = find(table, kept);
	if (entry->rows == 0)
	{
		memcpy(entry->key, kept, sizeof(kept));
		table->count++;
	}
	entry->rows += rows;
	table->rows += rows;
	while (table->count > table->cap)
		CRM_TRY(drop_to(table, table->dropped + DROP_STEP));
	return CRM_OK;
}

static int
compare(const void *a, const void *b)
{
	const crm_count *x = a;
	const crm_count *y = b;

	for (int i = 0; i < CRM_COUNT_WIDTH; i++)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	return 0;
}

static crm_status
sorted(const crm_count_table *table, const crm_env *env, crm_count **entries)
{
	uint32_t	n = 0;

	*entries = env->alloc(env->arg, sizeof(crm_count) * ((size_t) table->count + 1));
	if (*entries == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < table->places; i++)
		if (table->entries[i].rows > 0)
			(*entries)[n++] = table->entries[i];
	qsort(*entries, n, sizeof(crm_count), compare);
	return CRM_OK;
}

crm_status
crm_counts_sorted(const crm_count_table *table, const crm_env *env, crm_count **entries, uint32_t *count)
{
	CRM_TRY(sorted(table, env, entries));
	*count = table->count;
	for (uint32_t i = 0; i < *count; i++)
		for (uint32_t k = table->exact; k < table->width; k++)
			(*entries)[i].key[k] = middle((*entries)[i].key[k], table->dropped);
	return CRM_OK;
}

static size_t
entry_size(const crm_count_table *table)
{
	return 8 * ((size_t) table->width + 1);
}

size_t
crm_counts_size(const crm_count_table *table)
{
	return HEADER + entry_size(table) * table->count;
}

crm_status
crm_counts_write(const crm_count_table *table, uint8_t *out)
{
	crm_count  *entries;

	CRM_TRY(sorted(table, &table->env, &entries));
	crm_store32(out, table->width);
	crm_store32(out + 4, table->dropped);
	crm_store64(out + 8, table->count);
	out += HEADER;
	for (uint32_t i = 0; i < table->count; i++)
	{
		for (uint32_t k = 0; k < table->width; k++, out += 8)
			crm_store64(out, bits_of(entries[i].key[k]));
		crm_store64(out, entries[i].rows);
		out += 8;
	}
	table->env.release(table->env.arg, entries);
	return CRM_OK;
}

crm_status
crm_counts_read(crm_count_table *table, const uint8_t *bytes, size_t size)
{
	uint32_t	dropped;
	uint64_t	count;
	crm_count	before = {.rows = 0};

	if (size < HEADER || crm_load32(bytes) != table->width)
		return CRM_CORRUPT;
	dropped = crm_load32(bytes + 4);
	count = crm_load64(bytes + 8);
	bytes += HEADER;
	size -= HEADER;
	if (dropped > FRACTION_BITS || dropped % DROP_STEP != 0 || count > size / entry_size(table) || count * entry_size(table) != size)
		return CRM_CORRUPT;
	if (dropped > table->dropped)
		CRM_TRY(drop_to(table, dropped));
	for (uint64_t i = 0; i < count; i++)
	{
		crm_count	entry = {.rows = 0};

		if (i % PROGRESS_ENTRIES == 0)
			crm_progress(&table->env);
		for (uint32_t k = 0; k < table->width; k++, bytes += 8)
		{
			entry.key[k] = number_of(crm_load64(bytes));
			if (!isfinite(entry.key[k]) || bits_of(entry.key[k]) != bits_of(shortened(entry.key[k], k < table->exact ? 0 : dropped)))
				return CRM_CORRUPT;
		}
		entry.rows = crm_load64(bytes);
		bytes += 8;
		if (entry.rows == 0 || (i > 0 && compare(&before, &entry) >= 0))
			return CRM_CORRUPT;
		CRM_TRY(crm_counts_add(table, entry.key, entry.rows));
		before = entry;
	}
	return CRM_OK;
}
