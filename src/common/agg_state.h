/*
 * agg_state.h - crm.agg_state, the state of aggregates for which no public
 * type fits.
 *
 * It is a type of its own rather than internal, so that states can be sent as
 * text between servers and combined there.  Only the header is checked on the
 * way in; the aggregate that reads a state checks the rest.  A state is not a
 * storage format: it may change with any version, which the header tells.
 */
#ifndef CRM_AGG_STATE_H
#define CRM_AGG_STATE_H

#include "common/crm.h"

typedef enum crm_state_kind
{
	CRM_STATE_RFM = 1,			/* rfm_agg */
	CRM_STATE_RFM_CUTS = 2,		/* rfm_cuts_agg */
	CRM_STATE_TAG_SCAN = 3,		/* tag_scan_agg */
	CRM_STATE_FUNNEL = 4,		/* window_funnel */
	CRM_STATE_RETENTION = 5,	/* retention */
	CRM_STATE_SEQUENCE = 6,		/* sequence_match, sequence_count, sequence_match_events */
	CRM_STATE_FUNNEL_SUMMARY = 7,	/* funnel_agg */
	CRM_STATE_SEQUENCE_NODE = 8,	/* sequence_next_node */
	CRM_STATE_TIMELINE = 9,		/* timeline_agg, merge_agg */
	CRM_STATE_ATTRIBUTION = 10, /* attribution, attribution_effects, attribution_transitions */
	CRM_STATE_ACTIVITY = 11,	/* activity_agg, and the tables over activities */
	CRM_STATE_FUNNEL_TABLE = 13, /* funnel_table */
	CRM_STATE_LINEAR = 20,		/* linear_fit */
	CRM_STATE_ROWS = 21,		/* trainers and measures that read rows more than once */
	CRM_STATE_LOSSES = 22,		/* log_loss_agg, brier_agg */
	CRM_STATE_WOE = 23,			/* woe_table, information_value */
	CRM_STATE_COUNTS = 24,		/* purchase models, kaplan_meier, log_rank: rows counted by a few numbers */
	CRM_STATE_RATINGS = 26,		/* nps_agg, csat_agg, ces_agg */
	CRM_STATE_TREES = 25,		/* boosted_trees_fit, boosted_trees_regression_fit */
	CRM_STATE_TAG_DUE = 30,		/* tag_due_agg */
	CRM_STATE_PERCENTILE = 40,	/* percentile_agg */
	CRM_STATE_LOOKALIKE = 41,	/* lookalike_fit */
	CRM_STATE_QUANTILE_BINS = 42, /* quantile_bins_agg */
	CRM_STATE_EQUAL_WIDTH = 43, /* equal_width_bins_agg */
	CRM_STATE_TREE_BINS = 44,	/* tree_bins_agg */
	CRM_STATE_MONOTONE_BINS = 45,	/* monotone_bins_agg */
	CRM_STATE_ROBUST_SCALE = 46, /* robust_scale_agg */
	CRM_STATE_UNMET_DEMAND = 47, /* unmet_demand */
	CRM_STATE_KMEANS_STEP = 48, /* kmeans_refine */
	CRM_STATE_BASKETS = 50,		/* association_rules and its like, recommend_fit */
	CRM_STATE_RECOMMENDED = 51	/* recommendation_quality_agg */
} crm_state_kind;

typedef struct crm_agg_state
{
	int32		vl_len_;
	uint16		magic;			/* CRM_AGG_STATE_MAGIC; differs where the byte order does */
	uint8		kind;
	uint8		version;		/* of this kind */
	char		data[FLEXIBLE_ARRAY_MEMBER];
} crm_agg_state;

#define CRM_AGG_STATE_MAGIC 0xC5A7
#define CRM_AGG_STATE_HEADER offsetof(crm_agg_state, data)

/* Writes the header of a state of so many bytes altogether. */
extern void crm_agg_state_init(void *state, Size size, crm_state_kind kind, uint8 version);

/* The flat state, detoasted where needed; XX001 unless it is of this kind and version and has min_size bytes. */
extern crm_agg_state *crm_agg_state_fetch(Datum value, crm_state_kind kind, uint8 version, Size min_size);

/* Raises XX001 for a state whose inside is wrong. */
extern void crm_agg_state_damaged(const char *detail) CRM_NORETURN;

/* What a transition or combine function returns for a row that is none: its state as it is. */
extern Datum crm_agg_unchanged(FunctionCallInfo fcinfo);

#endif							/* CRM_AGG_STATE_H */
