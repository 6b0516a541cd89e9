/*
 * model_purchase.h - the kinds "bg_nbd", "mbg_nbd", "pareto_nbd" and "gamma_gamma"
 * of models.
 */
#ifndef CRM_KERNEL_MODEL_PURCHASE_H
#define CRM_KERNEL_MODEL_PURCHASE_H

#include "kernel/model.h"
#include "kernel/purchase.h"

extern const crm_model_kind *const crm_model_purchase_kinds[];	/* by crm_purchase_kind */

/* Fills a model with what was fitted; the model points into *fit. */
extern void crm_model_of_purchases(crm_model *m, const crm_purchase_model *fit, double rounding);
extern void crm_model_of_values(crm_model *m, const crm_value_model *fit, double rounding);

/* The other way; false where the model is of another kind. */
extern bool crm_purchases_of_model(const crm_model *m, crm_purchase_model *fit);
extern bool crm_values_of_model(const crm_model *m, crm_value_model *fit);

#endif							/* CRM_KERNEL_MODEL_PURCHASE_H */
