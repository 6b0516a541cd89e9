/*
 * bsi.c - questions to bit-sliced numbers, and their stored form.
 */
#include "kernel/bsi_block.h"

/* ---- the stored form ------------------------------------------------------- */

void
crm_bsi_image_view(const crm_bsi_image *image, crm_bsi *bsi)
{
	const uint8_t *p = image->data;

	bsi->slices = image->slices;
	bsi->scale = image->scale;
	for (uint32_t i = 0; i <= image->slices; i++)
	{
		crm_ids    *set = i == 0 ? &bsi->present : &bsi->slice[i - 1];

		set->data = p;
		set->size = image->sizes[i];
		p += image->sizes[i];
	}
}

void
crm_bsi_image_free(const crm_env *env, crm_bsi_image *image)
{
	env->release(env->arg, image->data);
	image->data = NULL;
}

size_t
crm_bsi_image_size(const crm_bsi_image *image)
{
	return CRM_BSI_TABLE(image->slices) + image->size;
}

void
crm_bsi_image_write(const crm_bsi_image *image, uint8_t *out)
{
	for (uint32_t i = 0; i <= image->slices; i++)
		crm_store32(out + 4 * i, image->sizes[i]);
	memcpy(out + CRM_BSI_TABLE(image->slices), image->data, image->size);
}

crm_status
crm_bsi_open(const uint8_t *data, size_t size, uint32_t slices, uint32_t scale, crm_bsi *bsi)
{
	const uint8_t *p;
	size_t		left;

	if (slices < 1 || slices > CRM_BSI_SLICES || scale > CRM_BSI_SCALE || size < CRM_BSI_TABLE(slices))
		return CRM_CORRUPT;
	bsi->slices = slices;
	bsi->scale = scale;
	p = data + CRM_BSI_TABLE(slices);
	left = size - CRM_BSI_TABLE(slices);
	for (uint32_t i = 0; i <= slices; i++)
	{
		crm_ids    *set = i == 0 ? &bsi->present : &bsi->slice[i - 1];

		set->data = p;
		set->size = crm_load32(data + 4 * i);
		if (set->size > left || set->size < sizeof(uint64_t))
			return CRM_CORRUPT;
		p += set->size;
		left -= set->size;
	}
	return left == 0 ? CRM_OK : CRM_CORRUPT;
}

static bool
same_set(crm_ids a, crm_ids b)
{
	return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

crm_status
crm_bsi_validate(const crm_env *env, const crm_bsi *bsi, uint64_t *cardinality)
{
	bool		canonical;
	uint64_t	count;

	CRM_TRY(crm_ids_validate_long(env, bsi->present.data, bsi->present.size, cardinality, &canonical));
	if (!canonical)
		return CRM_CORRUPT;
	for (uint32_t i = 0; i < bsi->slices; i++)
	{
		CRM_TRY(crm_ids_validate_long(env, bsi->slice[i].data, bsi->slice[i].size, &count, &canonical));
		if (!canonical || !crm_ids_is_subset(bsi->slice[i], bsi->present))
			return CRM_CORRUPT;
		crm_progress(env);
	}
	if (bsi->slices > 1 && same_set(bsi->slice[bsi->slices - 1], bsi->slice[bsi->slices - 2]))
		return CRM_CORRUPT;
	if (*cardinality == 0 && bsi->scale != 0)
		return CRM_CORRUPT;
	return CRM_OK;
}

crm_status
crm_bsi_equal(const crm_env *env, const crm_bsi *a, const crm_bsi *b, bool *equal)
{
	if (a->scale != b->scale)
	{
		const crm_bsi *coarse = a->scale < b->scale ? a : b;
		const crm_bsi *fine = coarse == a ? b : a;
		crm_bsi_image image;
		crm_bsi		scaled;
		crm_status	status;

		*equal = false;
		if (!same_set(a->present, b->present))
			return CRM_OK;
		status = crm_bsi_rescale(env, coarse, fine->scale, &image);
		/* What does not fit at the other's scale is not there. */
		if (status == CRM_OUT_OF_RANGE)
			return CRM_OK;
		if (status != CRM_OK)
			return status;
		crm_bsi_image_view(&image, &scaled);
		status = crm_bsi_equal(env, &scaled, fine, equal);
		crm_bsi_image_free(env, &image);
		return status;
	}
	*equal = a->slices == b->slices && same_set(a->present, b->present);
	for (uint32_t i = 0; *equal && i < a->slices; i++)
		*equal = same_set(a->slice[i], b->slice[i]);
	return CRM_OK;
}

/* ---- counts and sums ----------------------------------------------------------- */

uint64_t
crm_bsi_tally(const crm_env *env, const crm_bsi *bsi, const crm_ids *among)
{
	return among ? crm_ids_and_count(env, bsi->present, *among) : crm_ids_count(bsi->present);
}

/* Adds count * 2^shift, or takes it away. */
static void
total_add(crm_bsi_total *total, uint64_t count, uint32_t shift, bool negative)
{
	uint64_t	part[CRM_BSI_SUM_LIMBS] = {0};
	unsigned	carry = negative;

	part[shift / 64] = count << shift % 64;
	if (shift % 64 != 0)
		part[shift / 64 + 1] = count >> (64 - shift % 64);
	for (int i = 0; i < CRM_BSI_SUM_LIMBS; i++)
	{
		crm_uint128 sum = (crm_uint128) total->limb[i] + (negative ? ~part[i] : part[i]) + carry;

		total->limb[i] = (uint64_t) sum;
		carry = (unsigned) (sum >> 64);
	}
}

void
crm_bsi_sum_up(const crm_env *env, const crm_bsi *bsi, const crm_ids *among, crm_bsi_total *total)
{
	memset(total, 0, sizeof(crm_bsi_total));
	total->count = crm_bsi_tally(env, bsi, among);
	for (uint32_t i = 0; i < bsi->slices; i++)
	{
		uint64_t	count = among ? crm_ids_and_count(env, bsi->slice[i], *among) : crm_ids_count(bsi->slice[i]);

		total_add(total, count, i, i == bsi->slices - 1);
		crm_progress(env);
	}
}

bool
crm_bsi_lookup(const crm_bsi *bsi, uint64_t id, crm_int128 *value)
{
	crm_uint128 bits = 0;

	if (!crm_ids_contains(bsi->present, id))
		return false;
	for (uint32_t i = 0; i < bsi->slices; i++)
	{
		if (!crm_ids_contains(bsi->slice[i], id))
			continue;
		/* The sign's bit and all above it. */
		bits |= (i == bsi->slices - 1 ? ~(crm_uint128) 0 : (crm_uint128) 1) << i;
	}
	*value = (crm_int128) bits;
	return true;
}

/* ---- descending through the slices ----------------------------------------------- */

/* A set that belongs to somebody else, or to us. */
typedef struct held_set
{
	crm_ids		set;
	uint8_t    *own;
} held_set;

static void
drop_set(const crm_env *env, held_set *held)
{
	if (held->own)
		env->release(env->arg, held->own);
	held->own = NULL;
}

/* Takes the builder's set; what was held is dropped. */
static crm_status
hold_built(const crm_env *env, held_set *held, crm_ids_builder *builder)
{
	size_t		size = crm_ids_builder_size(builder);
	uint8_t    *bytes = env->alloc(env->arg, size);

	if (bytes == NULL)
		return CRM_NO_MEMORY;
	crm_ids_builder_write(builder, bytes);
	crm_ids_builder_free(builder);
	drop_set(env, held);
	held->set.data = held->own = bytes;
	held->set.size = size;
	return CRM_OK;
}

/* held = held op other */
static crm_status
hold_combined(const crm_env *env, held_set *held, crm_ids_op op, crm_ids other)
{
	crm_ids_builder *builder;

	CRM_TRY(crm_ids_builder_new(env, &builder));
	CRM_TRY(crm_ids_combine(env, op, held->set, other, builder));
	return hold_built(env, held, builder);
}

/* The ids in question, and how many they are. */
static crm_status
hold_candidates(const crm_env *env, const crm_bsi *bsi, const crm_ids *among, held_set *held, uint64_t *count)
{
	held->set = bsi->present;
	held->own = NULL;
	if (among)
		CRM_TRY(hold_combined(env, held, CRM_AND, *among));
	*count = crm_ids_count(held->set);
	return CRM_OK;
}

crm_status
crm_bsi_select(const crm_env *env, const crm_bsi *bsi, const crm_ids *among, uint64_t place, crm_int128 *value)
{
	held_set	candidates;
	uint64_t	count;
	uint64_t	id;

	CRM_TRY(hold_candidates(env, bsi, among, &candidates, &count));
	if (place >= count)
	{
		drop_set(env, &candidates);
		return CRM_OUT_OF_RANGE;
	}
	for (uint32_t i = bsi->slices; i-- > 0 && count > 1;)
	{
		uint64_t	ones = crm_ids_and_count(env, candidates.set, bsi->slice[i]);
		/* Negative numbers come first, and in any other slice those without the bit. */
		bool		ones_first = i == bsi->slices - 1;
		uint64_t	first = ones_first ? ones : count - ones;
		bool		in_first = place < first;
		bool		take_ones = in_first == ones_first;
		uint64_t	taken = in_first ? first : count - first;

		if (!in_first)
			place -= first;
		if (taken < count)
			CRM_TRY(hold_combined(env, &candidates, take_ones ? CRM_AND : CRM_ANDNOT, bsi->slice[i]));
		count = taken;
	}

	/* All that are left have the same number. */
	crm_ids_min(candidates.set, &id);
	crm_bsi_lookup(bsi, id, value);
	drop_set(env, &candidates);
	return CRM_OK;
}

crm_status
crm_bsi_greatest(const crm_env *env, const crm_bsi *bsi, const crm_ids *among, uint64_t k, crm_ids_builder *out)
{
	static const uint8_t nothing[8] = {0};
	held_set	candidates;
	held_set	chosen = {{nothing, sizeof(nothing)}, NULL};
	uint64_t	count;
	crm_ids_builder *builder;

	CRM_TRY(hold_candidates(env, bsi, among, &candidates, &count));
	for (uint32_t i = bsi->slices; i-- > 0 && k > 0 && k < count;)
	{
		uint64_t	ones = crm_ids_and_count(env, candidates.set, bsi->slice[i]);
		/* The greater ones: not negative, or with the bit. */
		crm_ids_op	greater = i == bsi->slices - 1 ? CRM_ANDNOT : CRM_AND;
		crm_ids_op	less = greater == CRM_AND ? CRM_ANDNOT : CRM_AND;
		uint64_t	above = greater == CRM_AND ? ones : count - ones;

		if (above > k)
		{
			if (above < count)
				CRM_TRY(hold_combined(env, &candidates, greater, bsi->slice[i]));
			count = above;
		}
		else if (above > 0)
		{
			held_set	some = {candidates.set, NULL};

			CRM_TRY(hold_combined(env, &some, greater, bsi->slice[i]));
			CRM_TRY(hold_combined(env, &chosen, CRM_OR, some.set));
			drop_set(env, &some);
			CRM_TRY(hold_combined(env, &candidates, less, bsi->slice[i]));
			k -= above;
			count -= above;
		}
	}

	/* Those left are wanted all, or are equal: the lowest ids. */
	CRM_TRY(crm_ids_builder_new(env, &builder));
	CRM_TRY(crm_ids_slice(env, candidates.set, 0, k, builder));
	CRM_TRY(hold_built(env, &candidates, builder));
	CRM_TRY(crm_ids_combine(env, CRM_OR, chosen.set, candidates.set, out));
	drop_set(env, &candidates);
	drop_set(env, &chosen);
	return CRM_OK;
}

/* ---- ranges ------------------------------------------------------------------------ */

/* One block on the way down: which ids still equal a bound, and which are known to lie outside. */
typedef struct range_state
{
	uint64_t	at_low[CRM_CONTAINER_WORDS];
	uint64_t	at_high[CRM_CONTAINER_WORDS];
	uint64_t	outside[CRM_CONTAINER_WORDS];
} range_state;

/*
 * One slice: an id that so far equals a bound and now differs from it lies
 * above or below.  The masks are all ones where the bound has the bit; flip
 * turns the sign's slice round, so that negative numbers come first.  False
 * when no id equals a bound any more.
 */
static CRM_TARGET_CLONES bool
range_step(range_state *s, const uint64_t *slice, uint32_t words, uint64_t flip, uint64_t low, uint64_t high)
{
	uint64_t	open = 0;

	for (uint32_t i = 0; i < words; i++)
	{
		uint64_t	bits = slice[i] ^ flip;
		uint64_t	off_low = s->at_low[i] & (bits ^ low);
		uint64_t	off_high = s->at_high[i] & (bits ^ high);

		s->outside[i] |= (off_low & low) | (off_high & ~high);
		s->at_low[i] &= ~off_low;
		s->at_high[i] &= ~off_high;
		open |= s->at_low[i] | s->at_high[i];
	}
	return open != 0;
}

static inline uint64_t
bound_mask(const crm_int128 *bound, uint32_t slice, uint64_t flip)
{
	return (bound && ((crm_uint128) *bound >> slice & 1) ? ~UINT64_C(0) : 0) ^ flip;
}

crm_status
crm_bsi_between(const crm_env *env, const crm_bsi *bsi, const crm_ids *among,
			  const crm_int128 *low, const crm_int128 *high, crm_ids_builder *out)
{
	/* What so many slices can hold at all. */
	crm_int128	greatest = (crm_int128) ~((~(crm_uint128) 0) << (bsi->slices - 1));
	crm_int128	least = ~greatest;
	crm_bsi_walk *walk;
	crm_bsi_universe *u;
	range_state *s;
	uint64_t   *words;
	crm_ids_cursor other;
	crm_status	status = CRM_OK;

	if ((low && *low > greatest) || (high && *high < least) || (low && high && *low > *high))
		return CRM_OK;
	if (low && *low <= least)
		low = NULL;
	if (high && *high >= greatest)
		high = NULL;
	if (low == NULL && high == NULL)
		return crm_ids_combine(env, CRM_AND, bsi->present, among ? *among : bsi->present, out);

	walk = env->alloc(env->arg, sizeof(crm_bsi_walk));
	u = env->alloc(env->arg, sizeof(crm_bsi_universe));
	s = env->alloc(env->arg, sizeof(range_state));
	words = env->alloc(env->arg, CRM_CONTAINER_BYTES);
	if (walk == NULL || u == NULL || s == NULL || words == NULL)
		return CRM_NO_MEMORY;
	crm_bsi_walk_first(walk, bsi);
	if (among)
		crm_ids_first(&other, *among);
	while (status == CRM_OK && walk->present.valid && (among == NULL || other.valid))
	{
		const crm_container *present = &walk->present.current;

		crm_progress(env);
		if (among == NULL)
			crm_bsi_universe_of(u, present);
		else if (present->key < other.current.key)
		{
			crm_ids_advance(&walk->present, other.current.key);
			continue;
		}
		else if (present->key > other.current.key)
		{
			crm_ids_advance(&other, present->key);
			continue;
		}
		else
		{
			crm_bsi_universe_combine(u, CRM_AND, present, &other.current);
			crm_ids_next(&other);
		}
		crm_ids_next(&walk->present);

		for (uint32_t w = 0; w < u->words; w++)
		{
			s->at_low[w] = low ? u->all[w] : 0;
			s->at_high[w] = high ? u->all[w] : 0;
			s->outside[w] = 0;
		}
		for (uint32_t i = bsi->slices; i-- > 0;)
		{
			uint64_t	flip = i == bsi->slices - 1 ? ~UINT64_C(0) : 0;

			crm_bsi_load(u, crm_bsi_walk_slice(walk, i, u->key), words);
			if (!range_step(s, words, u->words, flip, bound_mask(low, i, flip), bound_mask(high, i, flip)))
				break;
		}
		for (uint32_t w = 0; w < u->words; w++)
			words[w] = u->all[w] & ~s->outside[w];
		status = crm_bsi_store(u, words, out);
	}
	env->release(env->arg, walk);
	env->release(env->arg, u);
	env->release(env->arg, s);
	env->release(env->arg, words);
	return status;
}

/* ---- decimals ------------------------------------------------------------------------- */

bool
crm_bsi_scale_up(crm_int128 *value, uint32_t digits)
{
	crm_int128	scaled = *value;

	for (; digits > 0 && scaled != 0; digits--)
	{
		if (__builtin_mul_overflow(scaled, (crm_int128) 10, &scaled))
			return false;
	}
	*value = scaled;
	return true;
}

size_t
crm_bsi_print_total(const crm_bsi_total *total, uint32_t scale, char *out)
{
	uint64_t	limb[CRM_BSI_SUM_LIMBS];
	char		digits[CRM_BSI_TEXT];
	uint32_t	n = 0;
	size_t		length = 0;
	bool		negative = total->limb[CRM_BSI_SUM_LIMBS - 1] >> 63;
	uint64_t	carry = negative;
	int			used = CRM_BSI_SUM_LIMBS;

	for (int i = 0; i < CRM_BSI_SUM_LIMBS; i++)
	{
		limb[i] = (negative ? ~total->limb[i] : total->limb[i]) + carry;
		carry = carry && limb[i] == 0;
	}
	do
	{
		uint64_t	rest = 0;

		/* A digit less, from the highest limb in use down. */
		while (used > 0 && limb[used - 1] == 0)
			used--;
		for (int i = used; i-- > 0;)
		{
			crm_uint128 part = (crm_uint128) rest << 64 | limb[i];

			limb[i] = (uint64_t) (part / 10);
			rest = (uint64_t) (part % 10);
		}
		digits[n++] = (char) ('0' + rest);
	} while (n <= scale || used > 1 || (used == 1 && limb[0] != 0));
	if (negative)
		out[length++] = '-';
	while (n > 0)
	{
		if (n-- == scale)
			out[length++] = '.';
		out[length++] = digits[n];
	}
	out[length] = '\0';
	return length;
}

size_t
crm_bsi_print(crm_int128 value, uint32_t scale, char *out)
{
	crm_bsi_total total = {{(uint64_t) value, (uint64_t) (value >> 64), 0, 0}, 1};

	total.limb[2] = total.limb[3] = value < 0 ? ~UINT64_C(0) : 0;
	return crm_bsi_print_total(&total, scale, out);
}
