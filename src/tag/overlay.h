/*
 * overlay.h - what a reader lays over the stored sets of a tracked population:
 * the pending customers, evaluated in his own snapshot.
 */
#ifndef CRM_OVERLAY_H
#define CRM_OVERLAY_H

#include "kernel/bsi.h"
#include "kernel/ids.h"
#include "tag/tag.h"

typedef struct crm_overlay crm_overlay;

/*
 * NULL when nobody is pending: the stored sets are exact then.  Sets are made in
 * the scopes given and in the environment's memory.
 */
extern crm_overlay *crm_overlay_begin(const crm_population *population, const crm_scopes *scopes, const crm_env *env);
/* Of one customer alone; NULL when he is not pending.  In all scopes: the caller may see him. */
extern crm_overlay *crm_overlay_begin_one(const crm_population *population, int64 id, const crm_env *env);
/* These tags (crm_tag) will be asked for: those of one owner are evaluated in one scan. */
extern void crm_overlay_want(crm_overlay *overlay, List *tags);

/* Each ends the stored set that is handed over, and gives what holds now. */
extern crm_ids_builder *crm_overlay_base(crm_overlay *overlay, crm_ids_builder *stored);
/* Those who have the tag; of a text tag with the value (NULL: any), or with any other. */
extern crm_ids_builder *crm_overlay_members(crm_overlay *overlay, const crm_tag *tag, const char *value, bool other,
											crm_ids_builder *stored);
/* The values of a text tag among those evaluated, each once. */
extern List *crm_overlay_values(crm_overlay *overlay, const crm_tag *tag);
extern const crm_bsi *crm_overlay_numbers(crm_overlay *overlay, const crm_tag *tag, const crm_bsi *stored);

/* ---- one customer ------------------------------------------------------------------ */

/* Is he in the population now? */
extern bool crm_overlay_is_customer(crm_overlay *overlay);
/* Calls visit for each wanted tag that he has, with his value of a text or numeric one, as they were wanted. */
extern void crm_overlay_each_tag(crm_overlay *overlay, void (*visit) (void *arg, const crm_tag *tag, char *value), void *arg);

#endif							/* CRM_OVERLAY_H */
