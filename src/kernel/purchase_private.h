/*
 * purchase_private.h - the integral of Pareto/NBD, shared by fitting and asking.
 */
#ifndef CRM_KERNEL_PURCHASE_PRIVATE_H
#define CRM_KERNEL_PURCHASE_PRIVATE_H

#include "kernel/purchase.h"

/*
 * The customer bought x times, last at tx, and was lost at some time between tx
 * and age: s times the integral of (alpha + t)^-(r+x) (beta + t)^-(s+1).
 */
typedef struct crm_pareto_integral
{
	double		log_value;		/* its logarithm; -infinity where tx = age */
	/* means over the time of loss, weighted by the integrand */
	double		log_alpha;		/* of ln(alpha + t) */
	double		log_beta;
	double		per_alpha;		/* of 1 / (alpha + t) */
	double		per_beta;
} crm_pareto_integral;

extern void crm_pareto_integrate(const double *parameter, double x, double tx, double age, crm_pareto_integral *integral);

#endif							/* CRM_KERNEL_PURCHASE_PRIVATE_H */
