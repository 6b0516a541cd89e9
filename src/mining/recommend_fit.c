/*
 * recommend_fit.c - the aggregate recommend_fit.
 */
#include "mining/basket_state.h"

#include <math.h>

#include "common/agg_state.h"
#include "common/bridge.h"
#include "common/progress.h"
#include "common/settings.h"
#include "kernel/recommend.h"
#include "scoring/scoring.h"

CRM_FUNCTION(crm_recommend_fit_transfn);
CRM_FUNCTION(crm_recommend_fit_named_transfn);
CRM_FUNCTION(crm_recommend_fit_combinefn);
CRM_FUNCTION(crm_recommend_fit_finalfn);

typedef enum fit_method
{
	METHOD_ITEM_ITEM,
	METHOD_ALS,
	METHOD_POPULARITY,
	METHODS
} fit_method;

static const char *const method_words[] = {"item_item", "als", "popularity", NULL};

/* An option that was not given; all of them are above it. */
#define NOT_GIVEN (-1)

typedef struct fit_options
{
	int			method;
	int			similarity;
	int64		neighbours;
	double		shrinkage;
	int64		factors;
	int64		iterations;
	double		regularization;
	double		alpha;
	int64		seed;
} fit_options;

static const scoring_option option_list[] = {
	{"method", SCORING_WORD, offsetof(fit_options, method), 0, 0, method_words},
	{"similarity", SCORING_WORD, offsetof(fit_options, similarity), 0, 0, crm_similarity_names},
	{"neighbours", SCORING_WHOLE, offsetof(fit_options, neighbours), 1, CRM_RECOMMEND_MAX_NEIGHBOURS},
	{"shrinkage", SCORING_NUMBER, offsetof(fit_options, shrinkage), 0, INFINITY},
	{"factors", SCORING_WHOLE, offsetof(fit_options, factors), 1, CRM_ALS_MAX_FACTORS},
	{"iterations", SCORING_WHOLE, offsetof(fit_options, iterations), 1, CRM_ALS_MAX_ITERATIONS},
	{"regularization", SCORING_NUMBER, offsetof(fit_options, regularization), 1e-4, 1e4},
	{"alpha", SCORING_NUMBER, offsetof(fit_options, alpha), 1e-6, 1e6},
	{"seed", SCORING_WHOLE, offsetof(fit_options, seed), 0, 9007199254740991.0},
	{NULL}
};

static const fit_options nothing_given = {METHOD_ITEM_ITEM, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN};

/* What the state keeps: whole numbers and floats of eight bytes, no padding. */
typedef struct fit_constants
{
	int64		weighted;
	int64		method;
	int64		similarity;
	int64		neighbours;
	double		shrinkage;
	int64		factors;
	int64		iterations;
	double		regularization;
	double		alpha;
	int64		seed;
} fit_constants;

static bool
constants_are_valid(const void *bytes)
{
	fit_constants c;

	memcpy(&c, bytes, sizeof(c));
	return (c.weighted == 0 || c.weighted == 1) && c.method >= 0 && c.method < METHODS && c.similarity >= 0 && c.similarity < CRM_SIMILARITIES &&
		c.neighbours >= 1 && c.neighbours <= CRM_RECOMMEND_MAX_NEIGHBOURS && c.shrinkage >= 0 && c.factors >= 1 && c.factors <= CRM_ALS_MAX_FACTORS &&
		c.iterations >= 1 && c.iterations <= CRM_ALS_MAX_ITERATIONS && c.regularization >= 1e-4 && c.regularization <= 1e4 &&
		c.alpha >= 1e-6 && c.alpha <= 1e6 && c.seed >= 0;
}

static const basket_use fit_use = {
	.number = 3,
	.function = "recommend_fit",
	.weighted = true,
	.constants_size = sizeof(fit_constants),
	.constants_are_valid = constants_are_valid
};

static const char *
option_names(int method)
{
	switch (method)
	{
		case METHOD_ITEM_ITEM:
			return "similarity, neighbours, shrinkage";
		case METHOD_ALS:
			return "factors, iterations, regularization, alpha, seed";
		default:
			return "none";
	}
}

/* An option that the method does not know is refused, as an unknown one is. */
static void
refuse(const fit_options *options, bool given, const char *name)
{
	if (given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" of recommend_fit does not belong to method \"%s\"", name, method_words[options->method]),
				 errhint("Options of this method: %s.", option_names(options->method))));
}

static void
set_constants(const fit_options *options, bool weighted, fit_constants *c)
{
	if (options->method != METHOD_ITEM_ITEM)
	{
		refuse(options, options->similarity != NOT_GIVEN, "similarity");
		refuse(options, options->neighbours != NOT_GIVEN, "neighbours");
		refuse(options, options->shrinkage != NOT_GIVEN, "shrinkage");
	}
	if (options->method != METHOD_ALS)
	{
		refuse(options, options->factors != NOT_GIVEN, "factors");
		refuse(options, options->iterations != NOT_GIVEN, "iterations");
		refuse(options, options->regularization != NOT_GIVEN, "regularization");
		refuse(options, options->alpha != NOT_GIVEN, "alpha");
		refuse(options, options->seed != NOT_GIVEN, "seed");
	}
	c->weighted = weighted;
	c->method = options->method;
	c->similarity = options->similarity == NOT_GIVEN ? CRM_SIMILARITY_COSINE : options->similarity;
	c->neighbours = options->neighbours == NOT_GIVEN ? 20 : options->neighbours;
	c->shrinkage = options->shrinkage == NOT_GIVEN ? 10 : options->shrinkage;
	c->factors = options->factors == NOT_GIVEN ? 32 : options->factors;
	c->iterations = options->iterations == NOT_GIVEN ? 15 : options->iterations;
	c->regularization = options->regularization == NOT_GIVEN ? 0.3 : options->regularization;
	c->alpha = options->alpha == NOT_GIVEN ? 40 : options->alpha;
	c->seed = options->seed == NOT_GIVEN ? 0 : options->seed;
}

/* recommend_fit_transfn(state, customer, item [, weight [, options]]) */
static Datum
add(FunctionCallInfo fcinfo, bool named)
{
	const fit_options *options = &nothing_given;
	bool		weighted = PG_NARGS() > 3;
	double		weight = 1;
	fit_constants c;

	if (PG_NARGS() > 4)
		options = scoring_options_of(fcinfo, 4, option_list, fit_use.function, &nothing_given, sizeof(fit_options));
	set_constants(options, weighted, &c);
	if (weighted)
	{
		weight = PG_ARGISNULL(3) ? 0 : scoring_weight(PG_GETARG_FLOAT8(3));
		/* no row, but for its being there */
		if (weight == 0)
			return crm_agg_unchanged(fcinfo);
	}
	return basket_state_add(fcinfo, &fit_use, &c, named, false, 1, weight);
}

Datum
crm_recommend_fit_transfn(PG_FUNCTION_ARGS)
{
	return add(fcinfo, false);
}

Datum
crm_recommend_fit_named_transfn(PG_FUNCTION_ARGS)
{
	return add(fcinfo, true);
}

Datum
crm_recommend_fit_combinefn(PG_FUNCTION_ARGS)
{
	return basket_state_combine(fcinfo, &fit_use);
}

Datum
crm_recommend_fit_finalfn(PG_FUNCTION_ARGS)
{
	const basket_state *state = basket_state_final(fcinfo, &fit_use);
	crm_env		env = crm_progress_env(CurrentMemoryContext);
	crm_basket_index index;
	fit_constants c;
	crm_status	status = CRM_OK;
	crm_model	m;

	if (state == NULL)
		PG_RETURN_NULL();
	memcpy(&c, state->constants, sizeof(c));
	crm_progress_begin(fit_use.function, NULL);
	crm_progress_phase("putting customers together", "rows", 0);
	index = basket_state_index(state, true);
	/* Without weights, what a customer has twice he has. */
	if (!c.weighted)
		index.weights = NULL;
	switch ((fit_method) c.method)
	{
		case METHOD_ITEM_ITEM:
			crm_progress_phase("comparing items", "items", index.item_count);
			status = crm_item_item_fit(&env, &index, &(crm_item_item_options) {(crm_similarity) c.similarity, (uint32) c.neighbours, c.shrinkage},
									   basket_state_spare(state), &m);
			break;
		case METHOD_ALS:
			crm_progress_phase("alternating", "iterations", c.iterations);
			status = crm_als_fit(&env, &index, &(crm_als_options) {(uint32) c.factors, (uint32) c.iterations, c.regularization, c.alpha, c.seed},
								 basket_state_spare(state), &m);
			break;
		case METHOD_POPULARITY:
		case METHODS:
			status = crm_popularity_fit(&env, &index, &m);
			break;
	}
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("work of recommend_fit needs more than crm_analytics.training_memory"),
				 errdetail("There are %u customers and %u items; the setting allows %d kB.", index.basket_count, index.item_count, crm_training_memory),
				 errhint("Raise crm_analytics.training_memory, ask for fewer \"factors\" or \"neighbours\", or take a sample of the customers.")));
	basket_state_check(state, status);
	crm_progress_end();
	PG_RETURN_POINTER(scoring_model_value(&m, CurrentMemoryContext));
}
