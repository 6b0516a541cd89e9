/*
 * settings.c - definition of the settings.
 */
#include "common/crm.h"

#include <limits.h>

#include "common/settings.h"
#include "utils/guc.h"

int			crm_max_tag_values = 1000;
int			crm_refresh_memory = 1024 * 1024;
int			crm_training_memory = 1024 * 1024;
bool		crm_batch_rules = true;
int			crm_fold_after = 10000;
int			crm_minimum_group = 5;

void
crm_define_settings(void)
{
	DefineCustomIntVariable("crm_analytics.max_tag_values",
							"Largest number of different values of one text tag.",
							"A refresh that meets more raises 54000. From 1 to 65000.",
							&crm_max_tag_values,
							1000, 1, 65000,
							PGC_USERSET, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("crm_analytics.refresh_memory",
							"Memory for the sets that one scan of a refresh builds.",
							"Tags that do not fit are evaluated in further scans. From 1MB to 2047GB.",
							&crm_refresh_memory,
							1024 * 1024, 1024, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);

	DefineCustomIntVariable("crm_analytics.training_memory",
							"Memory for the rows of one model in training and the work on them.",
							"A trainer that keeps rows raises 54000 when it would need more. From 1MB to 2047GB.",
							&crm_training_memory,
							1024 * 1024, 1024, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);

	DefineCustomIntVariable("crm_analytics.fold_after",
							"Rows of a population's change log from which on a reader of its tags folds them.",
							"He does it if he may define tags, is in no transaction block, and nobody else is at it. 0: never.",
							&crm_fold_after,
							10000, 0, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("crm_analytics.minimum_group_size",
							"Customers of the smallest group that stored reports show.",
							"Smaller groups are left out when a report is refreshed. 1: all are shown.",
							&crm_minimum_group,
							5, 1, 1000000,
							PGC_SUSET, 0, NULL, NULL, NULL);

	DefineCustomBoolVariable("crm_analytics.batch_rules",
							 "Evaluates simple rules over batches of column values.",
							 "Off, every rule goes through the executor: slower, with the same answers.",
							 &crm_batch_rules,
							 true,
							 PGC_USERSET, 0, NULL, NULL, NULL);

	MarkGUCPrefixReserved("crm_analytics");
}
