/*
 * scan_row.h - what the rules need of one customer, as one value.
 */
#ifndef CRM_SCAN_ROW_H
#define CRM_SCAN_ROW_H

#include "tag/scan_state.h"

/* The values of a row, pointing into it; 42804 unless they are of the types that the plan expects.  Room for FUNC_MAX_ARGS. */
extern void crm_scan_row_open(Datum row, crm_scan_state *state, NullableDatum *arguments);

#endif							/* CRM_SCAN_ROW_H */
