/*
 * store_writer.h - rows of tag_set on their way: what replacing (store_write.c)
 * and patching (store_patch.c) share.
 */
#ifndef CRM_STORE_WRITER_H
#define CRM_STORE_WRITER_H

#include "access/genam.h"
#include "catalog/indexing.h"
#include "executor/tuptable.h"
#include "tag/store_write.h"
#include "utils/snapshot.h"

#define CRM_STORE_BATCH 100

/* One set within one chunk, as the table's key orders them. */
typedef struct crm_set_key
{
	int32		scope_no;
	int64		chunk;
	int32		tag_id;
	int32		value_no;
} crm_set_key;

typedef struct crm_store_writer
{
	const crm_population *population;
	crm_store_change *change;

	Relation	table;
	Relation	index;
	TupleDesc	desc;
	CatalogIndexState indexes;
	Snapshot	snapshot;		/* of old sets */

	/* the old sets, read ahead by one */
	SysScanDesc scan;
	HeapTuple	old;
	crm_set_key old_key;
	Datum		old_members;

	/* new rows on their way */
	TupleTableSlot *slots[CRM_STORE_BATCH];
	int			pending;
	MemoryContext row_context;
	MemoryContext moves;		/* ids of those who may just have changed their scope; NULL: nobody can have */
} crm_store_writer;

extern void crm_store_writer_open(crm_store_writer *writer, const crm_population *population, crm_store_change *change);
/* Writes what is on its way, and settles who moved between scopes. */
extern void crm_store_writer_close(crm_store_writer *writer);
/* From now on ids are collected of those who may change their scope. */
extern void crm_store_collect_moves(crm_store_writer *writer);

extern int	crm_set_key_compare(const crm_set_key *a, const crm_set_key *b);
/* The place of a tag among those replaced, -1 when it is not among them. */
extern int	crm_store_replaced_tag(const crm_store_change *change, int32 tag_id);
extern crm_value_change *crm_store_value_change(crm_store_change *change, int32 tag_id, int32 value_no);
/* A slice of numbers tells nothing of who came and went. */
extern bool crm_store_is_slice(const crm_store_change *change, const crm_set_key *key);
/* Keeps what happens to a set; NULL stands for no members. */
extern void crm_store_note_history(crm_store_writer *writer, const crm_set_key *key, const uint8 *old, Size old_size,
								   const bytea *members);

/* The next old set of a replaced tag, by the scan at hand. */
extern void crm_store_next_old(crm_store_writer *writer);
extern void crm_store_delete_old(crm_store_writer *writer);
extern void crm_store_update_old(crm_store_writer *writer, const crm_set_key *key, bytea *members);
extern void crm_store_insert(crm_store_writer *writer, const crm_set_key *key, bytea *members);
extern void crm_store_flush(crm_store_writer *writer);

/* Calls put for each set of a chunk, in the order of the table's key; members is good for the call. */
typedef void (*crm_store_put) (void *arg, const crm_set_key *key, bytea *members, uint32 count);

typedef struct crm_store_buffers
{
	bytea	   *members;
	Size		room;
	uint16	   *codes;
	struct present_value *present;
} crm_store_buffers;

extern void crm_store_put_chunk(const crm_store_change *change, crm_tag_sets *sets, int chunk, crm_store_buffers *buffers,
								crm_store_put put, void *arg);

#endif							/* CRM_STORE_WRITER_H */
