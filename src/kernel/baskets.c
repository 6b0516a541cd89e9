/*
 * baskets.c - pairs of a basket and an item: collected, handed over, put together.
 */
#include "kernel/baskets.h"

#include <math.h>
#include <stdlib.h>

#include "kernel/sort.h"
#include "kernel/timeline_private.h"

#define FIRST_ROOM 256
/* A row at most: difference and item as varints, weight as a tag and a float. */
#define ROW_BYTES (CRM_VARINT_MAX + 5 + 9)
/* Beside its text, what a value costs in a table, which is at most half full: entry, slots, allocation. */
#define VALUE_BYTES (sizeof(crm_value_entry) + 4 * sizeof(uint32_t) + 16)
/* Weights up to here are written as numbers of few bytes when they are whole. */
#define MAX_WHOLE_WEIGHT 1048576.0
#define ROWS_A_STEP 65536
/* rows (8 bytes), last basket (8), items and names (4 each) */
#define WIRE_HEADER 24

void
crm_baskets_init(crm_baskets *b, const crm_env *env, bool named, bool weighted, size_t max_bytes)
{
	memset(b, 0, sizeof(*b));
	b->env = *env;
	b->named = named;
	b->weighted = weighted;
	b->max_bytes = max_bytes;
}

/* ---- rows ---------------------------------------------------------------- */

/* The code of a text; what is new counts towards the memory. */
static crm_status
code_of(crm_baskets *b, crm_value_table *table, const char *text, size_t length, uint32_t *code)
{
	uint32_t	before = table->count;
	crm_status	status;

	*code = crm_value_find(table, text, length);
	if (*code != 0)
		return CRM_OK;
	if (crm_baskets_memory(b) + length + VALUE_BYTES > b->max_bytes)
		return CRM_LIMIT;
	status = crm_value_add(table, &b->env, text, length, UINT32_MAX, code);
	if (status == CRM_OK && table->count > before)
		b->table_bytes += length + VALUE_BYTES;
	return status;
}

static crm_status
make_room(crm_baskets *b)
{
	size_t		room = b->room == 0 ? FIRST_ROOM : b->room * 2;
	uint8_t    *bytes;

	if (b->used + ROW_BYTES <= b->room)
		return CRM_OK;
	/* The last step may be a smaller one. */
	if (b->table_bytes + room > b->max_bytes)
		room = b->max_bytes > b->table_bytes ? b->max_bytes - b->table_bytes : 0;
	if (room < b->used + ROW_BYTES)
		return CRM_LIMIT;
	bytes = b->env.resize(b->env.arg, b->bytes, b->room, room);
	if (bytes == NULL)
		return CRM_NO_MEMORY;
	b->bytes = bytes;
	b->room = room;
	return CRM_OK;
}

static inline uint8_t *
put_number(uint8_t *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*out++ = (uint8_t) (v | 0x80);
	*out++ = (uint8_t) v;
	return out;
}

/* A weight as twice a whole number, or 1 and the float. */
static inline uint8_t *
put_weight(uint8_t *out, double weight)
{
	uint64_t	bits;

	if (weight <= MAX_WHOLE_WEIGHT && weight == (double) (uint64_t) weight)
		return put_number(out, (uint64_t) weight * 2);
	memcpy(&bits, &weight, sizeof(bits));
	*out++ = 1;
	crm_store64(out, bits);
	return out + 8;
}

static crm_status
add_row(crm_baskets *b, int64_t basket, uint32_t item, double weight)
{
	uint8_t    *out;

	CRM_TRY(make_room(b));
	out = put_number(b->bytes + b->used, crm_zigzag((int64_t) ((uint64_t) basket - (uint64_t) b->last)));
	out = put_number(out, item);
	if (b->weighted)
		out = put_weight(out, weight);
	b->used = (size_t) (out - b->bytes);
	b->last = basket;
	b->rows++;
	return CRM_OK;
}

crm_status
crm_baskets_add(crm_baskets *b, int64_t basket, const char *item, size_t length, double weight)
{
	uint32_t	code;

	CRM_TRY(code_of(b, &b->items, item, length, &code));
	return add_row(b, basket, code, weight);
}

crm_status
crm_baskets_add_named(crm_baskets *b, const char *name, size_t name_length, const char *item, size_t length, double weight)
{
	uint32_t	basket;
	uint32_t	code;

	CRM_TRY(code_of(b, &b->names, name, name_length, &basket));
	CRM_TRY(code_of(b, &b->items, item, length, &code));
	return add_row(b, basket, code, weight);
}

typedef struct row
{
	int64_t		basket;
	uint64_t	item;			/* code */
	double		weight;
} row;

/* The next row; false when the bytes are no row.  The row holds that before, at first basket 0. */
static inline bool
next_row(const uint8_t *bytes, size_t size, size_t *at, bool weighted, row *r)
{
	uint64_t	difference;
	uint64_t	tag;

	if (!crm_read_varint(bytes, size, at, &difference) || !crm_read_varint(bytes, size, at, &r->item))
		return false;
	r->basket = (int64_t) ((uint64_t) r->basket + (uint64_t) crm_unzigzag(difference));
	r->weight = 1;
	if (!weighted)
		return true;
	if (!crm_read_varint(bytes, size, at, &tag))
		return false;
	if (tag != 1)
	{
		r->weight = (double) (tag / 2);
		return tag % 2 == 0 && tag > 0 && tag / 2 <= (uint64_t) MAX_WHOLE_WEIGHT;
	}
	if (size - *at < 8)
		return false;
	tag = crm_load64(bytes + *at);
	*at += 8;
	memcpy(&r->weight, &tag, sizeof(tag));
	return isfinite(r->weight) && r->weight > 0;
}

/* ---- to another process ---------------------------------------------------- */

static size_t
table_size(const crm_value_table *table)
{
	size_t		size = 0;

	for (uint32_t i = 0; i < table->count; i++)
		size += 4 + (size_t) table->entries[i].length;
	return size;
}

size_t
crm_baskets_size(const crm_baskets *b)
{
	return WIRE_HEADER + table_size(&b->items) + table_size(&b->names) + b->used;
}

static uint8_t *
write_table(const crm_value_table *table, uint8_t *out)
{
	for (uint32_t i = 0; i < table->count; i++)
	{
		crm_store32(out, table->entries[i].length);
		memcpy(out + 4, table->entries[i].text, table->entries[i].length);
		out += 4 + (size_t) table->entries[i].length;
	}
	return out;
}

void
crm_baskets_write(const crm_baskets *b, uint8_t *out)
{
	crm_store64(out, b->rows);
	crm_store64(out + 8, (uint64_t) b->last);
	crm_store32(out + 16, b->items.count);
	crm_store32(out + 20, b->names.count);
	out = write_table(&b->items, out + WIRE_HEADER);
	out = write_table(&b->names, out);
	if (b->used > 0)
		memcpy(out, b->bytes, b->used);
}

/* Adds the texts of a table, and says which code each has here. */
static crm_status
read_table(crm_baskets *b, crm_value_table *table, const uint8_t *bytes, size_t size, size_t *at, uint32_t count, uint32_t *codes)
{
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t	length;

		if (size - *at < 4 || (length = crm_load32(bytes + *at)) > size - *at - 4)
			return CRM_CORRUPT;
		CRM_TRY(code_of(b, table, (const char *) bytes + *at + 4, length, &codes[i]));
		*at += 4 + (size_t) length;
		if (i % ROWS_A_STEP == 0)
			crm_progress(&b->env);
	}
	return CRM_OK;
}

crm_status
crm_baskets_read(crm_baskets *b, const uint8_t *bytes, size_t size)
{
	const crm_env *env = &b->env;
	uint64_t	rows;
	uint32_t	item_count;
	uint32_t	name_count;
	uint32_t   *items;
	uint32_t   *names;
	size_t		at = WIRE_HEADER;
	row			r = {0};

	if (size < WIRE_HEADER)
		return CRM_CORRUPT;
	rows = crm_load64(bytes);
	item_count = crm_load32(bytes + 16);
	name_count = crm_load32(bytes + 20);
	/* Before memory is taken for them: each takes four bytes at least, a row two. */
	if (item_count > (size - at) / 4 || name_count > (size - at) / 4 || rows > (size - at) / 2 || (name_count > 0 && !b->named))
		return CRM_CORRUPT;
	CRM_ALLOC(items, env, sizeof(uint32_t) * ((size_t) item_count + 1));
	CRM_ALLOC(names, env, sizeof(uint32_t) * ((size_t) name_count + 1));
	CRM_TRY(read_table(b, &b->items, bytes, size, &at, item_count, items));
	CRM_TRY(read_table(b, &b->names, bytes, size, &at, name_count, names));
	for (uint64_t i = 0; i < rows; i++)
	{
		if (!next_row(bytes, size, &at, b->weighted, &r) || r.item == 0 || r.item > item_count ||
			(b->named && (r.basket < 1 || r.basket > (int64_t) name_count)))
			return CRM_CORRUPT;
		CRM_TRY(add_row(b, b->named ? names[r.basket - 1] : r.basket, items[r.item - 1], r.weight));
		if (i % ROWS_A_STEP == 0)
			crm_progress(env);
	}
	if (at != size || r.basket != (int64_t) crm_load64(bytes + 8))
		return CRM_CORRUPT;
	env->release(env->arg, items);
	env->release(env->arg, names);
	return CRM_OK;
}

/* ---- basket by basket ---------------------------------------------------- */

static bool
entry_before(const void *a, const void *b)
{
	const crm_value_entry *x = a;
	const crm_value_entry *y = b;
	int			order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);

	return order != 0 ? order < 0 : x->length < y->length;
}

/* The entries in the order of their bytes, and the place of each code in it. */
static crm_status
sort_table(const crm_env *env, const crm_value_table *table, const crm_value_entry ***sorted, uint32_t **place)
{
	CRM_ALLOC(*sorted, env, sizeof(crm_value_entry *) * ((size_t) table->count + 1));
	CRM_ALLOC(*place, env, sizeof(uint32_t) * ((size_t) table->count + 1));
	for (uint32_t i = 0; i < table->count; i++)
		(*sorted)[i] = &table->entries[i];
	CRM_TRY(crm_sort_pointers(env, (const void **) *sorted, table->count, entry_before));
	for (uint32_t i = 0; i < table->count; i++)
		(*place)[(*sorted)[i] - table->entries] = i;
	return CRM_OK;
}

/*
 * Baskets whose numbers are too far apart to share 64 bits with an item are
 * numbered anew, in their order.
 */
static crm_status
renumber(const crm_env *env, uint64_t *baskets, size_t rows)
{
	uint64_t   *sorted;
	uint32_t   *order;
	uint64_t	number = 0;

	CRM_ALLOC(sorted, env, sizeof(uint64_t) * rows);
	CRM_ALLOC(order, env, sizeof(uint32_t) * rows);
	memcpy(sorted, baskets, sizeof(uint64_t) * rows);
	for (size_t i = 0; i < rows; i++)
		order[i] = (uint32_t) i;
	CRM_TRY(crm_sort_keys(env, sorted, order, rows));
	for (size_t i = 0; i < rows; i++)
	{
		number += i > 0 && sorted[i] != sorted[i - 1];
		baskets[order[i]] = number;
	}
	env->release(env->arg, order);
	env->release(env->arg, sorted);
	return CRM_OK;
}

/* A key for each row, basket before item; *item_bits of it are the item's. */
static crm_status
make_keys(const crm_baskets *b, const crm_env *env, const uint32_t *item_place, const uint32_t *name_place,
		  uint64_t *keys, double *weights, unsigned *item_bits)
{
	size_t		rows = b->rows;
	uint32_t   *items;
	uint64_t	least = UINT64_MAX;
	uint64_t	most = 0;
	size_t		at = 0;
	row			r = {0};

	CRM_ALLOC(items, env, sizeof(uint32_t) * rows);
	for (size_t i = 0; i < rows; i++)
	{
		if (!next_row(b->bytes, b->used, &at, b->weighted, &r))
			return CRM_CORRUPT;
		if (name_place != NULL)
			keys[i] = name_place[r.basket - 1];
		else
			keys[i] = (uint64_t) r.basket ^ (UINT64_C(1) << 63);	/* ascends as signed numbers do */
		least = keys[i] < least ? keys[i] : least;
		most = keys[i] > most ? keys[i] : most;
		items[i] = item_place[r.item - 1];
		if (weights != NULL)
			weights[i] = r.weight;
		if (i % ROWS_A_STEP == 0)
			crm_progress(env);
	}
	*item_bits = crm_bit_length(b->items.count - 1);
	if (crm_bit_length(most - least) + *item_bits > 64)
	{
		CRM_TRY(renumber(env, keys, rows));
		least = 0;
	}
	for (size_t i = 0; i < rows; i++)
		keys[i] = (*item_bits < 64 ? (keys[i] - least) << *item_bits : 0) | items[i];
	env->release(env->arg, items);
	return CRM_OK;
}

static int
compare_weights(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The sum of a few weights, which does not hang on their order. */
static double
sum_of(double *weights, size_t count)
{
	double		sum = 0;

	if (count > 2)
		qsort(weights, count, sizeof(double), compare_weights);
	for (size_t i = 0; i < count; i++)
		sum += weights[i];
	return sum;
}

/* Equal keys become one entry; baskets begin where the key's upper part changes. */
static crm_status
cut(const crm_env *env, const uint64_t *keys, const uint32_t *order, const double *weights, size_t rows, unsigned item_bits,
	crm_basket_index *index)
{
	uint64_t	mask = (UINT64_C(1) << item_bits) - 1;
	size_t		baskets = 1;
	size_t		made = 0;
	double	   *same = NULL;

	for (size_t i = 1; i < rows; i++)
		baskets += keys[i] >> item_bits != keys[i - 1] >> item_bits;
	CRM_ALLOC(index->starts, env, sizeof(size_t) * (baskets + 1));
	CRM_ALLOC(index->entries, env, sizeof(uint32_t) * rows);
	if (weights != NULL)
	{
		CRM_ALLOC(index->weights, env, sizeof(double) * rows);
		CRM_ALLOC(same, env, sizeof(double) * rows);
	}
	for (size_t i = 0; i < rows;)
	{
		size_t		first = i;
		uint32_t	item = (uint32_t) (keys[i] & mask);

		if (i == 0 || keys[i] >> item_bits != keys[i - 1] >> item_bits)
			index->starts[index->basket_count++] = made;
		for (; i < rows && keys[i] == keys[first]; i++)
		{
			if (weights != NULL)
				same[i - first] = weights[order[i]];
			if (i % ROWS_A_STEP == 0)
				crm_progress(env);
		}
		index->entries[made] = item;
		index->item_baskets[item]++;
		if (weights != NULL)
		{
			index->weights[made] = sum_of(same, i - first);
			if (!isfinite(index->weights[made]))
				return CRM_OUT_OF_RANGE;
		}
		made++;
	}
	index->starts[index->basket_count] = made;
	env->release(env->arg, same);
	return CRM_OK;
}

crm_status
crm_baskets_index(const crm_baskets *b, const crm_env *env, bool ordered, crm_basket_index *index)
{
	size_t		rows = b->rows;
	size_t		a_row = (3 * sizeof(uint64_t) + 2 * sizeof(uint32_t)) + (b->weighted ? 4 * sizeof(double) : 0);
	const crm_value_entry **names = NULL;
	uint32_t   *item_place;
	uint32_t   *name_place = NULL;
	uint64_t   *keys;
	uint32_t   *order = NULL;
	double	   *weights = NULL;
	unsigned	item_bits;

	memset(index, 0, sizeof(*index));
	if (rows > UINT32_MAX || rows > (b->max_bytes - (crm_baskets_memory(b) < b->max_bytes ? crm_baskets_memory(b) : b->max_bytes)) / a_row)
		return CRM_LIMIT;
	index->item_count = b->items.count;
	CRM_TRY(sort_table(env, &b->items, &index->items, &item_place));
	CRM_ALLOC(index->item_baskets, env, sizeof(uint32_t) * ((size_t) index->item_count + 1));
	memset(index->item_baskets, 0, sizeof(uint32_t) * ((size_t) index->item_count + 1));
	if (rows == 0)
	{
		CRM_ALLOC(index->starts, env, sizeof(size_t));
		index->starts[0] = 0;
		return CRM_OK;
	}
	if (b->named && ordered)
	{
		CRM_TRY(sort_table(env, &b->names, &names, &name_place));
		env->release(env->arg, names);
	}
	CRM_ALLOC(keys, env, sizeof(uint64_t) * rows);
	if (b->weighted)
	{
		CRM_ALLOC(weights, env, sizeof(double) * rows);
		CRM_ALLOC(order, env, sizeof(uint32_t) * rows);
		for (size_t i = 0; i < rows; i++)
			order[i] = (uint32_t) i;
	}
	CRM_TRY(make_keys(b, env, item_place, name_place, keys, weights, &item_bits));
	env->release(env->arg, item_place);
	env->release(env->arg, name_place);
	CRM_TRY(crm_sort_keys(env, keys, order, rows));
	CRM_TRY(cut(env, keys, order, weights, rows, item_bits, index));
	env->release(env->arg, order);
	env->release(env->arg, weights);
	env->release(env->arg, keys);
	return CRM_OK;
}

void
crm_basket_index_free(crm_basket_index *index, const crm_env *env)
{
	env->release(env->arg, (void *) index->items);
	env->release(env->arg, index->item_baskets);
	env->release(env->arg, index->starts);
	env->release(env->arg, index->entries);
	env->release(env->arg, index->weights);
	memset(index, 0, sizeof(*index));
}
