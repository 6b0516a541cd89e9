/*
 * fold.h - bringing the stored sets of a tracked population up to date.
 */
#ifndef CRM_FOLD_H
#define CRM_FOLD_H

#include "tag/tag.h"

/*
 * For a reader who has met so many rows of the log: folds when there are more
 * than crm_analytics.fold_after, he may, nobody else is at it, and nothing of his
 * has to wait for it.  What he reads himself does not change.
 */
extern void crm_fold_if_long(const crm_population *population, uint64 rows);

#endif							/* CRM_FOLD_H */
