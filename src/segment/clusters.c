/*
 * clusters.c - what a model of groups says of a row, and of its groups.
 */
#include "scoring/scoring.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "kernel/model_kmeans.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_cluster);
CRM_FUNCTION(crm_cluster_distance);
CRM_FUNCTION(crm_cluster_distances);
CRM_FUNCTION(crm_clusters);

/* The group of a call's row, from 0; the site's scorer knows its distances then. */
static uint32
group_of(scoring_site *site, ArrayType *features)
{
	scoring_require_groups(site->model);
	return crm_kmeans_score(site->scorer.prepared, scoring_row(site, features));
}

/* cluster(m, features) */
Datum
crm_cluster(PG_FUNCTION_ARGS)
{
	scoring_site *site = scoring_site_of(fcinfo, 0);
	uint32		group = group_of(site, PG_GETARG_ARRAYTYPE_P(1));

	PG_RETURN_INT32((int32) crm_model_group_number(site->model, group));
}

/* cluster_distance(m, features) */
Datum
crm_cluster_distance(PG_FUNCTION_ARGS)
{
	scoring_site *site = scoring_site_of(fcinfo, 0);
	uint32		group = group_of(site, PG_GETARG_ARRAYTYPE_P(1));
	const crm_kmeans_scorer *scorer = site->scorer.prepared;

	PG_RETURN_FLOAT8(scoring_finite(sqrt(scorer->distances[group])));
}

/* cluster_distances(m, features) */
Datum
crm_cluster_distances(PG_FUNCTION_ARGS)
{
	scoring_site *site = scoring_site_of(fcinfo, 0);
	const crm_kmeans_scorer *scorer;
	uint32		groups;
	Datum	   *distances;

	(void) group_of(site, PG_GETARG_ARRAYTYPE_P(1));
	scorer = site->scorer.prepared;
	groups = scorer->space.groups;
	distances = palloc(sizeof(Datum) * groups);
	for (uint32 c = 0; c < groups; c++)
		distances[c] = Float8GetDatum(scoring_finite(sqrt(scorer->distances[c])));
	PG_RETURN_ARRAYTYPE_P(construct_array(distances, (int) groups, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* clusters(m) -> (cluster, size, share, within, center) */
Datum
crm_clusters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	crm_model  *m = scoring_model_fetch(PG_GETARG_DATUM(0), CurrentMemoryContext);
	const crm_model_value *sizes = crm_model_get(m, CRM_KMEANS_SIZES);
	const crm_model_value *weights = crm_model_get(m, CRM_KMEANS_WEIGHTS);
	double		sum = 0;

	scoring_require_groups(m);
	InitMaterializedSRF(fcinfo, 0);
	for (uint32 c = 0; c < sizes->count; c++)
		sum += weights->present ? weights->numbers[c] : (double) sizes->integers[c];
	for (uint32 c = 0; c < sizes->count; c++)
	{
		const double *center = crm_model_get(m, CRM_KMEANS_CENTERS)->numbers + (Size) c * m->features;
		double		weight = weights->present ? weights->numbers[c] : (double) sizes->integers[c];
		Datum	   *numbers = palloc(sizeof(Datum) * m->features);
		Datum		values[5];
		bool		nulls[5] = {false, false, !(sum > 0 && isfinite(sum)), false, false};

		for (uint32 j = 0; j < m->features; j++)
			numbers[j] = Float8GetDatum(center[j]);
		values[0] = Int32GetDatum((int32) crm_model_group_number(m, c));
		values[1] = Int64GetDatum(sizes->integers[c]);
		values[2] = Float8GetDatum(weight / sum);
		values[3] = Float8GetDatum(crm_model_get(m, CRM_KMEANS_WITHIN)->numbers[c]);
		values[4] = PointerGetDatum(construct_array(numbers, (int) m->features, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
