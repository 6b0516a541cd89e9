/*
 * bins.h - what the files of crm.bins share.
 */
#ifndef CRM_SEGMENT_BINS_H
#define CRM_SEGMENT_BINS_H

#include "common/crm.h"

#include "kernel/bins.h"

/* A value of crm.bins; the cuts are without fault. */
extern struct varlena *segment_bins_value(bool inclusive, const double *cuts, uint32 count);

#endif							/* CRM_SEGMENT_BINS_H */
