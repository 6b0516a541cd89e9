/*
 * model_split.c - which rows of a query are held back from a training: by a hash
 * of their values, or by time.
 *
 * Equal rows are on one side, so that a model is not asked what it was told; and
 * where a row stands depends on nothing but its values and the seed.
 */
#include "scoring/train.h"

#include <math.h>

#include "common/hashfn.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"

#define SAMPLE_SEED INT64CONST(0x5A3D1E7C9B24F086)

/* The finaliser of splitmix64 (Steele, Lea & Flood 2014). */
static uint64
mix(uint64 z)
{
	z = (z ^ (z >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

uint64
scoring_hash_cells(const scoring_cell *cells, int count, int64 seed)
{
	uint64		hash = (uint64) seed;

	for (int i = 0; i < count; i++)
	{
		const scoring_cell *cell = &cells[i];
		uint64		part;

		if (cell->missing)
			part = 0;
		else if (cell->text != NULL)
			part = DatumGetUInt64(hash_any_extended((const unsigned char *) cell->text, cell->size, 1));
		else
			part = DatumGetUInt64(hash_any_extended((const unsigned char *) &cell->number, sizeof(double), 2));
		hash = mix(hash_combine64(hash, part));
	}
	return mix(hash + UINT64CONST(0x9E3779B97F4A7C15));
}

/* Where a row stands among all, from 0 to below 1. */
static double
place_of(const scoring_split *split, const scoring_cell *cells, int64 seed)
{
	int			first = split->by_time ? 1 : 0;

	return (double) (scoring_hash_cells(cells + first, split->count - first, seed) >> 11) * 0x1p-53;
}

bool
scoring_split_holds(const scoring_split *split, const scoring_cell *cells)
{
	double		place;

	if (split->by_time)
		return !cells[0].missing && cells[0].number >= split->cut;
	place = place_of(split, cells, split->seed);
	return place >= split->least && place < split->most;
}

bool
scoring_split_takes(const scoring_split *split, const scoring_cell *cells)
{
	if (scoring_split_holds(split, cells))
		return false;
	/* another order of the rows than that which holds some back */
	return split->sample >= 1 || place_of(split, cells, split->seed ^ SAMPLE_SEED) < split->sample;
}

Jsonb *
scoring_split_write(const scoring_split *split)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "{\"by\": \"%s\", \"seed\": " INT64_FORMAT ", \"least\": %s, \"most\": %s, \"cut\": %s, \"sample\": %s, \"columns\": [",
					 split->by_time ? "time" : "hash", split->seed, float8out_internal(split->least),
					 float8out_internal(split->most), float8out_internal(split->cut), float8out_internal(split->sample));
	for (int i = 0; i < split->count; i++)
	{
		appendStringInfo(&text, "%s[", i > 0 ? ", " : "");
		escape_json(&text, split->names[i]);
		appendStringInfo(&text, ", \"%s\"]", scoring_column_kinds[split->kinds[i]]);
	}
	appendStringInfoString(&text, "]}");
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
}

static JsonbValue *
required(Jsonb *json, const char *name, enum jbvType type)
{
	JsonbValue *value = scoring_member(json, name);

	if (value == NULL || value->type != type)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid split of rows"),
				 errdetail("\"%s\" is missing or of another type.", name)));
	return value;
}

static double
required_number(Jsonb *json, const char *name)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(required(json, name, jbvNumeric)->val.numeric)));
}

static void
read_names(scoring_split *split, JsonbContainer *columns)
{
	split->count = JsonContainerSize(columns);
	split->names = palloc(sizeof(char *) * Max(split->count, 1));
	split->kinds = palloc(sizeof(scoring_column_kind) * Max(split->count, 1));
	for (int i = 0; i < split->count; i++)
	{
		JsonbValue *pair = getIthJsonbValueFromContainer(columns, i);
		JsonbValue *name = NULL;
		JsonbValue *kind = NULL;
		int			k = SCORING_COLUMN_KINDS;

		if (pair->type == jbvBinary && JsonContainerIsArray(pair->val.binary.data) && JsonContainerSize(pair->val.binary.data) == 2)
		{
			name = getIthJsonbValueFromContainer(pair->val.binary.data, 0);
			kind = getIthJsonbValueFromContainer(pair->val.binary.data, 1);
		}
		if (name != NULL && name->type == jbvString && kind->type == jbvString)
			for (k = 0; k < SCORING_COLUMN_KINDS; k++)
				if (strcmp(scoring_column_kinds[k], pnstrdup(kind->val.string.val, kind->val.string.len)) == 0)
					break;
		if (k == SCORING_COLUMN_KINDS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid split of rows"),
					 errdetail("A column is no pair of a name and a kind.")));
		split->names[i] = pnstrdup(name->val.string.val, name->val.string.len);
		split->kinds[i] = k;
	}
}

scoring_split *
scoring_split_read(Jsonb *json)
{
	scoring_split *split = palloc0(sizeof(scoring_split));
	JsonbValue *by = required(json, "by", jbvString);
	JsonbValue *columns = required(json, "columns", jbvBinary);

	split->by_time = by->val.string.len == 4 && memcmp(by->val.string.val, "time", 4) == 0;
	split->seed = (int64) required_number(json, "seed");
	split->least = required_number(json, "least");
	split->most = required_number(json, "most");
	split->cut = required_number(json, "cut");
	split->sample = required_number(json, "sample");
	if (!JsonContainerIsArray(columns->val.binary.data) || (split->by_time && JsonContainerSize(columns->val.binary.data) < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid split of rows"),
				 errdetail("A split by time has a column of the time.")));
	read_names(split, columns->val.binary.data);
	return split;
}
