/*
 * journey.h - paths of touches: cutting them out of a customer's events, and
 * cleaning them up.
 */
#ifndef CRM_KERNEL_JOURNEY_H
#define CRM_KERNEL_JOURNEY_H

#include "kernel/kernel.h"

/* ---- paths from events ------------------------------------------------ */

/* An event that matters: a touch of a channel, a conversion, or both at once. */
typedef struct crm_touch
{
	int64_t		at;
	uint32_t	channel;		/* from 1; 0: not a touch */
	bool		converts;
} crm_touch;

/* One path: elements from ... to - 1 of the list of touches that comes with it. */
typedef struct crm_journey
{
	size_t		from;
	size_t		to;
	bool		converts;
	size_t		conversion;		/* the converting event's place among all */
} crm_journey;

/*
 * Paths of a customer's events, which come in order of time.  Each conversion
 * ends a path of the touches since the conversion before it that lie at most
 * lookback before it; what is touched at its very instant comes before it.
 * Touches after the last conversion make one path that does not convert, which
 * goes back from the last of them likewise.
 *
 * places (room for count) becomes the list of touches by their places among
 * the events; journeys (room for count + 1) the paths.
 */
extern void crm_journeys(const crm_env *env, const crm_touch *events, size_t count, int64_t lookback,
						 size_t *places, crm_journey *journeys, size_t *journey_count);

/* ---- cleaning up ------------------------------------------------------ */

/*
 * Each writes the places of the touches that stay into places (room for
 * count) and returns their number.  Channels are codes from 1.
 */

/* Runs of one channel become one touch. */
extern size_t crm_journey_exposure(const uint32_t *path, size_t count, size_t *places);
/*
 * The first touch of each channel; how often it is touched altogether into
 * counts (room for greatest code + 1), indexed by code.
 */
extern size_t crm_journey_first(const uint32_t *path, size_t count, size_t *places, uint32_t *counts, uint32_t greatest);
/* Without a channel, or without it at the end only; as it is when nothing else would be left. */
extern size_t crm_journey_drop(const uint32_t *path, size_t count, uint32_t channel, bool trailing_only, size_t *places);

#endif							/* CRM_KERNEL_JOURNEY_H */
