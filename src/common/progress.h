/*
 * progress.h - how far a long command is, for other sessions to see in the view
 * progress.
 *
 * A command begins, tells its phases one after the other, counts within each, and
 * ends.  A command within another one shows its phases under the name of the outer
 * one, which comes back when it ends.  Errors end what they leave by themselves, in
 * subtransactions too.  In parallel workers only crm_progress_add does something: what
 * they count is added to what their leader shows.
 */
#ifndef CRM_PROGRESS_H
#define CRM_PROGRESS_H

#include "common/crm.h"
#include "common/bridge.h"

/* Rows are counted by so many at a time. */
#define CRM_PROGRESS_ROWS 1024

/* The command is the name of the SQL function; the target what it works on, such as a population, or NULL. */
extern void crm_progress_begin(const char *command, const char *target);
/* What it is doing, in what units it counts, and up to how many, as far as that is known: else 0. */
extern void crm_progress_phase(const char *phase, const char *unit, int64 total);
/* That this phase belongs to one of several equal parts, counted from 1. */
extern void crm_progress_part(int part, int parts);
extern void crm_progress_done(int64 done);
/* Nothing where the phase counts in other units. */
extern void crm_progress_add(const char *unit, int64 more);
extern void crm_progress_end(void);
/* crm_env_in for a kernel whose steps are what is done in the phase at hand. */
extern crm_env crm_progress_env(MemoryContext context);

#endif							/* CRM_PROGRESS_H */
