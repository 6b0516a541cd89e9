/*
 * rfm.h - what the RFM files of this room share.
 */
#ifndef CRM_SEGMENT_RFM_H
#define CRM_SEGMENT_RFM_H

#include "common/crm.h"

#include "access/htup_details.h"
#include "utils/timestamp.h"

#include "kernel/rfm.h"

typedef enum rfm_measure
{
	RFM_RECENCY, RFM_FREQUENCY, RFM_MONETARY, RFM_MEASURES
} rfm_measure;

/* ---- crm.rfm_cuts (rfm_cuts.c) ---------------------------------------- */

/* A value of crm.rfm_cuts, read where it lies. */
typedef struct rfm_cuts
{
	bool		has_as_of;
	bool		inclusive;		/* a value on a border belongs to the bin below it */
	TimestampTz as_of;
	bool		present[RFM_MEASURES];	/* false: this measure is not scored */
	uint32		count[RFM_MEASURES];
	const char *borders[RFM_MEASURES];	/* float8s at any address */
} rfm_cuts;

/* Reads a value, whose bytes must outlive cuts; XX001 if they are damaged. */
extern void rfm_cuts_read(struct varlena *value, rfm_cuts *cuts);
/* The value as stored; borders must be checked. */
extern struct varlena *rfm_cuts_write(const rfm_cuts *cuts);

/* ---- samples (rfm_cuts_agg.c) ----------------------------------------- */

/* One customer's measures. */
typedef struct rfm_summary
{
	bool		isnull[RFM_MEASURES];
	TimestampTz last_at;
	int64		frequency;
	double		monetary;
} rfm_summary;

/* Checks bins and as_of: 22023, 22003. */
extern void rfm_check_bins(int32 bins, TimestampTz as_of);
extern void rfm_sample_add(crm_rfm_sample *sample, TimestampTz as_of, const rfm_summary *summary);
/* The sample's borders, allocated in the current context; a measure without values is left out. */
extern void rfm_sample_cuts(const crm_rfm_sample *sample, int32 bins, TimestampTz as_of, rfm_cuts *cuts);

/*
 * The summary that stands in three arguments, from the given one on; the last
 * of them is numeric or float8.
 */
extern void rfm_summary_from_arguments(FunctionCallInfo fcinfo, int first, bool is_numeric, rfm_summary *summary);

/* ---- composite values -------------------------------------------------- */

/* NULL measures count as NULL, values that are not finite raise 22003. */
extern void rfm_check_finite(const rfm_summary *summary);

/*
 * Reads a crm.rfm_summary, whose three columns take eight bytes each: no
 * tuple descriptor is needed.  In a table it mostly has the short header of
 * small values and lies at any address: it is read there, as making a copy
 * costs a tenth of a whole query.
 */
static inline void
rfm_summary_read(Datum value, rfm_summary *summary)
{
	const struct varlena *stored = (const struct varlena *) DatumGetPointer(value);
	const char *tuple;			/* where its HeapTupleHeaderData would begin */
	const char *at;
	const char *column[RFM_MEASURES];
	const bits8 *nulls;
	uint16		infomask,
				infomask2;
	int			columns;

	if (VARATT_IS_SHORT(stored) && !VARATT_IS_EXTERNAL(stored))
		tuple = VARDATA_SHORT(stored) - VARHDRSZ;
	else
		tuple = (const char *) DatumGetHeapTupleHeader(value);
	memcpy(&infomask, tuple + offsetof(HeapTupleHeaderData, t_infomask), sizeof(infomask));
	memcpy(&infomask2, tuple + offsetof(HeapTupleHeaderData, t_infomask2), sizeof(infomask2));
	columns = infomask2 & HEAP_NATTS_MASK;
	nulls = (const bits8 *) tuple + offsetof(HeapTupleHeaderData, t_bits);
	at = tuple + *((const uint8 *) tuple + offsetof(HeapTupleHeaderData, t_hoff));

	for (int i = 0; i < RFM_MEASURES; i++)
	{
		summary->isnull[i] = i >= columns || ((infomask & HEAP_HASNULL) && att_isnull(i, nulls));
		column[i] = at;
		if (!summary->isnull[i])
			at += 8;
	}
	if (!summary->isnull[RFM_RECENCY])
		memcpy(&summary->last_at, column[RFM_RECENCY], 8);
	if (!summary->isnull[RFM_FREQUENCY])
		memcpy(&summary->frequency, column[RFM_FREQUENCY], 8);
	if (!summary->isnull[RFM_MONETARY])
		memcpy(&summary->monetary, column[RFM_MONETARY], 8);
	rfm_check_finite(summary);
}

#endif							/* CRM_SEGMENT_RFM_H */
