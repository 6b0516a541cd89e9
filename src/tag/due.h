/*
 * due.h - the due list: whose tags may change by the clock, and when.
 *
 * A scan with crm_scan_job.due set computes, for each customer, an instant
 * before which none of the tags scanned can change unless something is written.
 * The list keeps the customers by the hour of that instant.  Who reads the
 * tags at a later time evaluates those that are due by then.
 *
 * A customer may stand in several hours (his instant was put off meanwhile) and
 * may be due without a change: he is evaluated once more than needed.  He is
 * never due too late.
 */
#ifndef CRM_TAG_DUE_H
#define CRM_TAG_DUE_H

#include "kernel/due_sets.h"
#include "lib/stringinfo.h"
#include "tag/scan_state.h"
#include "tag/tag.h"

/* Customers of one hour are due together: see doc/living_tags.md. */
#define CRM_DUE_HOUR USECS_PER_HOUR

/*
 * Adds the ids of all customers whose tags may change by the clock at or before
 * until, as the active snapshot sees the list.  An index probe when nobody is.
 */
extern void crm_due_read(const crm_population *population, TimestampTz until, crm_ids_collector *collector);

/*
 * The two that follow want crm_population_lock.  With several scans (owners,
 * memory), clear once before the first one is added.
 *
 * Forgets those that crm_due_read(until) gives, once they have been evaluated
 * for all tags as of then; NULL: everybody, before a refresh of all tags.
 */
extern void crm_due_clear(const crm_population *population, const TimestampTz *until);
/* Adds what a scan with due found out. */
extern void crm_due_add(const crm_population *population, crm_scan_state *state);

/* ---- for the scan ------------------------------------------------------------- */

/*
 * Appends the call that gives a customer's next instant for the rules given;
 * key is the key column.  False, and nothing, when the clock changes none
 * of them.
 */
extern bool crm_due_append(StringInfo sql, Relation source, List *rules, const char *key);
/* The sets behind a result of tag_due_agg, which are moved below the context. */
extern crm_due_sets *crm_due_sets_of(Datum value, MemoryContext context);

/* ---- for tags when they are created (due_exact.c) ------------------------------- */

/*
 * What the clock does to a rule, its bases put in: "never" changes it, changes
 * it at "known" times, or at "unknown" ones, which a NOTICE says.
 */
extern const char *crm_due_judge(Relation source, const crm_rule *rule);
/* Between crm_catalogue_begin and _end: notes it with the tag's current version. */
extern void crm_due_note(const crm_population *population, const char *tag, const char *clock, const char *expires);
/* Ends a rule at an instant: a time, or an expression of such a type over the row. */
extern void crm_rule_expire(Relation source, crm_rule *rule, const char *expires, bool with_timeline);

#endif							/* CRM_TAG_DUE_H */
