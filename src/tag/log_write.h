/*
 * log_write.h - appending to the change log.
 */
#ifndef CRM_LOG_WRITE_H
#define CRM_LOG_WRITE_H

#include "common/crm.h"
#include "utils/relcache.h"

typedef struct crm_log_writer
{
	Relation	log;
	int32		population;
	int32		relation_no;
} crm_log_writer;

extern void crm_log_open(crm_log_writer *writer, Oid log, int32 population, int32 relation_no);
/* One row: everybody, or ids (int8) and keys (text). */
extern void crm_log_append(crm_log_writer *writer, bool everybody, Datum *ids, int id_count, Datum *keys, int key_count);
/* The lock stays until the transaction ends. */
extern void crm_log_close(crm_log_writer *writer);

#endif							/* CRM_LOG_WRITE_H */
