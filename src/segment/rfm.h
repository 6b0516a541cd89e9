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
 * tuple descriptor is needed.
 */
static inline void
rfm_summary_read(HeapTupleHeader tuple, rfm_summary *summary)
{
	const char *at = (const char *) tuple + tuple->t_hoff;
	int			columns = HeapTupleHeaderGetNatts(tuple);
	const char *value[RFM_MEASURES];

	for (int i = 0; i < RFM_MEASURES; i++)
	{
		summary->isnull[i] = i >= columns ||
			((tuple->t_infomask & HEAP_HASNULL) && att_isnull(i, tuple->t_bits));
		value[i] = at;
		if (!summary->isnull[i])
			at += 8;
	}
	if (!summary->isnull[RFM_RECENCY])
		memcpy(&summary->last_at, value[RFM_RECENCY], 8);
	if (!summary->isnull[RFM_FREQUENCY])
		memcpy(&summary->frequency, value[RFM_FREQUENCY], 8);
	if (!summary->isnull[RFM_MONETARY])
		memcpy(&summary->monetary, value[RFM_MONETARY], 8);
	rfm_check_finite(summary);
}

#endif							/* CRM_SEGMENT_RFM_H */
