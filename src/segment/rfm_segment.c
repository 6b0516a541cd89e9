/*
 * rfm_segment.c - names for scores: the shipped map and maps kept as rows.
 *
 * A map is read once per query and snapshot into fn_extra; what each of the
 * 125 combinations of scores 1 to 5 is called is worked out then, so that a
 * row costs one look into a table.
 */
#include "segment/rfm.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

CRM_FUNCTION(crm_rfm_segment);
CRM_FUNCTION(crm_rfm_segment_score);
CRM_FUNCTION(crm_rfm_segment_map);
CRM_FUNCTION(crm_rfm_segment_score_map);

#define DEFAULT_MAP "default"
#define SCORES 5
#define COMBINATIONS (SCORES * SCORES * SCORES)

/* A rule names the scores from low to high, both included. */
typedef struct rule
{
	const char *name;
	int32		low[RFM_MEASURES];
	int32		high[RFM_MEASURES];
	text	   *segment;
} rule;

/*
 * The shipped map: every combination of five scores has exactly one rule, so
 * the order of the rules does not matter.  The names are the customary ones.
 */
static const rule default_rules[] = {
	{"Champions", {4, 4, 4}, {5, 5, 5}},
	{"Loyal Customers", {4, 4, 1}, {5, 5, 3}},
	{"Loyal Customers", {3, 4, 1}, {3, 5, 5}},
	{"Potential Loyalist", {4, 2, 1}, {5, 3, 5}},
	{"New Customers", {5, 1, 1}, {5, 1, 5}},
	{"Promising", {4, 1, 1}, {4, 1, 5}},
	{"Need Attention", {3, 2, 1}, {3, 3, 5}},
	{"About To Sleep", {3, 1, 1}, {3, 1, 5}},
	{"Can't Lose Them", {1, 4, 4}, {2, 5, 5}},
	{"At Risk", {1, 4, 1}, {2, 5, 3}},
	{"At Risk", {1, 3, 1}, {2, 3, 5}},
	{"At Risk", {1, 1, 4}, {2, 2, 5}},
	{"Hibernating", {2, 1, 1}, {2, 2, 3}},
	{"Lost", {1, 1, 1}, {1, 2, 3}},
};

/* What tells two snapshots apart: nothing visible differs where all of it is the same. */
typedef struct snapshot_mark
{
	TransactionId xmin;
	TransactionId xmax;
	uint32		xcnt;
	int32		subxcnt;
	CommandId	curcid;
} snapshot_mark;

/* A map as fn_extra keeps it. */
typedef struct segment_map
{
	MemoryContext context;
	char	   *name;
	bool		shipped;
	snapshot_mark mark;
	int			rule_count;
	rule	   *rules;
	text	   *segment[COMBINATIONS];	/* of scores 1 ... 5, NULL where no rule fits */
} segment_map;

/* ---- reading a map ----------------------------------------------------- */

static bool
rule_fits(const rule *rule, const int32 *score)
{
	for (int i = 0; i < RFM_MEASURES; i++)
	{
		if (score[i] < rule->low[i] || score[i] > rule->high[i])
			return false;
	}
	return true;
}

/* The first rule that fits, or NULL. */
static text *
find_segment(const segment_map *map, const int32 *score)
{
	for (int i = 0; i < map->rule_count; i++)
	{
		if (rule_fits(&map->rules[i], score))
			return map->rules[i].segment;
	}
	return NULL;
}

static snapshot_mark
current_mark(void)
{
	snapshot_mark mark;
	Snapshot	snapshot = GetActiveSnapshot();

	memset(&mark, 0, sizeof(mark));
	mark.xmin = snapshot->xmin;
	mark.xmax = snapshot->xmax;
	mark.xcnt = snapshot->xcnt;
	mark.subxcnt = snapshot->subxcnt;
	mark.curcid = snapshot->curcid;
	return mark;
}

/* The extension's schema, quoted: that of the function that is called. */
static const char *
own_schema(FunctionCallInfo fcinfo)
{
	return quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
}

static int32
bound_of(HeapTuple row, TupleDesc tupdesc, int column, int32 open)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, tupdesc, column, &isnull);

	return isnull ? open : DatumGetInt32(value);
}

/* Reads the rows of a map, with the caller's rights, into the map's own memory. */
static void
read_rules(FunctionCallInfo fcinfo, segment_map *map)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(map->name)};
	char	   *query = psprintf("SELECT segment, pg_catalog.lower(recency), pg_catalog.upper(recency),"
								 " pg_catalog.lower(frequency), pg_catalog.upper(frequency),"
								 " pg_catalog.lower(monetary), pg_catalog.upper(monetary)"
								 " FROM %s.rfm_segment_rule WHERE map OPERATOR(pg_catalog.=) $1 ORDER BY priority",
								 own_schema(fcinfo));

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	if (SPI_execute_with_args(query, 1, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the rules of a segment map");
	map->rule_count = (int) SPI_processed;
	map->rules = MemoryContextAlloc(map->context, Max(map->rule_count, 1) * sizeof(rule));
	for (int i = 0; i < map->rule_count; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	tupdesc = SPI_tuptable->tupdesc;
		rule	   *rule = &map->rules[i];
		bool		isnull;
		Datum		segment = SPI_getbinval(row, tupdesc, 1, &isnull);
		MemoryContext old;

		for (int j = 0; j < RFM_MEASURES; j++)
		{
			/* A range of whole numbers is kept with its upper end left out. */
			rule->low[j] = bound_of(row, tupdesc, 2 + 2 * j, PG_INT32_MIN);
			rule->high[j] = bound_of(row, tupdesc, 3 + 2 * j, PG_INT32_MAX);
			if (rule->high[j] != PG_INT32_MAX)
				rule->high[j]--;
		}
		old = MemoryContextSwitchTo(map->context);
		rule->segment = DatumGetTextPCopy(segment);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
}

static void
use_default_rules(segment_map *map)
{
	map->shipped = true;
	map->rule_count = lengthof(default_rules);
	map->rules = MemoryContextAlloc(map->context, sizeof(default_rules));
	memcpy(map->rules, default_rules, sizeof(default_rules));
	for (int i = 0; i < map->rule_count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(map->context);

		map->rules[i].segment = cstring_to_text(map->rules[i].name);
		MemoryContextSwitchTo(old);
	}
}

static segment_map *
load_map(FunctionCallInfo fcinfo, const char *name)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "rfm segment map", ALLOCSET_SMALL_SIZES);
	segment_map *map = MemoryContextAllocZero(context, sizeof(segment_map));

	map->context = context;
	map->name = MemoryContextStrdup(context, name);
	map->mark = current_mark();
	read_rules(fcinfo, map);
	if (map->rule_count == 0)
	{
		if (strcmp(name, DEFAULT_MAP) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there is no segment map \"%s\"", name),
					 errhint("Its rules belong into %s.rfm_segment_rule; \"%s\" is always there.",
							 own_schema(fcinfo), DEFAULT_MAP)));
		use_default_rules(map);
	}
	for (int i = 0; i < COMBINATIONS; i++)
	{
		int32		score[RFM_MEASURES] = {i / (SCORES * SCORES) + 1, i / SCORES % SCORES + 1, i % SCORES + 1};

		map->segment[i] = find_segment(map, score);
	}
	/* Complete, so it may outlive this call. */
	MemoryContextSetParent(context, fcinfo->flinfo->fn_mcxt);
	return map;
}

/* The map as this query's snapshot shows it. */
static segment_map *
get_map(FunctionCallInfo fcinfo, const char *name, size_t length)
{
	segment_map *map = fcinfo->flinfo->fn_extra;
	snapshot_mark mark = current_mark();

	if (map != NULL && strlen(map->name) == length && memcmp(map->name, name, length) == 0 &&
		memcmp(&map->mark, &mark, sizeof(mark)) == 0)
		return map;
	fcinfo->flinfo->fn_extra = NULL;
	if (map != NULL)
		MemoryContextDelete(map->context);
	map = load_map(fcinfo, pnstrdup(name, length));
	fcinfo->flinfo->fn_extra = map;
	return map;
}

/* ---- naming ------------------------------------------------------------- */

/* The name of three scores; NULL where no rule of an own map fits. */
static Datum
name_scores(FunctionCallInfo fcinfo, segment_map *map, const int32 *score)
{
	text	   *segment;
	bool		small = true;

	for (int i = 0; i < RFM_MEASURES; i++)
		small &= score[i] >= 1 && score[i] <= SCORES;
	if (!small && map->shipped)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scores %d, %d, %d are not all between 1 and 5", score[0], score[1], score[2]),
				 errdetail("The shipped segment map names the scores of five bins."),
				 errhint("Score with 5 bins, or put a map of your own into %s.rfm_segment_rule.", own_schema(fcinfo))));
	if (small)
		segment = map->segment[((score[0] - 1) * SCORES + score[1] - 1) * SCORES + score[2] - 1];
	else
		segment = find_segment(map, score);
	if (segment == NULL)
		PG_RETURN_NULL();
	/* The text lives as long as the map does, which is longer than the row. */
	PG_RETURN_TEXT_P(segment);
}

/* Reads a crm.rfm_score; false if a score is NULL. */
static bool
read_score(HeapTupleHeader row, int32 *score)
{
	if (HeapTupleHeaderGetNatts(row) < RFM_MEASURES)
		return false;
	for (int i = 0; i < RFM_MEASURES; i++)
	{
		if ((row->t_infomask & HEAP_HASNULL) && att_isnull(i, row->t_bits))
			return false;
	}
	memcpy(score, (const char *) row + row->t_hoff, RFM_MEASURES * sizeof(int32));
	return true;
}

/* rfm_segment(recency int, frequency int, monetary int) */
Datum
crm_rfm_segment(PG_FUNCTION_ARGS)
{
	int32		score[RFM_MEASURES] = {PG_GETARG_INT32(0), PG_GETARG_INT32(1), PG_GETARG_INT32(2)};

	return name_scores(fcinfo, get_map(fcinfo, DEFAULT_MAP, strlen(DEFAULT_MAP)), score);
}

/* rfm_segment(recency int, frequency int, monetary int, map text) */
Datum
crm_rfm_segment_map(PG_FUNCTION_ARGS)
{
	int32		score[RFM_MEASURES] = {PG_GETARG_INT32(0), PG_GETARG_INT32(1), PG_GETARG_INT32(2)};
	text	   *name = PG_GETARG_TEXT_PP(3);

	return name_scores(fcinfo, get_map(fcinfo, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)), score);
}

/* rfm_segment(score rfm_score) */
Datum
crm_rfm_segment_score(PG_FUNCTION_ARGS)
{
	int32		score[RFM_MEASURES];

	if (!read_score(PG_GETARG_HEAPTUPLEHEADER(0), score))
		PG_RETURN_NULL();
	return name_scores(fcinfo, get_map(fcinfo, DEFAULT_MAP, strlen(DEFAULT_MAP)), score);
}

/* rfm_segment(score rfm_score, map text) */
Datum
crm_rfm_segment_score_map(PG_FUNCTION_ARGS)
{
	int32		score[RFM_MEASURES];
	text	   *name = PG_GETARG_TEXT_PP(1);

	if (!read_score(PG_GETARG_HEAPTUPLEHEADER(0), score))
		PG_RETURN_NULL();
	return name_scores(fcinfo, get_map(fcinfo, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)), score);
}
