/*
 * scan_run.h - the scans themselves, whose errors say all that they know: for
 * scan_withhold.c alone.
 */
#ifndef CRM_SCAN_RUN_H
#define CRM_SCAN_RUN_H

#include "tag/scan_query.h"

extern crm_scan_state *crm_scan_run_whole(const crm_scan_job *job);
extern TimestampTz crm_scan_find_next_change(const crm_scan_job *job);

#endif							/* CRM_SCAN_RUN_H */
