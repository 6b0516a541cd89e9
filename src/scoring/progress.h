/*
 * progress.h - how far a training is, for other sessions to see in
 * training_progress.
 */
#ifndef CRM_SCORING_PROGRESS_H
#define CRM_SCORING_PROGRESS_H

#include "common/crm.h"

/* In the order of the names in progress.c. */
typedef enum scoring_algorithm
{
	SCORING_BOOSTED_TREES
} scoring_algorithm;

/*
 * From here on this session shows a training of so many steps.  Nothing is shown
 * within another command that shows its progress, such as COPY.  An error ends
 * it by itself.
 */
extern void scoring_progress_begin(scoring_algorithm algorithm, int64 rows, int64 features, int64 steps);
extern void scoring_progress_step(int64 done);
extern void scoring_progress_end(void);

#endif							/* CRM_SCORING_PROGRESS_H */
