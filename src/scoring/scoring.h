/*
 * scoring.h - the room's public header: values of type crm.model, scorers,
 * options and features as arguments.
 *
 * How a new kind of model plugs in is told in kernel/model.h.
 */
#ifndef CRM_SCORING_H
#define CRM_SCORING_H

#include "common/crm.h"

#include "common/bridge.h"
#include "kernel/model.h"
#include "kernel/purchase.h"
#include "utils/array.h"
#include "utils/jsonb.h"

#define CRM_MODEL_TYPE "crm.model"

/* Rows that a state may say it has: more were never counted, and sums of a few thousand such numbers fit 64 bits. */
#define SCORING_MAX_ROWS ((uint64) 1 << 52)

/* Half the width of an interval of 95 percent, in standard errors: the number that a standard normal one is within 95 % of. */
#define SCORING_CERTAINTY 1.9599639845400542355

/* ---- models (model.c, model_text.c) ---------------------------------------- */

/* A value of a model, checked first: 22023 when what was trained is none, since the rows led there. */
extern struct varlena *scoring_model_value(const crm_model *m, MemoryContext context);

/* The model in a value, read into the context; XX001 when it is damaged. */
extern crm_model *scoring_model_fetch(Datum value, MemoryContext context);

extern void scoring_append_number(StringInfo text, double number);
extern void scoring_append_value(StringInfo text, const crm_model_field *field, const crm_model_value *value);

/* ---- scoring (predict.c) --------------------------------------------------- */

/* What a call of predict keeps in fn_extra: a model is read once for a query, however many rows it scores. */
typedef struct scoring_site
{
	MemoryContext context;		/* of all that follows, emptied for another model */
	void	   *key;			/* tells the model at hand from another one */
	Size		key_size;
	crm_model  *model;
	crm_scorer	scorer;
	double	   *row;			/* room for the features, and one more */
	uint64		fingerprint;	/* of the model; 0: not asked for yet */
} scoring_site;

/* The site of a call whose argument of that number is a model. */
extern scoring_site *scoring_site_of(FunctionCallInfo fcinfo, int argument);

/*
 * The features of a row as the model of the site wants them: 2202E for another
 * number of them, 22004 for a null where the model takes none, 22003 for one
 * that is not finite.
 */
extern const double *scoring_row(scoring_site *site, ArrayType *features);

/* What tells the model of a site from all others. */
extern uint64 scoring_fingerprint(scoring_site *site);

/* Raises 55000 unless the model is of that kind. */
extern void scoring_require_kind(const crm_model *m, const crm_model_kind *kind);

/* Raises 55000 unless the model is one of groups. */
extern void scoring_require_groups(const crm_model *m);

/* Places of the set marks, counted from 1, as a field of the model; nothing when there are none. */
extern void scoring_set_places(crm_model *m, int field, const bool *marks, int count);

/* A score that may be returned: 22003 when it is not finite. */
extern double scoring_finite(double score);

/* 55000 for a kind that cannot be explained (reasons.c). */
extern void scoring_require_reasons(const crm_model_kind *kind);
/* What predict_reasons returns: parts[0] is the base, names NULL where there are none. */
extern Datum scoring_reasons(FunctionCallInfo fcinfo, double score, const double *parts, int features, const crm_model_text *names,
							 int32 most, text *direction);

/* Population stability of counts, both sums above 0 (woe.c). */
extern double scoring_psi(const double *expected, double expected_sum, const double *actual, double actual_sum, int count);

/* ---- purchases (purchases.c) ------------------------------------------------ */

/* Purchases to be expected of a customer (frequency, recency, age), and what one is worth (frequency, mean value): 22004, 22023. */
extern double scoring_purchases_score(const crm_purchase_model *fit, double horizon, const double *customer);
extern double scoring_value_score(const crm_value_model *fit, const double *customer);

/* ---- arguments (arguments.c) ------------------------------------------------ */

typedef enum scoring_option_type
{
	SCORING_NUMBER,				/* double */
	SCORING_WHOLE,				/* int64 */
	SCORING_BOOLEAN,			/* bool */
	SCORING_WORD,				/* int: place in words */
	SCORING_WHOLES				/* scoring_wholes */
} scoring_option_type;

/* An array of whole numbers, in the memory that was current; none when the option was not given. */
typedef struct scoring_wholes
{
	int			count;
	const int64 *numbers;
} scoring_wholes;

/* An option of a trainer, and where its value goes. */
typedef struct scoring_option
{
	const char *name;			/* NULL ends a table */
	scoring_option_type type;
	Size		offset;			/* in the struct of options, which holds the defaults before */
	double		least;
	double		most;
	const char *const *words;	/* ended by NULL */
} scoring_option;

/* Reads {"name": value, ...}; 22023 for unknown names, listing the known ones, and for wrong values. */
extern void scoring_read_options(const Jsonb *json, const scoring_option *known, const char *function, void *options);

/*
 * The options of a call, read once for equal ones: a copy of the defaults (size
 * bytes, no padding left unset), changed by the argument unless it is null.  Kept
 * in fn_extra, which the caller uses for nothing else.
 */
extern const void *scoring_options_of(FunctionCallInfo fcinfo, int argument, const scoring_option *known, const char *function,
									  const void *defaults, Size size);

/* What trainers do with rows that lack a feature. */
typedef enum scoring_missing
{
	SCORING_MISSING_ERROR,
	SCORING_MISSING_SKIP,
	SCORING_MISSING_MEAN
} scoring_missing;

/* Raises 22004 for the first feature of a row that is NaN, with the hint. */
extern void scoring_feature_missing(const double *x, int count, const char *hint) CRM_NORETURN;

/* Raises 22003 unless it is finite; name stands in the message. */
extern double scoring_number(double number, const char *name);

/* A weight: 22023 for a negative one. */
extern double scoring_weight(double weight);

/*
 * The elements of a one-dimensional array of float8; a null is NaN, and told by
 * *nulls.  The numbers may lie in the array itself.  22003 for NaN and infinity.
 */
extern const double *scoring_features(ArrayType *array, int *count, bool *nulls);

/* ---- rows of an aggregate, arrays of composite results -------------------------- */

#include "scoring/measures.h"
#include "scoring/rows_state.h"

#endif							/* CRM_SCORING_H */
