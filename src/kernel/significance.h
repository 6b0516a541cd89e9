/*
 * significance.h - is a share here different from there, or is it chance?
 *
 * Fisher's exact test of two shares, and the control of false discoveries when
 * many are tested at once.
 */
#ifndef CRM_KERNEL_SIGNIFICANCE_H
#define CRM_KERNEL_SIGNIFICANCE_H

#include "kernel/kernel.h"

/* Four counts that together are larger than this cannot be told apart as doubles. */
#define CRM_FISHER_MAX_TOTAL (UINT64_C(1) << 52)

/*
 * Fisher's exact test, two-sided (Fisher 1922, "On the interpretation of chi
 * square from contingency tables, and the calculation of P"), of the table
 *
 *				with	without
 *		here	a		b
 *		there	c		d
 *
 * The probability, given the table's margins and nothing but chance, of a table
 * at most as likely as this one.  Likelihoods that differ by less than a factor
 * of 1 + 1e-7 count as equal, as in R's fisher.test.  1 where a row or column is
 * empty; 0 where the probability is below about 1e-300.  CRM_OUT_OF_RANGE past
 * CRM_FISHER_MAX_TOTAL.
 *
 * Nothing is approximated, at any size: the work grows with the standard
 * deviation of a, the root of the smaller counts.
 */
extern crm_status crm_fisher_exact(const crm_env *env, uint64_t a, uint64_t b, uint64_t c, uint64_t d, double *p);

/* The same, one-sided: the probability of a table with as large an a or a larger one. */
extern crm_status crm_fisher_greater(const crm_env *env, uint64_t a, uint64_t b, uint64_t c, uint64_t d, double *p);

/*
 * The q value of each p value: the smallest share of false discoveries at which
 * it is among those discovered (Benjamini & Hochberg 1995, "Controlling the
 * false discovery rate").  p values are 0 ... 1, in any order.
 */
extern crm_status crm_benjamini_hochberg(const crm_env *env, const double *p, size_t count, double *q);

/* Limits of 95 % of a share of so many rows (Wilson 1927, "Probable inference, the law of succession, and statistical inference"). */
extern void crm_wilson(double share, double rows, double *lower, double *upper);

#endif							/* CRM_KERNEL_SIGNIFICANCE_H */
