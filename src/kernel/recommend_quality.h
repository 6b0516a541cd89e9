/*
 * recommend_quality.h - how good lists of recommendations are, against what
 * customers took afterwards.
 *
 * Each customer's measures are whole numbers of 2^-52, so that their sums are exact
 * and hang neither on the order of the customers nor on the parts they come in.
 */
#ifndef CRM_KERNEL_RECOMMEND_QUALITY_H
#define CRM_KERNEL_RECOMMEND_QUALITY_H

#include "kernel/kernel.h"
#include "kernel/value_table.h"

#define CRM_QUALITY_MAX_K 10000

typedef enum crm_quality_measure
{
	CRM_QUALITY_HIT,			/* is any of the first k right? */
	CRM_QUALITY_PRECISION,		/* share of k that are right */
	CRM_QUALITY_RECALL,			/* share of what he took that is among the first k */
	CRM_QUALITY_NDCG,			/* normalized discounted cumulative gain (Jarvelin and Kekalainen 2002) */
	CRM_QUALITY_MRR,			/* 1 / place of the first that is right */
	CRM_QUALITY_MEASURES
} crm_quality_measure;

typedef struct crm_quality
{
	crm_env		env;
	uint32_t	k;
	size_t		max_bytes;		/* of the items' texts, about */
	size_t		bytes;
	uint64_t	customers;
	uint64_t	high[CRM_QUALITY_MEASURES];	/* sums of 128 bits */
	uint64_t	low[CRM_QUALITY_MEASURES];
	crm_value_table items;		/* that were recommended to anybody */
} crm_quality;

typedef struct crm_quality_text
{
	const char *bytes;
	size_t		length;
} crm_quality_text;

extern void crm_quality_init(crm_quality *q, const crm_env *env, uint32_t k, size_t max_bytes);
/* A customer: what was recommended, the best first, and what he took, at least one thing.  What repeats counts once. */
extern crm_status crm_quality_add(crm_quality *q, const crm_quality_text *recommended, uint32_t recommended_count,
								  const crm_quality_text *taken, uint32_t taken_count);
/* The mean over customers, of whom there is one at least. */
extern double crm_quality_mean(const crm_quality *q, crm_quality_measure measure);

/* On the way to another process, and what came from there, hostile until validated, added. */
extern size_t crm_quality_size(const crm_quality *q);
extern void crm_quality_write(const crm_quality *q, uint8_t *out);
extern crm_status crm_quality_read(crm_quality *q, const uint8_t *bytes, size_t size);

#endif							/* CRM_KERNEL_RECOMMEND_QUALITY_H */
