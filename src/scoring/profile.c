/*
 * profile.c - how the columns and the scores of a training were distributed, and
 * how far the rows of another day are from that.
 *
 * The bounds of bins come from a sample, chosen by a hash of the row; the counts
 * are of all rows.  Scores are those of rows held back, where there are any: a
 * model knows the others by heart.
 */
#include "scoring/training.h"

#include <math.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "common/query.h"
#include "funcapi.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

CRM_FUNCTION(crm_model_drift);

/* Rows that bounds are made of, fewer where there are many columns; up to twice as many are kept for a while. */
#define SAMPLE_ROWS 20000
#define SAMPLE_NUMBERS 2000000
#define BINS 10
/* What is low and high of a number: about this share of the rows of the training each, never more than that. */
#define SHARE_OF_LEVEL 0.3
#define MOST_OF_LEVEL 0.5
/* Values rarer than this share are one bin: each alone would only add chance. */
#define RARE_SHARE 0.01

/* A column, or the score, which comes behind them. */
typedef struct distribution
{
	int			cuts;
	double		cut[BINS];
	int			bins;			/* by number: at most a cut; by text: a value each; then others, then missing */
	double	   *counts;
} distribution;

typedef struct profile_pass
{
	const scoring_encoding *encoding;
	const scoring_split *split; /* scores of the rows that it holds only; NULL: of all */
	crm_scorer	scorer;
	MemoryContext row;
	scoring_reader label;		/* attribute -1: there is none */
	scoring_reader *readers;
	scoring_reader *split_readers;
	scoring_cell *cells;
	scoring_cell *split_cells;
	double	   *features;
	double		rows;			/* that were counted */
	distribution *distributions;	/* of each column, then of the score */
	/* the sample: values of each column and the score, NaN where there is none */
	bool		sampling;
	int			room;
	int			sampled;
	uint64		below;			/* hashes that are in */
	uint64	   *hashes;
	double	   *values;
} profile_pass;

static void
thin_sample(profile_pass *p)
{
	int			width = p->encoding->count + 1;
	int			kept = 0;

	p->below /= 2;
	for (int i = 0; i < p->sampled; i++)
		if (p->hashes[i] < p->below)
		{
			p->hashes[kept] = p->hashes[i];
			memmove(&p->values[(Size) kept * width], &p->values[(Size) i * width], sizeof(double) * width);
			kept++;
		}
	p->sampled = kept;
}

static void
sample_row(profile_pass *p, double score)
{
	int			width = p->encoding->count + 1;
	uint64		hash = scoring_hash_cells(p->cells, p->encoding->count, 1);
	double	   *values;

	if (hash >= p->below)
		return;
	/* equal rows have one hash: where they are too many, the first of them stand for all */
	for (int i = 0; p->sampled == p->room && i < 4; i++)
		thin_sample(p);
	if (p->sampled == p->room || hash >= p->below)
		return;
	p->hashes[p->sampled] = hash;
	values = &p->values[(Size) p->sampled++ * width];
	for (int i = 0; i < p->encoding->count; i++)
		values[i] = p->cells[i].missing || p->cells[i].text != NULL ? get_float8_nan() : p->cells[i].number;
	values[width - 1] = score;
}

static void
count_row(profile_pass *p, double score)
{
	p->rows++;
	for (int i = 0; i <= p->encoding->count; i++)
	{
		distribution *d = &p->distributions[i];
		const scoring_column *column = i < p->encoding->count ? &p->encoding->columns[i] : NULL;
		int			bin = 0;

		if (column != NULL && p->cells[i].missing)
			bin = d->bins - 1;
		else if (column != NULL && column->kind == SCORING_COLUMN_TEXT)
		{
			bin = scoring_find_value(column, &p->cells[i]);
			if (bin < 0)
				bin = d->bins - 2;
		}
		else
		{
			double		value = column != NULL ? p->cells[i].number : score;

			if (isnan(value))
				continue;
			while (bin < d->cuts && value > d->cut[bin])
				bin++;
		}
		d->counts[bin]++;
	}
}

static void
profile_row(TupleTableSlot *slot, void *arg)
{
	profile_pass *p = arg;
	MemoryContext before = MemoryContextSwitchTo(p->row);
	const scoring_encoding *encoding = p->encoding;
	double		score = get_float8_nan();
	bool		scored = true;

	slot_getallattrs(slot);
	if (p->label.attribute < 0 || !slot->tts_isnull[p->label.attribute])
	{
		for (int i = 0; i < encoding->count; i++)
		{
			int			place = p->readers[i].attribute;

			scoring_read_cell(&p->readers[i], encoding->columns[i].name, encoding->columns[i].kind, slot->tts_values[place],
							  slot->tts_isnull[place], &p->cells[i]);
			scoring_encode_cell(encoding, &encoding->columns[i], &p->cells[i], p->features);
		}
		for (int i = 0; p->split != NULL && i < p->split->count; i++)
		{
			int			place = p->split_readers[i].attribute;

			scoring_read_cell(&p->split_readers[i], p->split->names[i], p->split->kinds[i], slot->tts_values[place],
							  slot->tts_isnull[place], &p->split_cells[i]);
		}
		if (p->split != NULL)
			scored = scoring_split_holds(p->split, p->split_cells);
		if (scored && p->scorer.kind->predict != NULL)
			score = crm_score(&p->scorer, p->features);
		if (p->sampling)
			sample_row(p, score);
		else
			count_row(p, score);
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(p->row);
}

static profile_pass *
open_pass(TupleDesc desc, const char *label, scoring_column_kind label_kind, const scoring_encoding *encoding,
		  const scoring_split *split, Datum model)
{
	profile_pass *p = palloc0(sizeof(profile_pass));
	crm_env		env = crm_env_in(CurrentMemoryContext);

	p->encoding = encoding;
	p->split = split;
	crm_check(crm_scorer_open(&p->scorer, scoring_model_fetch(model, CurrentMemoryContext), &env), CRM_MODEL_TYPE, false);
	p->row = AllocSetContextCreate(CurrentMemoryContext, "crm row of a profile", ALLOCSET_SMALL_SIZES);
	p->label.attribute = -1;
	if (label != NULL)
		scoring_open_reader(&p->label, desc, label, label_kind);
	p->readers = palloc(sizeof(scoring_reader) * Max(encoding->count, 1));
	p->cells = palloc(sizeof(scoring_cell) * Max(encoding->count, 1));
	p->features = palloc(sizeof(double) * Max(encoding->features, 1));
	for (int i = 0; i < encoding->count; i++)
		scoring_open_reader(&p->readers[i], desc, encoding->columns[i].name, encoding->columns[i].kind);
	if (split != NULL)
	{
		p->split_readers = palloc(sizeof(scoring_reader) * Max(split->count, 1));
		p->split_cells = palloc(sizeof(scoring_cell) * Max(split->count, 1));
		for (int i = 0; i < split->count; i++)
			scoring_open_reader(&p->split_readers[i], desc, split->names[i], split->kinds[i]);
	}
	p->distributions = palloc0(sizeof(distribution) * (encoding->count + 1));
	return p;
}

static int
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Bounds of nearly equally many sampled rows; equal numbers stay together. */
static void
make_cuts(const profile_pass *p, int place, distribution *d)
{
	int			width = p->encoding->count + 1;
	double	   *sorted = palloc(sizeof(double) * Max(p->sampled, 1));
	int			count = 0;

	for (int i = 0; i < p->sampled; i++)
		if (!isnan(p->values[(Size) i * width + place]))
			sorted[count++] = p->values[(Size) i * width + place];
	qsort(sorted, count, sizeof(double), compare_numbers);
	for (int i = 1; i < BINS && count > 0; i++)
	{
		double		cut = sorted[(int64) count * i / BINS];

		if ((d->cuts == 0 || cut > d->cut[d->cuts - 1]) && cut < sorted[count - 1])
			d->cut[d->cuts++] = cut;
	}
	pfree(sorted);
}

static void
set_bins(const scoring_encoding *encoding, int place, distribution *d)
{
	if (place < encoding->count && encoding->columns[place].kind == SCORING_COLUMN_TEXT)
		d->bins = encoding->columns[place].count + 2;
	else
		d->bins = d->cuts + 2;
	d->counts = palloc0(sizeof(double) * d->bins);
}

static void
append_numbers(StringInfo out, const char *name, const double *numbers, int count)
{
	appendStringInfo(out, "\"%s\": [", name);
	for (int i = 0; i < count; i++)
		appendStringInfo(out, "%s%s", i > 0 ? ", " : "", float8out_internal(numbers[i]));
	appendStringInfoChar(out, ']');
}

void
scoring_make_profile(scoring_training *t)
{
	profile_pass *p = open_pass(t->desc, t->algorithm->roles != NULL ? NULL : t->label, t->algorithm->classes ? SCORING_COLUMN_BOOLEAN : SCORING_COLUMN_NUMBER,
								t->encoding, t->held > 0 ? t->split : NULL, t->model);
	int			width = t->encoding->count + 1;
	StringInfoData text;

	p->sampling = true;
	p->below = PG_UINT64_MAX;
	p->room = 2 * Max(Min(SAMPLE_ROWS, SAMPLE_NUMBERS / width), 100);
	p->hashes = palloc(sizeof(uint64) * p->room);
	p->values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * p->room * width);
	crm_select_run(t->plan, NULL, profile_row, p);
	for (int i = 0; i < width; i++)
	{
		if (i == width - 1 || t->encoding->columns[i].kind != SCORING_COLUMN_TEXT)
			make_cuts(p, i, &p->distributions[i]);
		set_bins(t->encoding, i, &p->distributions[i]);
	}
	pfree(p->values);
	pfree(p->hashes);
	p->sampling = false;
	crm_select_run(t->plan, NULL, profile_row, p);
	initStringInfo(&text);
	appendStringInfoString(&text, "{\"distributions\": [");
	for (int i = 0; i < width; i++)
	{
		appendStringInfoString(&text, i > 0 ? ", {" : "{");
		append_numbers(&text, "cuts", p->distributions[i].cut, p->distributions[i].cuts);
		appendStringInfoString(&text, ", ");
		append_numbers(&text, "counts", p->distributions[i].counts, p->distributions[i].bins);
		appendStringInfoChar(&text, '}');
	}
	appendStringInfoString(&text, "]}");
	MemoryContextDelete(p->row);
	t->profile = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
}

/* ---- drift ------------------------------------------------------------------------ */

static void damaged_profile(void) CRM_NORETURN;

static void
damaged_profile(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the profile of a model is damaged")));
}

static JsonbContainer *
array_member(JsonbContainer *object, const char *name)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue *value;

	key.val.string.val = (char *) name;
	key.val.string.len = (int) strlen(name);
	value = JsonContainerIsObject(object) ? findJsonbValueFromContainer(object, JB_FOBJECT, &key) : NULL;
	if (value == NULL || value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		damaged_profile();
	return value->val.binary.data;
}

static double
number_in(JsonbContainer *array, int place)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, place);

	if (value == NULL || value->type != jbvNumeric)
		damaged_profile();
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
}

/* The counts of the training; bounds and empty bins for a new count go into d. */
static double *
read_distribution(Jsonb *profile, const scoring_encoding *encoding, int place, distribution *d)
{
	JsonbContainer *all = array_member(&profile->root, "distributions");
	JsonbValue *one = (int) JsonContainerSize(all) == encoding->count + 1 ? getIthJsonbValueFromContainer(all, place) : NULL;
	JsonbContainer *cuts;
	JsonbContainer *counts;
	double	   *then;

	if (one == NULL || one->type != jbvBinary)
		damaged_profile();
	cuts = array_member(one->val.binary.data, "cuts");
	counts = array_member(one->val.binary.data, "counts");
	if (JsonContainerSize(cuts) > BINS)
		damaged_profile();
	d->cuts = JsonContainerSize(cuts);
	for (int i = 0; i < d->cuts; i++)
		d->cut[i] = number_in(cuts, i);
	set_bins(encoding, place, d);
	if ((int) JsonContainerSize(counts) != d->bins)
		damaged_profile();
	then = palloc(sizeof(double) * d->bins);
	for (int i = 0; i < d->bins; i++)
		then[i] = number_in(counts, i);
	return then;
}

void
scoring_number_levels(Jsonb *profile, const scoring_encoding *encoding, int place, double *low, double *high)
{
	distribution d = {0};
	double	   *counts = read_distribution(profile, encoding, place, &d);
	double		sum = 0;
	double		below = 0;
	double		low_miss = INFINITY;
	double		high_miss = INFINITY;

	/* the last bin holds what is missing */
	for (int i = 0; i < d.bins - 1; i++)
		sum += counts[i];
	*low = -INFINITY;
	*high = INFINITY;
	for (int i = 0; i < d.cuts; i++)
	{
		below += counts[i];
		if (below > 0 && below <= sum * MOST_OF_LEVEL && fabs(below / sum - SHARE_OF_LEVEL) < low_miss)
		{
			low_miss = fabs(below / sum - SHARE_OF_LEVEL);
			*low = d.cut[i];
		}
		if (below < sum && sum - below <= sum * MOST_OF_LEVEL && fabs((sum - below) / sum - SHARE_OF_LEVEL) < high_miss)
		{
			high_miss = fabs((sum - below) / sum - SHARE_OF_LEVEL);
			*high = d.cut[i];
		}
	}
}

static double
sum_of(const double *numbers, int count)
{
	double		sum = 0;

	for (int i = 0; i < count; i++)
		sum += numbers[i];
	return sum;
}

/* Joins the bins of rare texts with that of others. */
static void
join_rare(double *then, double *now, int bins, double sum)
{
	for (int i = 0; i < bins - 2; i++)
		if (then[i] < RARE_SHARE * sum)
		{
			then[bins - 2] += then[i];
			now[bins - 2] += now[i];
			then[i] = now[i] = 0;
		}
}

typedef struct drift_options
{
	double		watch;			/* levels from here on */
	double		drifted;
	int64		min_rows;		/* fewer tell nothing of the model */
	bool		mark;
	bool		unused[7];
} drift_options;

static const scoring_option drift_known[] = {
	{"watch", SCORING_NUMBER, offsetof(drift_options, watch), 0, 1000},
	{"drifted", SCORING_NUMBER, offsetof(drift_options, drifted), 0, 1000},
	{"min_rows", SCORING_WHOLE, offsetof(drift_options, min_rows), 1, 1e15},
	{"mark", SCORING_BOOLEAN, offsetof(drift_options, mark)},
	{NULL}
};

/* Puts out a row, and gives the index of stability: NaN where there is none. */
static double
put_drift(ReturnSetInfo *rsinfo, const scoring_encoding *encoding, int place, double *then, distribution *d, const drift_options *options)
{
	const scoring_column *column = place < encoding->count ? &encoding->columns[place] : NULL;
	bool		is_text = column != NULL && column->kind == SCORING_COLUMN_TEXT;
	double		then_sum = sum_of(then, d->bins);
	double		now_sum = sum_of(d->counts, d->bins);
	double		psi = get_float8_nan();
	Datum		values[6] = {0};
	bool		nulls[6] = {column == NULL, false, false, column == NULL, column == NULL, !is_text};

	if (column != NULL)
		values[0] = CStringGetTextDatum(column->name);
	if (!(then_sum > 0) || !(now_sum > 0))
		memset(nulls + 1, true, 5);
	else
	{
		values[3] = Float8GetDatum(then[d->bins - 1] / then_sum);
		values[4] = Float8GetDatum(d->counts[d->bins - 1] / now_sum);
		values[5] = Float8GetDatum(d->counts[d->bins - 2] / now_sum);
		if (is_text)
			join_rare(then, d->counts, d->bins, then_sum);
		psi = scoring_psi(then, then_sum, d->counts, now_sum, d->bins);
		values[1] = Float8GetDatum(psi);
		values[2] = CStringGetTextDatum(psi < options->watch ? "stable" : psi < options->drifted ? "watch" : "drifted");
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	return psi;
}

/*
 * The version is stale where a column or the score has drifted.  Only its owner
 * marks it, and nobody where nothing can be written, or by a handful of rows, whose
 * distribution is chance.
 */
static void
note_drift(const scoring_version *version, const scoring_encoding *encoding, const double *psi, double rows, const drift_options *options)
{
	StringInfoData json;
	StringInfoData cause;

	if (!options->mark || XactReadOnly || RecoveryInProgress() || !has_privs_of_role(GetUserId(), version->owner))
		return;
	if (rows < options->min_rows)
	{
		ereport(NOTICE,
				(errmsg("%.0f rows are too few to say whether model \"%s\" is stale", rows, version->name),
				 errdetail("Its mark stays as it is below " INT64_FORMAT " rows.", options->min_rows),
				 errhint("Give more rows, or the option \"min_rows\".")));
		return;
	}
	initStringInfo(&json);
	initStringInfo(&cause);
	appendStringInfo(&json, "{\"rows\": %.0f, \"psi\": [", rows);
	for (int i = 0; i <= encoding->count; i++)
	{
		const char *name = i < encoding->count ? encoding->columns[i].name : NULL;

		appendStringInfoString(&json, i > 0 ? ", [" : "[");
		if (name != NULL)
			escape_json(&json, name);
		else
			appendStringInfoString(&json, "null");
		appendStringInfo(&json, ", %s]", isfinite(psi[i]) ? float8out_internal(psi[i]) : "null");
		if (psi[i] >= options->drifted)
			appendStringInfo(&cause, "%s%s (PSI %.2f)", cause.len > 0 ? ", " : "", name != NULL ? quote_identifier(name) : "the score", psi[i]);
	}
	appendStringInfo(&json, "], \"watch\": %s, \"drifted\": %s}", float8out_internal(options->watch), float8out_internal(options->drifted));
	scoring_note_drift(version, DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data))),
					   cause.len > 0 ? psprintf("drift of %s", cause.data) : NULL);
}

/* model_drift(name, query, options) */
Datum
crm_model_drift(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	scoring_version *version = scoring_find_version(text_to_cstring(PG_GETARG_TEXT_PP(0)), 0);
	MemoryContext caller = CurrentMemoryContext;
	scoring_encoding *encoding;
	profile_pass *p;
	SPIPlanPtr	plan;
	TupleDesc	desc;
	char	   *query;
	double	  **then;
	double	   *psi;
	drift_options options = {.watch = 0.1, .drifted = 0.25, .min_rows = 200, .mark = true};

	scoring_read_options(PG_GETARG_JSONB_P(2), drift_known, "model_drift", &options);
	if (options.watch > options.drifted)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"watch\" must not be above \"drifted\"")));
	if (version->encoding == NULL || version->profile == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" was stored, not trained", version->version, version->name),
				 errdetail("It does not know the rows that it was made from.")));
	InitMaterializedSRF(fcinfo, 0);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	query = scoring_query_text(PG_GETARG_TEXT_PP(1));
	encoding = scoring_encoding_read(version->encoding);
	plan = scoring_prepare(&query, "SELECT age, city FROM customers", encoding, &desc, NULL);
	p = open_pass(desc, NULL, SCORING_COLUMN_NUMBER, encoding, NULL, version->model);
	then = palloc(sizeof(double *) * (encoding->count + 1));
	psi = palloc(sizeof(double) * (encoding->count + 1));
	for (int i = 0; i <= encoding->count; i++)
		then[i] = read_distribution(version->profile, encoding, i, &p->distributions[i]);
	crm_select_run(plan, NULL, profile_row, p);
	for (int i = 0; i <= encoding->count; i++)
		psi[i] = put_drift(rsinfo, encoding, i, then[i], &p->distributions[i], &options);
	note_drift(version, encoding, psi, p->rows, &options);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}
