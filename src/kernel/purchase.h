/*
 * purchase.h - how often customers buy while they are alive, and when they die:
 * models of repeat purchases, fitted on counts of customers alike.
 *
 *	BG/NBD		Fader, Hardie and Lee 2005, "Counting your customers the easy way"
 *	MBG/NBD		Batislam, Denizel and Filiztekin 2007; a customer may be lost right
 *				after the first purchase
 *	Pareto/NBD	Schmittlein, Morrison and Colombo 1987, "Counting your customers"
 *
 * A customer is three numbers: repeat purchases x, the age at the last of them
 * t_x (0 where there is none), and the age T at the end of the observation; all
 * times are in one unit of the caller's.
 */
#ifndef CRM_KERNEL_PURCHASE_H
#define CRM_KERNEL_PURCHASE_H

#include "kernel/kernel.h"

typedef enum crm_purchase_kind
{
	CRM_BG_NBD,					/* r, alpha, a, b */
	CRM_MBG_NBD,				/* r, alpha, a, b */
	CRM_PARETO_NBD				/* r, alpha, s, beta */
} crm_purchase_kind;

#define CRM_PURCHASE_PARAMETERS 4

/* Customers alike. */
typedef struct crm_purchase_group
{
	double		frequency;		/* x, a whole number */
	double		recency;		/* t_x */
	double		age;			/* T */
	double		count;
} crm_purchase_group;

typedef struct crm_purchase_model
{
	crm_purchase_kind kind;
	double		parameter[CRM_PURCHASE_PARAMETERS];
	/* of the parameters' logarithms; NaN where it could not be told */
	double		covariance[CRM_PURCHASE_PARAMETERS * CRM_PURCHASE_PARAMETERS];
	double		log_likelihood;
	double		customers;
	int			iterations;
	bool		converged;
} crm_purchase_model;

/* 0 <= recency <= age, frequency whole and not negative, recency 0 exactly where frequency is 0; all finite. */
extern bool crm_purchase_valid(double frequency, double recency, double age);

/*
 * The parameters of the greatest likelihood.  Groups may come in any order and
 * are sorted; alike ones need not be put together.  CRM_OUT_OF_RANGE where there
 * is nothing to fit: no customer who bought again.  Where customers do not differ
 * (or none is ever lost), parameters run off to infinity: converged is false then.
 */
extern crm_status crm_purchase_fit(const crm_env *env, crm_purchase_kind kind, crm_purchase_group *groups, size_t count,
								   crm_purchase_model *model);
/* The log likelihood of given parameters. */
extern crm_status crm_purchase_likelihood(const crm_env *env, crm_purchase_kind kind, const double *parameter,
										  crm_purchase_group *groups, size_t count, double *log_likelihood);

/* The probability that the customer is still one at age T. */
extern double crm_purchase_alive(crm_purchase_kind kind, const double *parameter, double x, double tx, double age);
/* The purchases to be expected of him in the next `horizon`. */
extern double crm_purchase_expected(crm_purchase_kind kind, const double *parameter, double horizon,
									double x, double tx, double age);
/*
 * The same with bounds that hold the expectation with probability `level`, as far
 * as the uncertainty of the parameters goes (delta method, on the logarithm).
 */
extern void crm_purchase_expected_interval(const crm_purchase_model *model, double level, double horizon,
										   double x, double tx, double age,
										   double *expected, double *lower, double *upper);
/*
 * The present value of the next `periods` periods of one unit: purchases expected
 * in each, times value, discounted by rate a period to the end of each period.
 */
extern double crm_purchase_lifetime_value(crm_purchase_kind kind, const double *parameter, int periods, double rate,
										  double value, double x, double tx, double age);

/* ---- what a purchase is worth --------------------------------------------------------- */

/*
 * Gamma-Gamma (Colombo and Jiang 1999; Fader and Hardie 2013, "The Gamma-Gamma
 * model of monetary value"): p, q, gamma.  A customer is his number of purchases
 * x and their mean value.
 */
typedef struct crm_value_group
{
	double		frequency;		/* x, at least 1 */
	double		mean;			/* above 0 */
	double		count;
} crm_value_group;

typedef struct crm_value_model
{
	double		parameter[3];
	double		covariance[9];	/* of logarithms */
	double		log_likelihood;
	double		customers;
	int			iterations;
	bool		converged;
} crm_value_model;

extern crm_status crm_value_fit(const crm_env *env, crm_value_group *groups, size_t count, crm_value_model *model);
extern crm_status crm_value_likelihood(const crm_env *env, const double *parameter, crm_value_group *groups, size_t count,
									   double *log_likelihood);
/* The mean value to be expected of a customer; x = 0: of one never seen.  Infinite where q <= 1 and x = 0. */
extern double crm_value_expected(const double *parameter, double x, double mean);

#endif							/* CRM_KERNEL_PURCHASE_H */
