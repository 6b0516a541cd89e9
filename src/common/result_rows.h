/*
 * result_rows.h - a final function's result that is an array of a composite type.
 */
#ifndef CRM_RESULT_ROWS_H
#define CRM_RESULT_ROWS_H

#include "common/crm.h"
#include "access/tupdesc.h"

typedef struct crm_result_rows
{
	TupleDesc	desc;
	Oid			type;
	Datum	   *rows;
	Size		most;			/* rows that there is room for */
	int			count;
	Size		bytes;			/* of all rows */
} crm_result_rows;

/* Room for so many rows of the type of whose array the function returns. */
extern crm_result_rows crm_result_rows_begin(FunctionCallInfo fcinfo, Size most);
extern void crm_result_rows_add(crm_result_rows *result, Datum *values, bool *nulls);
extern Datum crm_result_rows_end(const crm_result_rows *result);

#endif							/* CRM_RESULT_ROWS_H */
