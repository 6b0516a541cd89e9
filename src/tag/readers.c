/*
 * readers.c - what the reading half of the tag room shares.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "tag/readers.h"
#include "utils/guc.h"

char *
crm_text_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

int32 *
crm_tag_value_numbers(const crm_tag *tag, int *count)
{
	crm_catalogue_session session;
	int32	   *numbers;

	crm_catalogue_begin(&session);
	*count = crm_catalogue_read("SELECT value_no FROM @.tag_value WHERE tag_id = $1 ORDER BY value_no",
								   1, INT4OID, Int32GetDatum(tag->id), false);
	numbers = MemoryContextAlloc(session.caller, sizeof(int32) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		numbers[i] = (int32) crm_catalogue_number(i, 1, NULL);
	crm_catalogue_end(&session);
	return numbers;
}

int
crm_caller_begin(void)
{
	int			level = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	return level;
}

void
crm_caller_end(int guc_level)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(true, guc_level);
}
