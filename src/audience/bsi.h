/*
 * bsi.h - the value crm.bsi; for this room alone.
 */
#ifndef CRM_AUDIENCE_BSI_H
#define CRM_AUDIENCE_BSI_H

#include "audience/audience.h"

#include "kernel/bsi.h"
#include "utils/numeric.h"

/* A stored value: a small header, then the kernel's bytes.  doc/formats.md describes it. */
typedef struct crm_bsi_datum
{
	int32		vl_len_;
	uint8		version;		/* CRM_BSI_VERSION */
	uint8		flags;			/* 0; aggregate states in progress use bit 0 */
	uint8		slices;
	uint8		scale;
	uint32		population;		/* 0; kept for a stamp as audiences have one */
	uint32		reserved;		/* 0 */
	uint64		cardinality;
	uint8		data[FLEXIBLE_ARRAY_MEMBER];
} crm_bsi_datum;

#define CRM_BSI_VERSION 1
#define CRM_BSI_HEADER offsetof(crm_bsi_datum, data)
#define CRM_BSI_TYPE "crm.bsi"

/* flags: an aggregate's short list of pairs, cardinality many; every reader turns it into slices. */
#define CRM_BSI_PENDING 1

/* Raises the error that belongs to a kernel's status. */
extern void crm_bsi_check(crm_status status);
extern void crm_bsi_out_of_range(void) CRM_NORETURN;

/* A value in memory and the parts of it. */
typedef struct crm_bsi_open_value
{
	crm_bsi_datum *datum;
	crm_bsi		bsi;
} crm_bsi_open_value;

/* The flat value, detoasted and its header checked; a list under way as it is. */
extern crm_bsi_datum *crm_bsi_detoast(Datum value);
/* The same, lists turned into slices, its parts found. */
extern void crm_bsi_fetch(Datum value, crm_bsi_open_value *open);
/* The first argument of a call: a stored value is fetched once per call site. */
extern const crm_bsi_open_value *crm_bsi_argument(FunctionCallInfo fcinfo);
/* An audience among the other arguments; NULL where the call has not so many. */
extern crm_audience *crm_bsi_audience_argument(FunctionCallInfo fcinfo, int argument);

/* An image as a value in the current memory. */
extern crm_bsi_datum *crm_bsi_finish(const crm_bsi_image *image);
/* No numbers. */
extern crm_bsi_datum *crm_bsi_empty(void);
extern void crm_bsi_write(const crm_bsi_image *image, crm_bsi_datum *out);
extern Size crm_bsi_flat_size(const crm_bsi_image *image);

/* Numbers and numerics. */
extern Numeric crm_bsi_to_numeric(crm_int128 value, uint32 scale);
extern Numeric crm_bsi_total_to_numeric(const crm_bsi_total *total, uint32 scale);
/* 22003 for what is not finite or has too many digits. */
extern crm_int128 crm_bsi_from_numeric(Datum value, uint32 *scale);

#endif							/* CRM_AUDIENCE_BSI_H */
