/*
 * lookalike.h - how much a customer looks like those of a seed, by what is known
 * of all customers.
 *
 * Each feature is cut into bins, and each bin weighs the logarithm of how much
 * more often it is met among the seed than among the others.  The weights of a
 * customer's bins add up (naive Bayes); the sum as a logistic is the score: the
 * chance of being of the seed if seed and others were equally many.
 *
 * Frequencies are drawn towards those of all customers, as if
 * CRM_LOOKALIKE_PRIOR customers more of each kind had been met: bins with few
 * customers weigh little.
 *
 * Numbers are counted in cells that hang on the number alone (the first 23 bits
 * of its order, cells of 1/2048 of a number's power of two), so that the result
 * hangs neither on the order of customers nor on the parts they came in.
 *
 * One customer in five, by a hash, is held out: the share of pairs of a seed
 * member and another, among the held out, whom weights made without them put in
 * the right order (AUC) says how good the model is.  Its final weights are of all.
 */
#ifndef CRM_KERNEL_LOOKALIKE_H
#define CRM_KERNEL_LOOKALIKE_H

#include "kernel/kernel.h"

#define CRM_LOOKALIKE_MAX_FEATURES 64
#define CRM_LOOKALIKE_MAX_TEXTS 10000	/* different texts of one feature */
#define CRM_LOOKALIKE_MAX_CELLS 1000000 /* different cells of numbers of one feature */
#define CRM_LOOKALIKE_BINS 20
#define CRM_LOOKALIKE_PRIOR 20
#define CRM_LOOKALIKE_HELD 5000 /* held out customers who are asked, of the seed and of the others */

typedef enum crm_feature_kind
{
	CRM_FEATURE_NUMBER, CRM_FEATURE_TEXT
} crm_feature_kind;

typedef struct crm_feature_value
{
	bool		missing;
	double		number;			/* finite */
	const char *text;
	size_t		length;
} crm_feature_value;

typedef struct crm_lookalike crm_lookalike;

extern crm_status crm_lookalike_new(const crm_env *env, const crm_feature_kind *kinds, uint32_t count, crm_lookalike **result);
extern uint32_t crm_lookalike_features(const crm_lookalike *state);
extern crm_feature_kind crm_lookalike_kind(const crm_lookalike *state, uint32_t feature);
/* One customer; hash stands for him alone.  CRM_LIMIT: a feature has too many different values, *feature is its number. */
extern crm_status crm_lookalike_add(crm_lookalike *state, bool seed, uint64_t hash, const crm_feature_value *values, uint32_t *feature);

/* As bytes, little-endian; and added from such bytes, which are not trusted. */
extern size_t crm_lookalike_size(crm_lookalike *state);
extern void crm_lookalike_write(const crm_lookalike *state, uint8_t *out);
extern crm_status crm_lookalike_read(const crm_env *env, const uint8_t *data, size_t size, crm_lookalike **state, uint32_t *feature);

typedef struct crm_lookalike_feature
{
	crm_feature_kind kind;
	double		missing;		/* weights */
	double		other;			/* text: of values that are not among these */
	uint32_t	count;			/* bins; may be 0 */
	double	   *borders;		/* numbers: count - 1, ascending; a border belongs to the bin above it */
	crm_feature_value *texts;	/* ascending by bytes */
	double	   *weights;
} crm_lookalike_feature;

typedef struct crm_lookalike_model
{
	uint32_t	count;
	crm_lookalike_feature *features;
	uint64_t	seeds;
	uint64_t	others;
	uint64_t	held_seeds;		/* whom the validation asked */
	uint64_t	held_others;
	bool		validated;
	double		auc;
} crm_lookalike_model;

/* False when there is nobody of the seed, or nobody else: then there is no model. */
extern crm_status crm_lookalike_finish(crm_lookalike *state, crm_lookalike_model *model, bool *found);
/* From 0 to 1. */
extern double crm_lookalike_score(const crm_lookalike_model *model, const crm_feature_value *values);

#endif							/* CRM_KERNEL_LOOKALIKE_H */
