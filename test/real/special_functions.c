/*
 * special_functions.c - reads fn,a,b,c,x,value,rel_tol and compares what the kernels
 * give; one line for each function.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/special.h"

typedef struct entry
{
	const char *name;
	int			values;
	int			bad;
	double		worst;			/* error, in tolerances */
} entry;

static double
evaluate(const char *fn, double a, double b, double c, double x, bool *known)
{
	*known = true;
	if (strcmp(fn, "lgamma") == 0 || strcmp(fn, "lgamma_abs") == 0)
		return crm_lgamma(x);
	if (strcmp(fn, "digamma") == 0)
		return crm_digamma(x);
	if (strcmp(fn, "trigamma") == 0)
		return crm_trigamma(x);
	if (strcmp(fn, "lbeta") == 0)
		return crm_lbeta(a, b);
	if (strcmp(fn, "betainc_reg") == 0)
		return crm_beta_i(a, b, x);
	if (strcmp(fn, "gammainc_p") == 0)
		return crm_gamma_p(a, x);
	if (strcmp(fn, "gammainc_q") == 0)
		return crm_gamma_q(a, x);
	if (strcmp(fn, "erf") == 0)
		return erf(x);
	if (strcmp(fn, "erfc") == 0)
		return erfc(x);
	if (strcmp(fn, "normal_cdf") == 0)
		return crm_normal_cdf(x);
	if (strcmp(fn, "normal_quantile") == 0)
		return crm_normal_quantile(x);
	if (strcmp(fn, "t_cdf") == 0)
		return crm_t_cdf(a, x);
	if (strcmp(fn, "t_quantile") == 0)
		return crm_t_quantile(a, x);
	if (strcmp(fn, "chi2_sf") == 0)
		return crm_chi2_sf(a, x);
	if (strcmp(fn, "f_sf") == 0)
		return crm_f_sf(a, b, x);
	if (strcmp(fn, "hyp2f1") == 0)
		return crm_hyp2f1(a, b, c, x);
	/* sums of probabilities are incomplete beta and gamma functions */
	if (strcmp(fn, "binom_cdf") == 0)
		return x >= a ? 1 : crm_beta_i(a - x, x + 1, 1 - b);
	if (strcmp(fn, "poisson_cdf") == 0)
		return crm_gamma_q(x + 1, a);
	*known = false;
	return NAN;
}

int
main(void)
{
	static entry entries[64];
	int			count = 0;
	char		line[512];
	bool		failed = false;

	if (fgets(line, sizeof(line), stdin) == NULL)
		return 2;
	while (fgets(line, sizeof(line), stdin) != NULL)
	{
		char	   *rest = line;
		const char *fn = strsep(&rest, ",");
		double		number[6] = {0};
		double		found;
		double		error;
		bool		known;
		entry	   *e = entries;

		for (int i = 0; i < 6 && rest != NULL; i++)
			number[i] = strtod(strsep(&rest, ","), NULL);
		found = evaluate(fn, number[0], number[1], number[2], number[3], &known);
		while (e < entries + count && strcmp(e->name, fn) != 0)
			e++;
		if (e == entries + count)
			entries[count++] = (entry) {.name = strdup(fn)};
		e->values++;
		if (!known)
		{
			e->bad = -1;
			continue;
		}
		/* at a zero of the function an absolute error is all there is */
		error = fabs(found - number[4]) / (number[5] * fmax(fabs(number[4]), number[4] == 0 ? 1 : 0));
		if (!(error <= 1))
		{
			e->bad++;
			fprintf(stderr, "# %s(%.17g, %.17g, %.17g; %.17g) gives %.17g, not %.17g\n", fn, number[0], number[1], number[2], number[3], found, number[4]);
		}
		if (!(error <= e->worst))
			e->worst = error;
	}
	for (entry *e = entries; e < entries + count; e++)
		if (e->bad < 0)
			printf("ok - %s # skip nothing here needs it\n", e->name);
		else
		{
			printf("%sok - %s: %d values, largest error %.2g of what is allowed\n", e->bad > 0 ? "not " : "", e->name, e->values, e->worst);
			failed |= e->bad > 0;
		}
	return failed;
}
