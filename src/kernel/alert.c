/*
 * alert.c - Hampel's rule (median and median absolute deviation) on what
 * remains of a daily number behind the median of the same weekdays.
 *
 * Each day is judged by days before it alone.  Days of an alert teach nothing,
 * so that an outage neither widens the band nor moves it, until they have
 * lasted four weeks: then they are the new state of things.
 */
#include "kernel/alert.h"

#include <math.h>

#define LEAST_WEEKDAYS 4		/* same weekdays without which nothing is expected */
#define LEAST_REMAINDERS 28		/* days behind which a deviation is known */
#define NEW_STATE 28			/* days of an alert after which it is the rule */
#define LONGEST_BREAK 2			/* days from the last bad day to one that belongs to the same alert */
#define NORMAL 1.482602218505602	/* 1 / the third quartile of the normal distribution */

/* The median; sorts by insertion, as there are a few dozen numbers. */
static double
median(double *numbers, int count)
{
	for (int i = 1; i < count; i++)
	{
		double		number = numbers[i];
		int			j = i;

		for (; j > 0 && numbers[j - 1] > number; j--)
			numbers[j] = numbers[j - 1];
		numbers[j] = number;
	}
	return count % 2 ? numbers[count / 2] : numbers[count / 2 - 1] / 2 + numbers[count / 2] / 2;
}

typedef struct past
{
	const crm_alert_point *points;
	double	   *remainder;		/* in units of what was expected; NAN: nothing was */
	bool	   *teaches;
	double	   *scratch;
} past;

/* The median of the same weekdays before point i; NAN when there are too few. */
static double
seasonal(const crm_alert_rule *rule, const past *p, size_t i)
{
	int			n = 0;
	size_t		at = i;

	for (int week = 1; week <= rule->weeks; week++)
	{
		int64_t		day = (int64_t) p->points[i].day - 7 * (int64_t) week;

		while (at > 0 && p->points[at].day > day)
			at--;
		if (p->points[at].day == day && p->teaches[at])
			p->scratch[n++] = p->points[at].value;
	}
	return n < LEAST_WEEKDAYS ? NAN : median(p->scratch, n);
}

/*
 * What a remainder before point i is measured in: the expected value, as busy
 * days vary more than quiet ones, but not less than a tenth of the usual one;
 * 1 for numbers that are mostly 0.
 */
static double
unit(const crm_alert_rule *rule, const past *p, size_t i, double expected)
{
	int			n = 0;
	double		usual;

	for (size_t at = i; at > 0 && (int64_t) p->points[at - 1].day >= (int64_t) p->points[i].day - 7 * (int64_t) rule->weeks; at--)
		if (p->teaches[at - 1])
			p->scratch[n++] = fabs(p->points[at - 1].value);
	usual = n > 0 ? median(p->scratch, n) : 0;
	return usual > 0 ? fmax(fabs(expected), usual / 10) : 1;
}

/* Middle and deviation of the remainders before point i; false when there are too few. */
static bool
band(const crm_alert_rule *rule, const past *p, size_t i, double *middle, double *deviation)
{
	int			n = 0;

	for (size_t at = i; at > 0 && (int64_t) p->points[at - 1].day >= (int64_t) p->points[i].day - 7 * (int64_t) rule->weeks; at--)
		if (p->teaches[at - 1] && !isnan(p->remainder[at - 1]))
			p->scratch[n++] = p->remainder[at - 1];
	if (n < LEAST_REMAINDERS)
		return false;
	*middle = median(p->scratch, n);
	for (int k = 0; k < n; k++)
		p->scratch[k] = fabs(p->scratch[k] - *middle);
	*deviation = NORMAL * median(p->scratch, n);
	return true;
}

crm_status
crm_alerts_find(const crm_env *env, const crm_alert_rule *rule, const crm_alert_point *points, size_t count,
				crm_alert *alerts, size_t *found)
{
	past		p = {.points = points};
	crm_alert  *last = NULL;	/* of the alerts so far */
	bool		open = false;

	*found = 0;
	p.remainder = env->alloc(env->arg, count * sizeof(double));
	p.teaches = env->alloc(env->arg, count * sizeof(bool));
	p.scratch = env->alloc(env->arg, (size_t) rule->weeks * 7 * sizeof(double));
	if (p.remainder == NULL || p.teaches == NULL || p.scratch == NULL)
		return CRM_NO_MEMORY;

	for (size_t i = 0; i < count; i++)
	{
		double		expected = seasonal(rule, &p, i);
		double		middle,
					deviation,
					distance = 0,
					scale = 1;
		bool		bad;

		crm_progress(env);
		if (!isnan(expected))
			scale = unit(rule, &p, i, expected);
		p.remainder[i] = (points[i].value - expected) / scale;
		p.teaches[i] = true;
		if (isnan(expected) || !band(rule, &p, i, &middle, &deviation))
		{
			open = false;
			continue;
		}
		expected += middle * scale;
		deviation = fmax(deviation * scale, fmax(points[i].noise, rule->least_share * fabs(expected)));
		if (points[i].value != expected)
			distance = deviation > 0 ? (points[i].value - expected) / deviation : copysign(INFINITY, points[i].value - expected);

		/* An alert goes on at half the distance at which it begins, and over a day that looks well. */
		bad = fabs(distance) >= rule->threshold;
		if (last != NULL && (distance < 0) == (last->observed < last->expected) &&
			((open && fabs(distance) >= rule->threshold / 2) ||
			 (bad && (int64_t) points[i].day - last->ended <= LONGEST_BREAK)))
			bad = open = true;
		else
		{
			open = bad;
			if (bad)
			{
				last = &alerts[(*found)++];
				*last = (crm_alert) {.started = points[i].day};
			}
		}
		if (!bad)
			continue;
		last->ended = points[i].day;
		last->days++;
		last->expected += (expected - last->expected) / last->days;
		last->observed += (points[i].value - last->observed) / last->days;
		last->severity = fmax(last->severity, fabs(distance));
		p.teaches[i] = (int64_t) points[i].day - last->started >= NEW_STATE;
	}
	env->release(env->arg, p.remainder);
	env->release(env->arg, p.teaches);
	env->release(env->arg, p.scratch);
	return CRM_OK;
}
