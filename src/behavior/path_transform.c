/*
 * path_transform.c - cleaning up paths of touches before attribution: the rules of the dbt package
 * snowplow_fractribution, under its names.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "kernel/journey.h"
#include "kernel/value_table.h"
#include "lib/stringinfo.h"
#include "utils/array.h"

CRM_FUNCTION(crm_path_keep_last);
CRM_FUNCTION(crm_path_exposure);
CRM_FUNCTION(crm_path_first);
CRM_FUNCTION(crm_path_frequency);
CRM_FUNCTION(crm_path_drop_unless_all);
CRM_FUNCTION(crm_path_drop_trailing_unless_all);

typedef struct path_argument
{
	Datum	   *touches;
	uint32	   *codes;			/* equal touches have equal codes, from 1 */
	int			count;
	uint32		greatest;
	uint32		channel;		/* code of the channel in question; 0: not in the path */
	size_t	   *places;			/* room for the touches that stay */
} path_argument;

/* The touches of argument 0 and, if with_channel, the code of argument 1 among them. */
static path_argument
read_path(FunctionCallInfo fcinfo, bool with_channel)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_value_table table = {0};
	path_argument path = {0};
	bool	   *nulls;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("path must have one dimension, not %d", ARR_NDIM(array))));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &path.touches, &nulls, &path.count);
	path.codes = palloc(sizeof(uint32) * Max(path.count, 1));
	path.places = palloc(sizeof(size_t) * Max(path.count, 1));
	for (int i = 0; i < path.count; i++)
	{
		text	   *touch = (text *) DatumGetPointer(path.touches[i]);

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("path must not contain null"),
					 errdetail("Touch %d of the path is null.", i + 1),
					 errhint("Drop such touches with array_remove(path, NULL), or name them.")));
		crm_check(crm_value_add(&table, &env, VARDATA_ANY(touch), VARSIZE_ANY_EXHDR(touch), UINT32_MAX, &path.codes[i]),
				  "text[]", false);
	}
	path.greatest = table.count;
	if (with_channel)
	{
		text	   *channel = PG_GETARG_TEXT_PP(1);

		path.channel = crm_value_find(&table, VARDATA_ANY(channel), VARSIZE_ANY_EXHDR(channel));
	}
	return path;
}

/* A path of the touches that stay. */
static Datum
kept_touches(const path_argument *path, size_t kept)
{
	Datum	   *touches = palloc(sizeof(Datum) * Max(kept, 1));

	for (size_t i = 0; i < kept; i++)
		touches[i] = path->touches[path->places[i]];
	return PointerGetDatum(construct_array(touches, (int) kept, TEXTOID, -1, false, TYPALIGN_INT));
}

/* path_keep_last(path text[], touches int) */
Datum
crm_path_keep_last(PG_FUNCTION_ARGS)
{
	path_argument path = read_path(fcinfo, false);
	int32		most = PG_GETARG_INT32(1);
	int			kept;

	if (most < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of touches must not be negative: %d", most)));
	kept = Min(most, path.count);
	path.touches += path.count - kept;
	for (int i = 0; i < kept; i++)
		path.places[i] = (size_t) i;
	PG_RETURN_DATUM(kept_touches(&path, (size_t) kept));
}

/* path_exposure(path text[]) */
Datum
crm_path_exposure(PG_FUNCTION_ARGS)
{
	path_argument path = read_path(fcinfo, false);

	PG_RETURN_DATUM(kept_touches(&path, crm_journey_exposure(path.codes, (size_t) path.count, path.places)));
}

/* path_first(path text[]) */
Datum
crm_path_first(PG_FUNCTION_ARGS)
{
	path_argument path = read_path(fcinfo, false);
	uint32	   *counts = palloc(sizeof(uint32) * ((Size) path.greatest + 1));

	PG_RETURN_DATUM(kept_touches(&path, crm_journey_first(path.codes, (size_t) path.count, path.places, counts, path.greatest)));
}

/* path_frequency(path text[]): each channel once, with how often it was touched behind it */
Datum
crm_path_frequency(PG_FUNCTION_ARGS)
{
	path_argument path = read_path(fcinfo, false);
	uint32	   *counts = palloc(sizeof(uint32) * ((Size) path.greatest + 1));
	size_t		kept = crm_journey_first(path.codes, (size_t) path.count, path.places, counts, path.greatest);

	for (size_t i = 0; i < kept; i++)
	{
		size_t		place = path.places[i];
		text	   *touch = (text *) DatumGetPointer(path.touches[place]);
		StringInfoData counted;

		initStringInfo(&counted);
		appendBinaryStringInfo(&counted, VARDATA_ANY(touch), (int) VARSIZE_ANY_EXHDR(touch));
		appendStringInfo(&counted, "(%u)", counts[path.codes[place]]);
		path.touches[place] = PointerGetDatum(cstring_to_text_with_len(counted.data, counted.len));
	}
	PG_RETURN_DATUM(kept_touches(&path, kept));
}

static Datum
drop_channel(FunctionCallInfo fcinfo, bool trailing_only)
{
	path_argument path = read_path(fcinfo, true);

	return kept_touches(&path, crm_journey_drop(path.codes, (size_t) path.count, path.channel, trailing_only, path.places));
}

/* path_drop_unless_all(path text[], channel text) */
Datum
crm_path_drop_unless_all(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(drop_channel(fcinfo, false));
}

/* path_drop_trailing_unless_all(path text[], channel text) */
Datum
crm_path_drop_trailing_unless_all(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(drop_channel(fcinfo, true));
}
