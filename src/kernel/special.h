/*
 * special.h - special functions that libm lacks: the gamma and beta families,
 * the distributions made of them, and Gauss's hypergeometric function.
 *
 * All are total: an argument outside the domain gives NaN, as libm does, and
 * nothing loops without end.  Relative errors are below 1e-11 (hypergeometric
 * 1e-9) where the value is not near a zero of the function; the unit test
 * compares with values of 20 digits and with identities.
 */
#ifndef CRM_KERNEL_SPECIAL_H
#define CRM_KERNEL_SPECIAL_H

/* ln |Gamma(x)|, as libm's, without its global variable. */
extern double crm_lgamma(double x);
/* d/dx ln Gamma(x), and its derivative. */
extern double crm_digamma(double x);
extern double crm_trigamma(double x);
/* ln B(a, b), a and b > 0, without the cancellation of three logarithms. */
extern double crm_lbeta(double a, double b);

/* Regularized: P(a, x), Q(a, x) = 1 - P, I_x(a, b). */
extern double crm_gamma_p(double a, double x);
extern double crm_gamma_q(double a, double x);
extern double crm_beta_i(double a, double b, double x);

/* Distributions: cumulative, upper tail ("sf"), quantile. */
extern double crm_normal_cdf(double x);
extern double crm_normal_quantile(double p);
extern double crm_t_cdf(double df, double x);
extern double crm_t_quantile(double df, double p);
extern double crm_chi2_sf(double df, double x);
extern double crm_f_sf(double df1, double df2, double x);

/* 2F1(a, b; c; x) for x < 1, c not 0, -1, -2, ... */
extern double crm_hyp2f1(double a, double b, double c, double x);

#endif							/* CRM_KERNEL_SPECIAL_H */
