/*
 * query.h - a query that a caller gives as text.
 */
#ifndef CRM_QUERY_H
#define CRM_QUERY_H

#include "common/crm.h"
#include "access/tupdesc.h"
#include "executor/spi.h"
#include "executor/tuptable.h"

/*
 * The columns of a prepared query; 22023 unless it is exactly one SELECT, which
 * changes nothing and locks nothing.  The messages say whose query it is, the hint
 * shows how one is written.
 */
extern TupleDesc crm_select_columns(SPIPlanPtr plan, const char *whose, const char *example);
/* How many rows the planner expects of it; 0 where that depends on parameters. */
extern double crm_select_rows(SPIPlanPtr plan);
/*
 * Whether it can as well be run again as its rows be kept: in one snapshot it gives
 * the same ones each time, and costs about what reading a copy of them would.
 */
extern bool crm_select_repeats(SPIPlanPtr plan);
/* Runs it with the caller's rights and the active snapshot, a row at a time. */
extern void crm_select_run(SPIPlanPtr plan, ParamListInfo params, void (*take) (TupleTableSlot *slot, void *arg), void *arg);

#endif							/* CRM_QUERY_H */
