/*
 * result_rows.c - arrays of a composite type.
 */
#include "common/result_rows.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

crm_result_rows
crm_result_rows_begin(FunctionCallInfo fcinfo, Size most)
{
	crm_result_rows result;

	result.type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	result.desc = lookup_rowtype_tupdesc_copy(result.type, -1);
	result.rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * Max(most, 1));
	result.most = most;
	result.count = 0;
	result.bytes = 0;
	return result;
}

void
crm_result_rows_add(crm_result_rows *result, Datum *values, bool *nulls)
{
	HeapTuple	tuple = heap_form_tuple(result->desc, values, nulls);

	Assert(result->count < result->most);
	CHECK_FOR_INTERRUPTS();
	result->rows[result->count++] = HeapTupleGetDatum(tuple);
	result->bytes += MAXALIGN(tuple->t_len);
}

Datum
crm_result_rows_end(const crm_result_rows *result)
{
	if (result->count == 0)
		return PointerGetDatum(construct_empty_array(result->type));
	return PointerGetDatum(construct_array(result->rows, result->count, result->type, -1, false, TYPALIGN_DOUBLE));
}
