/*
 * lookalike.c - counting customers for a model of similarity.
 */
#include "kernel/lookalike_private.h"

#include <math.h>
#include <stdlib.h>

#include "kernel/rule_batch.h"

#define FIRST_ROOM 64
/* Beyond it, a count is no longer exact as a float8. */
#define MAX_CUSTOMERS (UINT64_C(1) << 53)

static uint32_t
slot_of(const lookalike_feature *feature, int64_t key)
{
	uint64_t	h = (uint64_t) key * UINT64_C(0x9E3779B97F4A7C15);

	return (uint32_t) ((h ^ (h >> 32)) & (feature->room - 1));
}

static bool
is_free(const lookalike_cell *cell)
{
	return (cell->counts.n[0] | cell->counts.n[1] | cell->counts.n[2] | cell->counts.n[3]) == 0;
}

static lookalike_cell *
find_cell(const lookalike_feature *feature, int64_t key)
{
	uint32_t	slot = slot_of(feature, key);

	while (!is_free(&feature->cells[slot]) && feature->cells[slot].key != key)
		slot = (slot + 1) & (feature->room - 1);
	return &feature->cells[slot];
}

/* Makes room for one cell more. */
static crm_status
grow(const crm_env *env, lookalike_feature *feature)
{
	lookalike_feature grown = *feature;
	bool		hashed = feature->kind == CRM_FEATURE_NUMBER;

	if (hashed ? feature->used < feature->room / 4 * 3 : feature->used < feature->room)
		return CRM_OK;
	grown.room = feature->room == 0 ? FIRST_ROOM : feature->room * 2;
	grown.cells = env->alloc(env->arg, grown.room * sizeof(lookalike_cell));
	if (grown.cells == NULL)
		return CRM_NO_MEMORY;
	memset(grown.cells, 0, grown.room * sizeof(lookalike_cell));
	for (uint32_t i = 0; i < feature->room; i++)
	{
		if (!hashed)
			grown.cells[i] = feature->cells[i];
		else if (!is_free(&feature->cells[i]))
			*find_cell(&grown, feature->cells[i].key) = feature->cells[i];
	}
	if (feature->cells != NULL)
		env->release(env->arg, feature->cells);
	*feature = grown;
	return CRM_OK;
}

/* The counts of a cell of numbers, added when it is new. */
static crm_status
number_counts(const crm_env *env, lookalike_feature *feature, int64_t key, lookalike_counts **counts)
{
	lookalike_cell *cell;

	CRM_TRY(grow(env, feature));
	cell = find_cell(feature, key);
	if (is_free(cell))
	{
		if (feature->used >= CRM_LOOKALIKE_MAX_CELLS)
			return CRM_LIMIT;
		cell->key = key;
		feature->used++;
	}
	*counts = &cell->counts;
	return CRM_OK;
}

static crm_status
text_counts(const crm_env *env, lookalike_feature *feature, const char *text, size_t length, uint32_t *code, lookalike_counts **counts)
{
	CRM_TRY(crm_value_add(&feature->texts, env, text, length, CRM_LOOKALIKE_MAX_TEXTS, code));
	if (*code > feature->used)
	{
		CRM_TRY(grow(env, feature));
		feature->used = *code;
		feature->cells[*code - 1].key = *code;
	}
	*counts = &feature->cells[*code - 1].counts;
	return CRM_OK;
}

crm_status
crm_lookalike_new(const crm_env *env, const crm_feature_kind *kinds, uint32_t count, crm_lookalike **result)
{
	crm_lookalike *state;

	if (count < 1 || count > CRM_LOOKALIKE_MAX_FEATURES)
		return CRM_OUT_OF_RANGE;
	state = env->alloc(env->arg, sizeof(crm_lookalike));
	if (state == NULL)
		return CRM_NO_MEMORY;
	memset(state, 0, sizeof(*state));
	state->env = *env;
	state->count = count;
	state->features = env->alloc(env->arg, count * sizeof(lookalike_feature));
	if (state->features == NULL)
		return CRM_NO_MEMORY;
	memset(state->features, 0, count * sizeof(lookalike_feature));
	for (uint32_t i = 0; i < count; i++)
		state->features[i].kind = kinds[i];
	*result = state;
	return CRM_OK;
}

uint32_t
crm_lookalike_features(const crm_lookalike *state)
{
	return state->count;
}

crm_feature_kind
crm_lookalike_kind(const crm_lookalike *state, uint32_t feature)
{
	return state->features[feature].kind;
}

/* ---- held out customers --------------------------------------------------------- */

static int
compare_rows(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

void
crm_lookalike_prune(crm_lookalike *state, lookalike_held *held)
{
	size_t		width = (1 + state->count) * sizeof(uint64_t);

	if (held->count > 1)
		qsort(held->rows, held->count, width, compare_rows);
	if (held->count >= CRM_LOOKALIKE_HELD)
	{
		held->count = CRM_LOOKALIKE_HELD;
		held->limit = held->rows[(held->count - 1) * (1 + state->count)];
	}
}

static crm_status
keep_row(crm_lookalike *state, bool seed, const uint64_t *row)
{
	lookalike_held *held = &state->held[seed];
	size_t		width = (1 + state->count) * sizeof(uint64_t);

	if (held->limit != 0 && row[0] > held->limit)
		return CRM_OK;
	if (held->count == held->room)
	{
		if (held->room < 2 * CRM_LOOKALIKE_HELD)
		{
			uint32_t	room = held->room == 0 ? 128 : held->room * 2;
			uint64_t   *rows;

			if (room > 2 * CRM_LOOKALIKE_HELD)
				room = 2 * CRM_LOOKALIKE_HELD;
			rows = held->rows == NULL ? state->env.alloc(state->env.arg, room * width) :
				state->env.resize(state->env.arg, held->rows, held->room * width, room * width);
			if (rows == NULL)
				return CRM_NO_MEMORY;
			held->rows = rows;
			held->room = room;
		}
		else
			crm_lookalike_prune(state, held);
	}
	memcpy(held->rows + held->count * (1 + state->count), row, width);
	held->count++;
	return CRM_OK;
}

/* ---- adding --------------------------------------------------------------------- */

crm_status
crm_lookalike_add(crm_lookalike *state, bool seed, uint64_t hash, const crm_feature_value *values, uint32_t *feature)
{
	bool		held_out = hash % 5 == 0;
	int			place = (held_out ? 2 : 0) + seed;
	uint64_t	row[1 + CRM_LOOKALIKE_MAX_FEATURES];

	row[0] = hash;
	for (uint32_t i = 0; i < state->count; i++)
	{
		lookalike_feature *f = &state->features[i];
		lookalike_counts *counts = &f->missing;

		*feature = i;
		if (values[i].missing)
			row[i + 1] = (uint64_t) LOOKALIKE_MISSING;
		else if (f->kind == CRM_FEATURE_NUMBER)
		{
			int64_t		key = crm_float_key(values[i].number) >> 41;

			row[i + 1] = (uint64_t) key;
			CRM_TRY(number_counts(&state->env, f, key, &counts));
		}
		else
		{
			uint32_t	code;

			CRM_TRY(text_counts(&state->env, f, values[i].text, values[i].length, &code, &counts));
			row[i + 1] = code;
		}
		counts->n[place]++;
	}
	state->customers[place]++;
	return held_out ? keep_row(state, seed, row) : CRM_OK;
}

/* ---- bytes ------------------------------------------------------------------------ */

/*
 * uint32 features; uint64 customers[4]; for each feature: uint8 kind, uint64
 * missing[4], uint32 cells, and the cells: of numbers int64 key, of texts uint32
 * length and the bytes, both with uint64 counts[4].  Then, of the others and of
 * the seed: uint32 rows, and the rows.
 */
#define COUNTS_BYTES 32

size_t
crm_lookalike_size(crm_lookalike *state)
{
	size_t		size = 4 + COUNTS_BYTES;

	for (uint32_t i = 0; i < state->count; i++)
	{
		const lookalike_feature *f = &state->features[i];

		size += 1 + COUNTS_BYTES + 4 + (size_t) f->used * COUNTS_BYTES;
		if (f->kind == CRM_FEATURE_NUMBER)
			size += (size_t) f->used * 8;
		else
			for (uint32_t code = 0; code < f->used; code++)
				size += 4 + f->texts.entries[code].length;
	}
	for (int i = 0; i < 2; i++)
	{
		crm_lookalike_prune(state, &state->held[i]);
		size += 4 + (size_t) state->held[i].count * (1 + state->count) * 8;
	}
	return size;
}

static uint8_t *
write_counts(uint8_t *out, const uint64_t *n)
{
	for (int i = 0; i < 4; i++, out += 8)
		crm_store64(out, n[i]);
	return out;
}

void
crm_lookalike_write(const crm_lookalike *state, uint8_t *out)
{
	crm_store32(out, state->count);
	out = write_counts(out + 4, state->customers);
	for (uint32_t i = 0; i < state->count; i++)
	{
		const lookalike_feature *f = &state->features[i];

		*out++ = (uint8_t) f->kind;
		out = write_counts(out, f->missing.n);
		crm_store32(out, f->used);
		out += 4;
		for (uint32_t c = 0; c < f->room; c++)
		{
			if (f->kind == CRM_FEATURE_TEXT && c >= f->used)
				break;
			if (f->kind == CRM_FEATURE_NUMBER)
			{
				if (is_free(&f->cells[c]))
					continue;
				crm_store64(out, (uint64_t) f->cells[c].key);
				out += 8;
			}
			else
			{
				crm_store32(out, f->texts.entries[c].length);
				memcpy(out + 4, f->texts.entries[c].text, f->texts.entries[c].length);
				out += 4 + f->texts.entries[c].length;
			}
			out = write_counts(out, f->cells[c].counts.n);
		}
		crm_progress(&state->env);
	}
	for (int i = 0; i < 2; i++)
	{
		crm_store32(out, state->held[i].count);
		out += 4;
		for (size_t n = 0; n < (size_t) state->held[i].count * (1 + state->count); n++, out += 8)
			crm_store64(out, state->held[i].rows[n]);
	}
}

typedef struct reading
{
	const uint8_t *at;
	size_t		left;
} reading;

static bool
take(reading *r, size_t size, const uint8_t **bytes)
{
	if (r->left < size)
		return false;
	*bytes = r->at;
	r->at += size;
	r->left -= size;
	return true;
}

static crm_status
read_counts(reading *r, uint64_t *n)
{
	const uint8_t *bytes;

	if (!take(r, COUNTS_BYTES, &bytes))
		return CRM_CORRUPT;
	for (int i = 0; i < 4; i++, bytes += 8)
	{
		uint64_t	more = crm_load64(bytes);

		if (more > MAX_CUSTOMERS || n[i] > MAX_CUSTOMERS - more)
			return CRM_CORRUPT;
		n[i] += more;
	}
	return CRM_OK;
}

static crm_status
read_feature(crm_lookalike *state, lookalike_feature *f, reading *r, uint32_t **codes, uint32_t *given)
{
	const uint8_t *bytes;
	uint32_t	cells;

	if (!take(r, 1, &bytes) || bytes[0] != f->kind)
		return CRM_CORRUPT;
	CRM_TRY(read_counts(r, f->missing.n));
	if (!take(r, 4, &bytes))
		return CRM_CORRUPT;
	cells = crm_load32(bytes);
	if (cells > r->left / COUNTS_BYTES)
		return CRM_CORRUPT;
	*given = cells;
	*codes = NULL;
	if (f->kind == CRM_FEATURE_TEXT)
	{
		*codes = state->env.alloc(state->env.arg, (cells + 1) * sizeof(uint32_t));
		if (*codes == NULL)
			return CRM_NO_MEMORY;
	}
	for (uint32_t c = 0; c < cells; c++)
	{
		lookalike_counts *counts;
		lookalike_counts sum = {{0}};

		if (f->kind == CRM_FEATURE_NUMBER)
		{
			int64_t		key;

			if (!take(r, 8, &bytes))
				return CRM_CORRUPT;
			key = (int64_t) crm_load64(bytes);
			if (key < -(INT64_C(1) << 22) || key >= INT64_C(1) << 22 || !isfinite(lookalike_cell_begin(key)))
				return CRM_CORRUPT;
			CRM_TRY(read_counts(r, sum.n));
			if ((sum.n[0] | sum.n[1] | sum.n[2] | sum.n[3]) == 0)
				return CRM_CORRUPT;
			CRM_TRY(number_counts(&state->env, f, key, &counts));
		}
		else
		{
			uint32_t	length;
			const uint8_t *text;

			if (!take(r, 4, &bytes))
				return CRM_CORRUPT;
			length = crm_load32(bytes);
			if (!take(r, length, &text))
				return CRM_CORRUPT;
			CRM_TRY(read_counts(r, sum.n));
			CRM_TRY(text_counts(&state->env, f, (const char *) text, length, &(*codes)[c], &counts));
		}
		for (int i = 0; i < 4; i++)
		{
			if (counts->n[i] > MAX_CUSTOMERS - sum.n[i])
				return CRM_CORRUPT;
			counts->n[i] += sum.n[i];
		}
	}
	return CRM_OK;
}

static crm_status
read_rows(crm_lookalike *state, bool seed, reading *r, uint32_t *const *codes, const uint32_t *given)
{
	const uint8_t *bytes;
	uint32_t	rows;

	if (!take(r, 4, &bytes))
		return CRM_CORRUPT;
	rows = crm_load32(bytes);
	if (rows > CRM_LOOKALIKE_HELD)
		return CRM_CORRUPT;
	for (uint32_t n = 0; n < rows; n++)
	{
		uint64_t	row[1 + CRM_LOOKALIKE_MAX_FEATURES];

		if (!take(r, (1 + (size_t) state->count) * 8, &bytes))
			return CRM_CORRUPT;
		for (uint32_t i = 0; i <= state->count; i++)
			row[i] = crm_load64(bytes + (size_t) i * 8);
		for (uint32_t i = 0; i < state->count; i++)
			if ((int64_t) row[i + 1] != LOOKALIKE_MISSING && codes[i] != NULL)
			{
				if (row[i + 1] < 1 || row[i + 1] > given[i])
					return CRM_CORRUPT;
				row[i + 1] = codes[i][row[i + 1] - 1];
			}
		CRM_TRY(keep_row(state, seed, row));
	}
	return CRM_OK;
}

crm_status
crm_lookalike_read(const crm_env *env, const uint8_t *data, size_t size, crm_lookalike **state, uint32_t *feature)
{
	reading		r = {data, size};
	const uint8_t *bytes;
	uint32_t	count;
	uint32_t   *codes[CRM_LOOKALIKE_MAX_FEATURES];
	uint32_t	given[CRM_LOOKALIKE_MAX_FEATURES];

	*feature = 0;
	if (!take(&r, 4, &bytes))
		return CRM_CORRUPT;
	count = crm_load32(bytes);
	if (count < 1 || count > CRM_LOOKALIKE_MAX_FEATURES || (*state != NULL && (*state)->count != count))
		return CRM_CORRUPT;
	if (*state == NULL)
	{
		/* the kinds stand in front of each feature: found by a first look */
		reading		look = r;
		crm_feature_kind kinds[CRM_LOOKALIKE_MAX_FEATURES];

		if (!take(&look, COUNTS_BYTES, &bytes))
			return CRM_CORRUPT;
		for (uint32_t i = 0; i < count; i++)
		{
			uint32_t	cells;

			if (!take(&look, 1, &bytes) || bytes[0] > CRM_FEATURE_TEXT)
				return CRM_CORRUPT;
			kinds[i] = (crm_feature_kind) bytes[0];
			if (!take(&look, COUNTS_BYTES + 4, &bytes))
				return CRM_CORRUPT;
			cells = crm_load32(bytes + COUNTS_BYTES);
			for (uint32_t c = 0; c < cells; c++)
			{
				if (!take(&look, kinds[i] == CRM_FEATURE_NUMBER ? 8 : 4, &bytes))
					return CRM_CORRUPT;
				if (!take(&look, kinds[i] == CRM_FEATURE_NUMBER ? COUNTS_BYTES : (size_t) crm_load32(bytes) + COUNTS_BYTES, &bytes))
					return CRM_CORRUPT;
			}
		}
		CRM_TRY(crm_lookalike_new(env, kinds, count, state));
	}
	CRM_TRY(read_counts(&r, (*state)->customers));
	for (uint32_t i = 0; i < count; i++)
	{
		*feature = i;
		CRM_TRY(read_feature(*state, &(*state)->features[i], &r, &codes[i], &given[i]));
	}
	for (int i = 0; i < 2; i++)
		CRM_TRY(read_rows(*state, i != 0, &r, codes, given));
	for (uint32_t i = 0; i < count; i++)
		if (codes[i] != NULL)
			env->release(env->arg, codes[i]);
	return r.left == 0 ? CRM_OK : CRM_CORRUPT;
}
