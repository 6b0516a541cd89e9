/*
 * model.h - trained models: one form for all kinds.
 *
 * A model is a kind, a number of features, and named fields: numbers, texts
 * and arrays of them.  Which fields a kind has, and what they must fulfil, its
 * table says (crm_model_kind).  Reading, writing, the text form and the checks
 * of both follow from the table, so bytes and text are checked by the same
 * code, and a new kind needs nothing but:
 *
 * 1. a file that fills a crm_model_kind, with a number never used before;
 * 2. its line in model_kinds.c;
 * 3. something that makes such models: crm_model_begin, the crm_model_set
 *    functions, and in the binding scoring_model_value (scoring/scoring.h).
 *
 * crm.model, crm.predict, crm.explain, crm.model_params and the fuzz target then
 * know it.
 *
 * Bytes, little-endian, nothing aligned: 'C' 'M', version 1, number of the kind
 * (a byte each), number of features (4 bytes), fingerprint of all bytes but its own
 * 8, then the fields, ascending by their numbers, absent ones left out: number (a byte, 0 ... 15 common fields, 16 and
 * on those of the kind) and value:
 *
 *   boolean   a byte, 0 or 1
 *   integer   8 bytes, signed
 *   number    8 bytes, a float8: finite, not -0
 *   text      length (4 bytes) and bytes, none of them 0
 *   arrays    length (4 bytes), then the elements; before whole numbers stands
 *             the width of one (a byte: 1, 2, 4 or 8, the least that holds all);
 *             missing numbers, where the table allows them, are the NaN of
 *             CRM_MODEL_MISSING_BITS
 *
 * One model has one form: equal models are equal bytes.
 */
#ifndef CRM_KERNEL_MODEL_H
#define CRM_KERNEL_MODEL_H

#include "kernel/kernel.h"

#define CRM_MODEL_VERSION 1
#define CRM_MODEL_HEADER 16
#define CRM_MODEL_FINGERPRINT 8 /* where the fingerprint stands */
#define CRM_MODEL_MAX_FEATURES 65535
#define CRM_MODEL_COMMON 16		/* numbers below are those of fields that every kind has */
#define CRM_MODEL_MAX_FIELDS 64 /* common ones and those of a kind */
#define CRM_MODEL_MISSING_BITS UINT64_C(0x7FF8000000000000)

typedef enum crm_field_type
{
	CRM_FIELD_BOOLEAN,
	CRM_FIELD_INTEGER,
	CRM_FIELD_NUMBER,
	CRM_FIELD_TEXT,
	CRM_FIELD_INTEGERS,			/* arrays from here on */
	CRM_FIELD_NUMBERS,
	CRM_FIELD_TEXTS
} crm_field_type;

#define CRM_FIELD_OPTIONAL 1	/* may be absent */
#define CRM_FIELD_GAPS 2		/* numbers may be missing: NaN here, null in the text form */
#define CRM_FIELD_BULK 4		/* model_params leaves it out */

typedef struct crm_model_field
{
	const char *name;			/* in the text form and in model_params; NULL only behind the last field of a table */
	crm_field_type type;
	int			flags;
	bool		per_feature;	/* an array with one element for each feature */
} crm_model_field;

typedef struct crm_model_text
{
	const char *bytes;			/* no zero behind them */
	uint32_t	length;
} crm_model_text;

typedef struct crm_model_value
{
	bool		present;
	uint32_t	count;			/* of an array */
	/* what belongs to the field's type */
	int64_t		integer;		/* also of booleans: 0 or 1 */
	double		number;
	crm_model_text text;
	const int64_t *integers;
	const double *numbers;
	const crm_model_text *texts;
} crm_model_value;

typedef struct crm_model_kind crm_model_kind;

/* Arrays and texts belong to whoever filled the model, or to the bytes and the memory that it was read from and into. */
typedef struct crm_model
{
	const crm_model_kind *kind;
	uint32_t	features;
	crm_model_value values[CRM_MODEL_MAX_FIELDS];	/* common fields, then those of the kind */
} crm_model;

struct crm_model_kind
{
	uint8_t		number;			/* in the stored form; never used again for another kind */
	const char *name;
	const crm_model_field *fields;	/* ends with a field without name; field i has number CRM_MODEL_COMMON + i */

	/*
	 * What the fields must fulfil beyond their types: NULL, or a sentence that
	 * says what is wrong.  After it, prepare, predict and explain are safe for
	 * this model, whoever wrote it.
	 */
	const char *(*check) (const crm_model *m);

	/* May a feature be missing?  It is NaN then.  NULL stands for "never". */
	bool		(*takes_missing) (const crm_model *m);

	/* Whatever makes predicting quick; kept for a query.  NULL: the model itself is given to predict and explain. */
	crm_status	(*prepare) (const crm_model *m, const crm_env *env, void **scorer);

	/* The score of a row of m->features numbers, NaN where the model has none.  NULL: the kind has its own functions. */
	double		(*predict) (const void *scorer, const double *x);

	/*
	 * Parts of the margin, what a score is before it becomes a probability:
	 * parts[0] the base, parts[j] the part of feature j, 1 ... features.  Summed
	 * in this order they give the margin of predict.  NULL: not of this kind.
	 * May need memory for a moment.
	 */
	crm_status	(*explain) (const void *scorer, const crm_env *env, const double *x, double *parts);

	/*
	 * Further values for model_params, that follow from the fields: as fields of
	 * a table that is only used there.  NULL when there are none.
	 */
	const crm_model_field *derived_fields;
	crm_status	(*derive) (const crm_model *m, const crm_env *env, crm_model_value *derived);
};

/* ---- kinds ------------------------------------------------------------- */

extern const crm_model_kind crm_model_linear;
extern const crm_model_kind crm_model_logistic;
extern const crm_model_kind crm_model_naive_bayes;
extern const crm_model_kind crm_model_scorecard;
extern const crm_model_kind crm_model_boosted_trees;
extern const crm_model_kind crm_model_bg_nbd;
extern const crm_model_kind crm_model_mbg_nbd;
extern const crm_model_kind crm_model_pareto_nbd;
extern const crm_model_kind crm_model_gamma_gamma;
extern const crm_model_kind crm_model_cox;
extern const crm_model_kind crm_model_k_means;
extern const crm_model_kind crm_model_k_prototypes;
extern const crm_model_kind crm_model_isolation_forest;
extern const crm_model_kind crm_model_item_item;
extern const crm_model_kind crm_model_als;
extern const crm_model_kind crm_model_popularity;

/* All kinds, ended by NULL. */
extern const crm_model_kind *const crm_model_kinds[];

/* NULL when there is none. */
extern const crm_model_kind *crm_model_kind_numbered(uint8_t number);
extern const crm_model_kind *crm_model_kind_named(const char *name, size_t length);

/* Fields that every kind has. */
enum
{
	CRM_MODEL_FEATURE_NAMES		/* texts, one for each feature, all different */
};

extern const crm_model_field crm_model_common_fields[];

/* The field of that place in values, NULL where there is none. */
extern const crm_model_field *crm_model_field_at(const crm_model_kind *kind, int place);

/* ---- filling ----------------------------------------------------------- */

/* A model without fields. */
extern void crm_model_begin(crm_model *m, const crm_model_kind *kind, uint32_t features);

/* Fields are numbered as in the kind's table; arrays are kept as pointers. */
static inline crm_model_value *
crm_model_put(crm_model *m, int field)
{
	m->values[CRM_MODEL_COMMON + field].present = true;
	return &m->values[CRM_MODEL_COMMON + field];
}

static inline void
crm_model_set_integer(crm_model *m, int field, int64_t integer)
{
	crm_model_put(m, field)->integer = integer;
}

static inline void
crm_model_set_number(crm_model *m, int field, double number)
{
	crm_model_put(m, field)->number = number;
}

static inline void
crm_model_set_text(crm_model *m, int field, const char *text)
{
	crm_model_put(m, field)->text = (crm_model_text) {text, (uint32_t) strlen(text)};
}

static inline void
crm_model_set_integers(crm_model *m, int field, const int64_t *integers, uint32_t count)
{
	crm_model_value *value = crm_model_put(m, field);

	value->integers = integers;
	value->count = count;
}

static inline void
crm_model_set_numbers(crm_model *m, int field, const double *numbers, uint32_t count)
{
	crm_model_value *value = crm_model_put(m, field);

	value->numbers = numbers;
	value->count = count;
}

static inline void
crm_model_set_texts(crm_model *m, int field, const crm_model_text *texts, uint32_t count)
{
	crm_model_value *value = crm_model_put(m, field);

	value->texts = texts;
	value->count = count;
}

static inline const crm_model_value *
crm_model_get(const crm_model *m, int field)
{
	return &m->values[CRM_MODEL_COMMON + field];
}

static inline bool
crm_model_text_is(crm_model_text text, const char *word)
{
	return text.length == strlen(word) && memcmp(text.bytes, word, text.length) == 0;
}

/* ---- checking, writing, reading ------------------------------------------ */

/* Are these numbers of features, ascending? */
extern bool crm_model_are_features(const crm_model *m, const crm_model_value *numbers);

/*
 * Is everything there and as the kind wants it?  CRM_CORRUPT with a sentence in
 * *problem, which may be written into room (of CRM_MODEL_PROBLEM bytes), else
 * CRM_OK.
 */
#define CRM_MODEL_PROBLEM 256
extern crm_status crm_model_check(const crm_model *m, const crm_env *env, char *room, const char **problem);

/*
 * Tells models apart and finds damaged ones; made by the bytes alone, so equal
 * models have equal fingerprints on all machines.  At least the header.
 */
extern uint64_t crm_model_fingerprint(const uint8_t *bytes, size_t size);

/* A checked model as bytes. */
extern size_t crm_model_size(const crm_model *m);
extern void crm_model_write(const crm_model *m, uint8_t *out);

/*
 * Reads and checks bytes from anywhere.  Texts point into the bytes, arrays into
 * memory of env.  On CRM_CORRUPT the problem is as above.
 */
extern crm_status crm_model_read(crm_model *m, const crm_env *env, const uint8_t *bytes, size_t size,
								 char *room, const char **problem);

/* ---- scoring ------------------------------------------------------------- */

typedef struct crm_scorer
{
	const crm_model_kind *kind;
	uint32_t	features;
	bool		takes_missing;
	const void *prepared;
} crm_scorer;

/* The model must live as long as the scorer. */
extern crm_status crm_scorer_open(crm_scorer *scorer, const crm_model *m, const crm_env *env);

static inline double
crm_score(const crm_scorer *scorer, const double *x)
{
	return scorer->kind->predict(scorer->prepared, x);
}

#endif							/* CRM_KERNEL_MODEL_H */
