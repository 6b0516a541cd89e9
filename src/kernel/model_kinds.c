/*
 * model_kinds.c - the list of kinds of models.
 */
#include "kernel/model.h"

/* A new kind is a line here and a declaration in model.h. */
const crm_model_kind *const crm_model_kinds[] = {
	&crm_model_linear,
	&crm_model_logistic,
	&crm_model_naive_bayes,
	&crm_model_scorecard,
	&crm_model_boosted_trees,
	&crm_model_bg_nbd,
	&crm_model_mbg_nbd,
	&crm_model_pareto_nbd,
	&crm_model_gamma_gamma,
	&crm_model_cox,
	&crm_model_k_means,
	&crm_model_k_prototypes,
	&crm_model_isolation_forest,
	&crm_model_item_item,
	&crm_model_als,
	&crm_model_popularity,
	NULL
};

const crm_model_field crm_model_common_fields[] = {
	{"feature_names", CRM_FIELD_TEXTS, CRM_FIELD_OPTIONAL, true},
	{NULL}
};

const crm_model_kind *
crm_model_kind_numbered(uint8_t number)
{
	for (int i = 0; crm_model_kinds[i] != NULL; i++)
		if (crm_model_kinds[i]->number == number)
			return crm_model_kinds[i];
	return NULL;
}

const crm_model_kind *
crm_model_kind_named(const char *name, size_t length)
{
	for (int i = 0; crm_model_kinds[i] != NULL; i++)
		if (strlen(crm_model_kinds[i]->name) == length && memcmp(crm_model_kinds[i]->name, name, length) == 0)
			return crm_model_kinds[i];
	return NULL;
}

static const crm_model_field *
field_in(const crm_model_field *fields, int place)
{
	for (int i = 0; fields[i].name != NULL; i++)
		if (i == place)
			return &fields[i];
	return NULL;
}

const crm_model_field *
crm_model_field_at(const crm_model_kind *kind, int place)
{
	return place < CRM_MODEL_COMMON ? field_in(crm_model_common_fields, place) : field_in(kind->fields, place - CRM_MODEL_COMMON);
}
