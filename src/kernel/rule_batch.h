/*
 * rule_batch.h - evaluation of simple rules over batches of column values.
 *
 * Every column arrives as int64 keys whose order is the type's order, with one
 * NULL bit a row; a predicate is then a range, a list, or a NULL test on
 * integers.  Negation is pushed down to the leaves, so that only "true" has to
 * be tracked and the result equals SQL's three-valued logic.
 */
#ifndef CRM_KERNEL_RULE_BATCH_H
#define CRM_KERNEL_RULE_BATCH_H

#include "kernel/kernel.h"

#define CRM_BATCH_ROWS 1024
#define CRM_BATCH_WORDS (CRM_BATCH_ROWS / 64)

#endif							/* CRM_KERNEL_RULE_BATCH_H */
