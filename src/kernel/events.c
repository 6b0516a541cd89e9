/*
 * events.c - unpacking and sorting a customer's events.
 */
#include "kernel/events.h"

#include "kernel/sort.h"

/* Interrupts are served once in so many events. */
#define PROGRESS_STEP 4096

/* What a radix sort costs, in moves of an insertion sort: its tables, and its passes over an event. */
#define RADIX_MOVES 16384
#define RADIX_MOVES_AN_EVENT 16

void
crm_events_unpack(const crm_env *env, const uint64_t *packed, size_t count, crm_event *events)
{
	for (size_t i = 0; i < count; i++)
	{
		events[i] = crm_event_unpack(packed[i]);
		if ((i + 1) % PROGRESS_STEP == 0)
			crm_progress(env);
	}
}

/* The end of the run that begins at first. */
static size_t
run_end(const crm_event *events, size_t first, size_t count)
{
	size_t		end = first + 1;

	while (end < count && !crm_event_before(&events[end], &events[end - 1]))
		end++;
	return end;
}

/* Merges two runs that follow each other; equal events cannot be told apart, so their order is nobody's business. */
static void
merge_runs(const crm_env *env, const crm_event *from, size_t first, size_t middle, size_t end, crm_event *to)
{
	size_t		left = first,
				right = middle;

	for (size_t i = first; i < end; i++)
	{
		if (left < middle && (right >= end || !crm_event_before(&from[right], &from[left])))
			to[i] = from[left++];
		else
			to[i] = from[right++];
		if (i % PROGRESS_STEP == 0)
			crm_progress(env);
	}
}

/* Merges neighbouring runs until one is left: a pass over all events for every halving of the number of runs. */
crm_status
crm_events_sort(const crm_env *env, crm_event *events, size_t count)
{
	crm_event  *scratch;
	crm_event  *from = events,
			   *to;

	if (count < 2 || run_end(events, 0, count) == count)
		return CRM_OK;
	to = scratch = env->alloc(env->arg, count * sizeof(crm_event));
	if (scratch == NULL)
		return CRM_NO_MEMORY;
	for (;;)
	{
		crm_event  *swap = from;
		size_t		first = 0,
					runs = 0;

		while (first < count)
		{
			size_t		middle = run_end(from, first, count),
						end = middle < count ? run_end(from, middle, count) : count;

			merge_runs(env, from, first, middle, end, to);
			first = end;
			runs++;
		}
		from = to;
		to = swap;
		if (runs == 1)
			break;
	}
	if (from != events)
		memcpy(events, from, count * sizeof(crm_event));
	env->release(env->arg, scratch);
	return CRM_OK;
}

crm_status
crm_events_sort_packed(const crm_env *env, uint64_t *packed, size_t count)
{
	uint64_t	moves = RADIX_MOVES + RADIX_MOVES_AN_EVENT * (uint64_t) count;

	/* Each to its place among those before it, for as long as that is cheaper than a radix sort. */
	for (size_t i = 1; i < count; i++)
	{
		uint64_t	event = packed[i];
		size_t		place = i;

		while (place > 0 && packed[place - 1] > event && i - place < moves)
		{
			packed[place] = packed[place - 1];
			place--;
		}
		packed[place] = event;
		if (i - place == moves)
			return crm_sort_keys(env, packed, NULL, count);
		moves -= i - place;
		if (i % PROGRESS_STEP == 0)
			crm_progress(env);
	}
	return CRM_OK;
}
