/*
 * demands.c - which of a customer's demands a purchase followed.
 */
#include "kernel/demands.h"

#define NEVER INT64_MAX

crm_status
crm_demands_judge(const crm_env *env, const crm_demand_event *wanted, size_t wanted_count,
				  const crm_demand_event *bought, size_t bought_count, uint32_t count, const uint8_t *matches,
				  int64_t within, int64_t until, crm_demand_tally *tallies)
{
	int64_t		anything = NEVER;
	int64_t    *next = env->alloc(env->arg, ((size_t) count + 1) * sizeof(int64_t));
	size_t		b = bought_count;

	if (next == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t d = 0; d < count; d++)
		next[d] = NEVER;
	/* from the last demand to the first, with the next purchase of each thing at hand */
	for (size_t w = wanted_count; w-- > 0;)
	{
		int64_t		at = wanted[w].at;
		crm_demand_tally *tally = &tallies[wanted[w].thing];
		int64_t		met;

		for (; b > 0 && bought[b - 1].at >= at; b--)
		{
			uint32_t	thing = bought[b - 1].thing;

			if ((b & 1023) == 0)
				crm_progress(env);
			if (thing == CRM_ANYTHING)
				anything = bought[b - 1].at;
			else if (matches == NULL)
				next[thing] = bought[b - 1].at;
			else
				for (uint32_t d = 0; d < count; d++)
					if (matches[(size_t) thing * count + d])
						next[d] = bought[b - 1].at;
		}
		if ((w & 4095) == 4095)
			crm_progress(env);
		if (at > until || (uint64_t) until - (uint64_t) at < (uint64_t) within)
			continue;
		met = next[wanted[w].thing] < anything ? next[wanted[w].thing] : anything;
		if (tally->demands++ == 0)
			tally->last = at;
		tally->first = at;
		tally->met += met != NEVER && (uint64_t) met - (uint64_t) at <= (uint64_t) within;
	}
	env->release(env->arg, next);
	return CRM_OK;
}
