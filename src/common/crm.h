/*
 * crm.h - the first include of every binding: PostgreSQL's headers, version
 * differences, and the declaration of SQL-callable functions.
 */
#ifndef CRM_H
#define CRM_H

#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/compat.h"

/* Declares crm_<name> as exported and callable from SQL; everything else is hidden. */
#define CRM_FUNCTION(name) \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

#endif							/* CRM_H */
