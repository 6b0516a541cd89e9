/*
 * settings.h - the extension's settings, all named crm_analytics.*.
 *
 * No setting changes the result of an IMMUTABLE function.
 */
#ifndef CRM_SETTINGS_H
#define CRM_SETTINGS_H

extern int	crm_max_tag_values;		/* values of one text tag */
extern int	crm_refresh_memory;		/* kB, sets held by one refresh */
extern int	crm_training_memory;	/* kB, rows and work of one trainer that keeps rows */
extern int	crm_fold_after;		/* rows of the change log that a reader folds; 0: never */
extern int	crm_minimum_group;	/* customers of the smallest group that reports show */
extern bool crm_batch_rules;	/* evaluate simple rules over batches of columns */

extern void crm_define_settings(void);

#endif							/* CRM_SETTINGS_H */
