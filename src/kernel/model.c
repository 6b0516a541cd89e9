/*
 * model.c - checking, writing and reading models of any kind.
 */
#include "kernel/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void
crm_model_begin(crm_model *m, const crm_model_kind *kind, uint32_t features)
{
	memset(m, 0, sizeof(*m));
	m->kind = kind;
	m->features = features;
}

/* ---- checking ------------------------------------------------------------ */

static bool
number_is_valid(double number, const crm_model_field *field)
{
	return isfinite(number) || (isnan(number) && (field->flags & CRM_FIELD_GAPS));
}

static bool
text_is_valid(crm_model_text text)
{
	return memchr(text.bytes, 0, text.length) == NULL;
}

/* NULL, or what is wrong; a "%s" in it stands for the field. */
static const char *
check_value(const crm_model *m, const crm_model_field *field, const crm_model_value *value)
{
	if (!value->present)
		return field->flags & CRM_FIELD_OPTIONAL ? NULL : "\"%s\" is missing.";
	if (field->per_feature && value->count != m->features)
		return "\"%s\" does not have one element for each feature.";
	switch (field->type)
	{
		case CRM_FIELD_NUMBER:
			if (!number_is_valid(value->number, field))
				return "\"%s\" is not a finite number.";
			break;
		case CRM_FIELD_NUMBERS:
			for (uint32_t i = 0; i < value->count; i++)
				if (!number_is_valid(value->numbers[i], field))
					return "\"%s\" has an element that is not a finite number.";
			break;
		case CRM_FIELD_TEXT:
			if (!text_is_valid(value->text))
				return "\"%s\" has a byte 0.";
			break;
		case CRM_FIELD_TEXTS:
			for (uint32_t i = 0; i < value->count; i++)
				if (!text_is_valid(value->texts[i]))
					return "\"%s\" has a byte 0.";
			break;
		default:
			break;
	}
	return NULL;
}

static int
compare_texts(const void *a, const void *b)
{
	const crm_model_text *x = a;
	const crm_model_text *y = b;
	uint32_t	shorter = x->length < y->length ? x->length : y->length;
	int			order = memcmp(x->bytes, y->bytes, shorter);

	return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static crm_status
names_differ(const crm_env *env, const crm_model_value *names, bool *differ)
{
	crm_model_text *sorted = env->alloc(env->arg, sizeof(crm_model_text) * ((size_t) names->count + 1));

	if (sorted == NULL)
		return CRM_NO_MEMORY;
	if (names->count > 0)
		memcpy(sorted, names->texts, sizeof(crm_model_text) * names->count);
	qsort(sorted, names->count, sizeof(crm_model_text), compare_texts);
	*differ = true;
	for (uint32_t i = 1; i < names->count; i++)
		if (compare_texts(&sorted[i - 1], &sorted[i]) == 0)
			*differ = false;
	env->release(env->arg, sorted);
	return CRM_OK;
}

bool
crm_model_are_features(const crm_model *m, const crm_model_value *numbers)
{
	for (uint32_t i = 0; i < numbers->count; i++)
		if (numbers->integers[i] < 1 || numbers->integers[i] > m->features || (i > 0 && numbers->integers[i] <= numbers->integers[i - 1]))
			return false;
	return true;
}

crm_status
crm_model_check(const crm_model *m, const crm_env *env, char *room, const char **problem)
{
	const crm_model_field *field;
	bool		differ = true;

	*problem = NULL;
	if (m->features > CRM_MODEL_MAX_FEATURES)
	{
		*problem = "There are more than 65535 features.";
		return CRM_CORRUPT;
	}
	for (int place = 0; place < CRM_MODEL_MAX_FIELDS; place++)
	{
		const char *wrong;

		field = crm_model_field_at(m->kind, place);
		if (field == NULL)
			continue;
		wrong = check_value(m, field, &m->values[place]);
		if (wrong != NULL)
		{
			char		name[64];
			const char *at = strstr(wrong, "%s");

			/* The sentences are ours, but a format that is not a literal is nothing to hand to printf. */
			snprintf(name, sizeof(name), "%s", field->name);
			snprintf(room, CRM_MODEL_PROBLEM, "%.*s%s%s", (int) (at - wrong), wrong, name, at + 2);
			*problem = room;
			return CRM_CORRUPT;
		}
	}
	if (m->values[CRM_MODEL_FEATURE_NAMES].present)
		CRM_TRY(names_differ(env, &m->values[CRM_MODEL_FEATURE_NAMES], &differ));
	*problem = differ ? m->kind->check(m) : "Two features have the same name.";
	return *problem == NULL ? CRM_OK : CRM_CORRUPT;
}

/* ---- fingerprint --------------------------------------------------------- */

/* A step of a multiplicative hash: an odd factor, then the high bits onto the low ones. */
static uint64_t
mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
	return hash ^ (hash >> 32);
}

static uint64_t
hash_bytes(uint64_t hash, const uint8_t *bytes, size_t size)
{
	uint64_t	last = 0;

	for (; size >= 8; bytes += 8, size -= 8)
		hash = mix(hash, crm_load64(bytes));
	if (size > 0)
		memcpy(&last, bytes, size);
	return mix(mix(hash, CRM_LE64(last)), size);
}

uint64_t
crm_model_fingerprint(const uint8_t *bytes, size_t size)
{
	size_t		behind = CRM_MODEL_FINGERPRINT + 8;

	return hash_bytes(hash_bytes(size, bytes, CRM_MODEL_FINGERPRINT), bytes + behind, size - behind);
}

/* ---- writing ------------------------------------------------------------- */

/* Bytes of one of these whole numbers. */
static int
width_of(const int64_t *integers, uint32_t count)
{
	int			width = 1;

	for (uint32_t i = 0; i < count && width < 8; i++)
	{
		int64_t		v = integers[i];

		while (width < 8 && (v < -(INT64_C(1) << (8 * width - 1)) || v > (INT64_C(1) << (8 * width - 1)) - 1))
			width *= 2;
	}
	return width;
}

static size_t
value_size(const crm_model_field *field, const crm_model_value *value)
{
	size_t		size = 4;

	switch (field->type)
	{
		case CRM_FIELD_BOOLEAN:
			return 1;
		case CRM_FIELD_INTEGER:
		case CRM_FIELD_NUMBER:
			return 8;
		case CRM_FIELD_TEXT:
			return 4 + (size_t) value->text.length;
		case CRM_FIELD_INTEGERS:
			return 4 + 1 + (size_t) width_of(value->integers, value->count) * value->count;
		case CRM_FIELD_NUMBERS:
			return 4 + 8 * (size_t) value->count;
		case CRM_FIELD_TEXTS:
			for (uint32_t i = 0; i < value->count; i++)
				size += 4 + (size_t) value->texts[i].length;
			return size;
	}
	return 0;
}

size_t
crm_model_size(const crm_model *m)
{
	size_t		size = CRM_MODEL_HEADER;

	for (int place = 0; place < CRM_MODEL_MAX_FIELDS; place++)
		if (m->values[place].present)
			size += 1 + value_size(crm_model_field_at(m->kind, place), &m->values[place]);
	return size;
}

static uint8_t *
write_number(uint8_t *out, double number)
{
	uint64_t	bits = CRM_MODEL_MISSING_BITS;

	if (!isnan(number))
	{
		/* -0 has no text form of its own. */
		number += 0.0;
		memcpy(&bits, &number, sizeof(bits));
	}
	crm_store64(out, bits);
	return out + 8;
}

static uint8_t *
write_text(uint8_t *out, crm_model_text text)
{
	crm_store32(out, text.length);
	if (text.length > 0)
		memcpy(out + 4, text.bytes, text.length);
	return out + 4 + text.length;
}

static uint8_t *
write_integers(uint8_t *out, const int64_t *integers, uint32_t count)
{
	int			width = width_of(integers, count);

	*out++ = (uint8_t) width;
	for (uint32_t i = 0; i < count; i++, out += width)
	{
		uint64_t	v = CRM_LE64((uint64_t) integers[i]);

		memcpy(out, &v, (size_t) width);
	}
	return out;
}

static uint8_t *
write_value(uint8_t *out, const crm_model_field *field, const crm_model_value *value)
{
	switch (field->type)
	{
		case CRM_FIELD_BOOLEAN:
			*out = value->integer != 0;
			return out + 1;
		case CRM_FIELD_INTEGER:
			crm_store64(out, (uint64_t) value->integer);
			return out + 8;
		case CRM_FIELD_NUMBER:
			return write_number(out, value->number);
		case CRM_FIELD_TEXT:
			return write_text(out, value->text);
		default:
			break;
	}
	crm_store32(out, value->count);
	out += 4;
	if (field->type == CRM_FIELD_INTEGERS)
		return write_integers(out, value->integers, value->count);
	for (uint32_t i = 0; i < value->count; i++)
		out = field->type == CRM_FIELD_NUMBERS ? write_number(out, value->numbers[i]) : write_text(out, value->texts[i]);
	return out;
}

void
crm_model_write(const crm_model *m, uint8_t *out)
{
	uint8_t    *bytes = out;

	out[0] = 'C';
	out[1] = 'M';
	out[2] = CRM_MODEL_VERSION;
	out[3] = m->kind->number;
	crm_store32(out + 4, m->features);
	out += CRM_MODEL_HEADER;
	for (int place = 0; place < CRM_MODEL_MAX_FIELDS; place++)
		if (m->values[place].present)
		{
			*out = (uint8_t) place;
			out = write_value(out + 1, crm_model_field_at(m->kind, place), &m->values[place]);
		}
	crm_store64(bytes + CRM_MODEL_FINGERPRINT, crm_model_fingerprint(bytes, (size_t) (out - bytes)));
}

/* ---- reading ------------------------------------------------------------- */

typedef struct reader
{
	const uint8_t *at;
	size_t		left;
} reader;

/* The next so many bytes, or NULL. */
static const uint8_t *
take(reader *in, size_t size)
{
	const uint8_t *at = in->at;

	if (in->left < size)
		return NULL;
	in->at += size;
	in->left -= size;
	return at;
}

static bool
read_number(reader *in, double *number)
{
	const uint8_t *at = take(in, 8);
	uint64_t	bits;

	if (at == NULL)
		return false;
	bits = crm_load64(at);
	memcpy(number, &bits, sizeof(bits));
	return bits != UINT64_C(1) << 63 && (!isnan(*number) || bits == CRM_MODEL_MISSING_BITS);
}

static bool
read_count(reader *in, uint32_t *count)
{
	const uint8_t *at = take(in, 4);

	if (at != NULL)
		*count = crm_load32(at);
	return at != NULL;
}

static bool
read_text(reader *in, crm_model_text *text)
{
	if (!read_count(in, &text->length))
		return false;
	text->bytes = (const char *) take(in, text->length);
	return text->bytes != NULL;
}

static crm_status
read_integers(reader *in, const crm_env *env, crm_model_value *value)
{
	const uint8_t *width_at = take(in, 1);
	int			width = width_at == NULL ? 0 : *width_at;
	int64_t    *integers;

	if ((width != 1 && width != 2 && width != 4 && width != 8) || in->left / (size_t) width < value->count)
		return CRM_CORRUPT;
	integers = env->alloc(env->arg, sizeof(int64_t) * ((size_t) value->count + 1));
	if (integers == NULL)
		return CRM_NO_MEMORY;
	value->integers = integers;
	for (uint32_t i = 0; i < value->count; i++)
	{
		uint64_t	v = 0;
		int			unused = 64 - 8 * width;

		memcpy(&v, take(in, (size_t) width), (size_t) width);
		v = CRM_LE64(v);
		integers[i] = (int64_t) (v << unused) >> unused;
	}
	return width_of(integers, value->count) == width ? CRM_OK : CRM_CORRUPT;
}

static crm_status
read_value(reader *in, const crm_env *env, const crm_model_field *field, crm_model_value *value)
{
	const uint8_t *at;

	switch (field->type)
	{
		case CRM_FIELD_BOOLEAN:
			at = take(in, 1);
			if (at == NULL || *at > 1)
				return CRM_CORRUPT;
			value->integer = *at;
			return CRM_OK;
		case CRM_FIELD_INTEGER:
			at = take(in, 8);
			if (at == NULL)
				return CRM_CORRUPT;
			value->integer = (int64_t) crm_load64(at);
			return CRM_OK;
		case CRM_FIELD_NUMBER:
			return read_number(in, &value->number) ? CRM_OK : CRM_CORRUPT;
		case CRM_FIELD_TEXT:
			return read_text(in, &value->text) ? CRM_OK : CRM_CORRUPT;
		default:
			break;
	}
	if (!read_count(in, &value->count))
		return CRM_CORRUPT;
	if (field->type == CRM_FIELD_INTEGERS)
		return read_integers(in, env, value);
	if (field->type == CRM_FIELD_NUMBERS)
	{
		double	   *numbers;

		if (in->left / 8 < value->count)
			return CRM_CORRUPT;
		numbers = env->alloc(env->arg, sizeof(double) * ((size_t) value->count + 1));
		if (numbers == NULL)
			return CRM_NO_MEMORY;
		value->numbers = numbers;
		for (uint32_t i = 0; i < value->count; i++)
			if (!read_number(in, &numbers[i]))
				return CRM_CORRUPT;
	}
	else
	{
		crm_model_text *texts;

		if (in->left / 4 < value->count)
			return CRM_CORRUPT;
		texts = env->alloc(env->arg, sizeof(crm_model_text) * ((size_t) value->count + 1));
		if (texts == NULL)
			return CRM_NO_MEMORY;
		value->texts = texts;
		for (uint32_t i = 0; i < value->count; i++)
			if (!read_text(in, &texts[i]))
				return CRM_CORRUPT;
	}
	return CRM_OK;
}

crm_status
crm_model_read(crm_model *m, const crm_env *env, const uint8_t *bytes, size_t size, char *room, const char **problem)
{
	reader		in = {bytes, size};
	const crm_model_kind *kind;
	const uint8_t *head = take(&in, CRM_MODEL_HEADER);
	int			before = -1;

	*problem = "The header is not that of a model.";
	if (head == NULL || head[0] != 'C' || head[1] != 'M')
		return CRM_CORRUPT;
	*problem = "The model was written by a newer version of the extension.";
	if (head[2] != CRM_MODEL_VERSION)
		return CRM_CORRUPT;
	kind = crm_model_kind_numbered(head[3]);
	if (kind == NULL)
		return CRM_CORRUPT;
	*problem = "The bytes were changed after they were written.";
	if (crm_load64(head + CRM_MODEL_FINGERPRINT) != crm_model_fingerprint(bytes, size))
		return CRM_CORRUPT;
	*problem = "The fields are not whole.";
	crm_model_begin(m, kind, crm_load32(head + 4));
	while (in.left > 0)
	{
		int			place = *take(&in, 1);
		const crm_model_field *field = place < CRM_MODEL_MAX_FIELDS ? crm_model_field_at(kind, place) : NULL;

		if (field == NULL || place <= before)
			return CRM_CORRUPT;
		before = place;
		m->values[place].present = true;
		CRM_TRY(read_value(&in, env, field, &m->values[place]));
		crm_progress(env);
	}
	return crm_model_check(m, env, room, problem);
}

/* ---- scoring ------------------------------------------------------------- */

crm_status
crm_scorer_open(crm_scorer *scorer, const crm_model *m, const crm_env *env)
{
	void	   *prepared = NULL;

	scorer->kind = m->kind;
	scorer->features = m->features;
	scorer->takes_missing = m->kind->takes_missing != NULL && m->kind->takes_missing(m);
	if (m->kind->prepare != NULL)
		CRM_TRY(m->kind->prepare(m, env, &prepared));
	scorer->prepared = m->kind->prepare != NULL ? prepared : m;
	return CRM_OK;
}
