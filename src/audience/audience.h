/*
 * audience.h - the value crm.audience for other rooms.
 */
#ifndef CRM_AUDIENCE_H
#define CRM_AUDIENCE_H

#include "common/crm.h"
#include "kernel/ids.h"

/*
 * A stored audience: a small header, then RoaringFormatSpec's portable 64-bit
 * bytes, canonical.  doc/formats.md describes it.
 */
typedef struct crm_audience
{
	int32		vl_len_;
	uint8		version;		/* CRM_AUDIENCE_VERSION */
	uint8		flags;			/* 0; aggregate states in progress use bit 0 */
	uint16		reserved;		/* 0 */
	uint32		population;		/* stamp: population number, 0 = unstamped */
	uint32		reserved2;		/* 0 */
	uint64		cardinality;
	uint8		ids[FLEXIBLE_ARRAY_MEMBER];
} crm_audience;

#define CRM_AUDIENCE_VERSION 1
#define CRM_AUDIENCE_HEADER offsetof(crm_audience, ids)

#define CRM_AUDIENCE_TYPE "crm.audience"

/* flags: an aggregate's short list of ids, not yet a set; every reader turns it into one. */
#define CRM_AUDIENCE_PENDING 1

#define PG_RETURN_AUDIENCE(x) PG_RETURN_POINTER(x)

/* Detoasts (once per query for a stored value when flinfo is given) and checks the header; never copies an in-memory value. */
extern crm_audience *crm_audience_fetch(Datum value, FmgrInfo *flinfo, int argument);
extern crm_ids crm_audience_ids(const crm_audience *audience);

/* The finished builder as a value in the current context; the builder is freed. */
extern crm_audience *crm_audience_finish(crm_ids_builder *builder, uint32 population);
extern crm_audience *crm_audience_empty(uint32 population);
/* The set operation on two values, stamps checked (42804) and carried over. */
extern crm_audience *crm_audience_combine(crm_ids_op op, const crm_audience *a, const crm_audience *b);

/* Members and stamp alone, from the first bytes of a stored value. */
extern uint64 crm_audience_cardinality_of(Datum value, uint32 *population);
/*
 * Is the id a member of argument number argument (the set)?  A stored or
 * constant set is fetched once per query and its last container remembered.
 */
extern bool crm_audience_probe(Datum value, FmgrInfo *flinfo, int argument, int64 id);
/*
 * Has this call site fetched the stored value before, or seen it as this
 * argument in the call before?  Then it is worth keeping.
 */
extern bool crm_audience_is_recurring(Datum value, FmgrInfo *flinfo, int argument);
/* Raises 42804 where both are stamped, differently; else the stamp of the result. */
extern uint32 crm_audience_common_stamp(uint32 a, uint32 b);
/* Raises the error for an id below zero. */
extern void crm_audience_check_id(int64 id);

/* A value of type crm.bsi in the current context, made of its canonical sets. */
struct crm_bsi;
extern void *crm_bsi_of_sets(const struct crm_bsi *bsi);

#endif							/* CRM_AUDIENCE_H */
