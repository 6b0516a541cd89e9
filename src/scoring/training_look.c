/*
 * training_look.c - one pass over the kept rows of a training: which values there
 * are, what is missing, how many are held back, and a fingerprint of them all.
 */
#include "scoring/training.h"

#include <math.h>

#include "common/hashfn.h"
#include "common/progress.h"
#include "common/query.h"
#include "kernel/trees.h"
#include "tag/tag.h"
#include "utils/hsearch.h"

#define SPREAD_CATEGORIES 100
#define CODED_CATEGORIES 254
/* Different texts of a column that are counted. */
#define COUNTED_TEXTS 1000000

typedef struct category_key
{
	const char *bytes;
	int			size;
} category_key;

typedef struct category
{
	category_key key;
	int64		rows;
	double		labels;			/* sum */
} category;

typedef struct look
{
	scoring_training *t;
	MemoryContext context;		/* of categories */
	MemoryContext row;
	scoring_reader label;
	scoring_column_kind label_kind;
	int			duration;		/* place of that column; -1 */
	scoring_reader *split_readers;
	scoring_cell *split_cells;
	scoring_reader *readers;
	scoring_cell *cells;		/* of the columns, then of the label */
	HTAB	  **categories;
	int64	   *missing;
	double	   *sums;
	uint64		looked;			/* rows */
	uint64		fingerprint;
} look;

static uint32
hash_key(const void *key, Size size)
{
	const category_key *k = key;

	return hash_bytes((const unsigned char *) k->bytes, k->size);
}

static int
compare_keys(const void *a, const void *b, Size size)
{
	const category_key *x = a;
	const category_key *y = b;

	return x->size != y->size || memcmp(x->bytes, y->bytes, x->size) != 0;
}

static HTAB *
make_table(MemoryContext context)
{
	HASHCTL		control = {.keysize = sizeof(category_key), .entrysize = sizeof(category), .hash = hash_key, .match = compare_keys,
	.hcxt = context};

	return hash_create("crm categories", 256, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static void
count_text(look *l, int place, const scoring_cell *cell, double label)
{
	HTAB	   *table = l->categories[place];
	category_key key = {cell->text, cell->size};
	bool		found;
	category   *c = hash_search(table, &key, HASH_FIND, NULL);

	if (c == NULL)
	{
		char	   *copy;

		if (hash_get_num_entries(table) >= COUNTED_TEXTS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("column \"%s\" has more than %d different values", l->t->encoding->columns[place].name, COUNTED_TEXTS),
					 errhint("Name it in the option \"key\" if it identifies rows, or leave it out of the query.")));
		copy = MemoryContextAlloc(l->context, cell->size + 1);
		memcpy(copy, cell->text, cell->size);
		copy[cell->size] = '\0';
		key.bytes = copy;
		c = hash_search(table, &key, HASH_ENTER, &found);
		c->rows = 0;
		c->labels = 0;
	}
	c->rows++;
	c->labels += label;
}

static void
extend(scoring_range *range, double number)
{
	range->least = fmin(range->least, number);
	range->most = fmax(range->most, number);
	range->whole &= number == floor(number);
	range->single &= (float) number == number;
}

/* Has the row what the algorithm cannot do without? */
static bool
is_whole(const look *l, TupleTableSlot *slot)
{
	if (l->duration >= 0 && slot->tts_isnull[l->duration])
		return false;
	for (int i = 0; i < l->t->algorithm->required; i++)
		if (slot->tts_isnull[l->readers[i].attribute])
			return false;
	return true;
}

static void
look_at_row(TupleTableSlot *slot, void *arg)
{
	look	   *l = arg;
	scoring_training *t = l->t;
	scoring_encoding *encoding = t->encoding;
	MemoryContext before = MemoryContextSwitchTo(l->row);
	scoring_cell *label = &l->cells[encoding->count];

	if (++l->looked % CRM_PROGRESS_ROWS == 0)
		crm_progress_add("rows", CRM_PROGRESS_ROWS);
	slot_getallattrs(slot);
	memset(label, 0, sizeof(*label));
	if (t->label != NULL)
		scoring_read_cell(&l->label, t->label, l->label_kind, slot->tts_values[l->label.attribute], slot->tts_isnull[l->label.attribute], label);
	if ((label->missing && t->algorithm->roles == NULL) || !is_whole(l, slot))
		t->unlabeled++;
	else
	{
		for (int i = 0; i < encoding->count; i++)
		{
			int			place = l->readers[i].attribute;

			scoring_read_cell(&l->readers[i], encoding->columns[i].name, encoding->columns[i].kind, slot->tts_values[place],
							  slot->tts_isnull[place], &l->cells[i]);
		}
		for (int i = 0; t->split != NULL && i < t->split->count; i++)
		{
			int			place = l->split_readers[i].attribute;

			scoring_read_cell(&l->split_readers[i], t->split->names[i], t->split->kinds[i], slot->tts_values[place],
							  slot->tts_isnull[place], &l->split_cells[i]);
		}
		/* a sum: the order of rows does not matter, and equal rows do not cancel */
		l->fingerprint += scoring_hash_cells(l->cells, encoding->count + 1, 0);
		if (t->split != NULL && scoring_split_holds(t->split, l->split_cells))
			t->held++;
		else if (t->split != NULL && !scoring_split_takes(t->split, l->split_cells))
			t->left_out++;
		else
		{
			t->rows++;
			for (int i = 0; i < encoding->count; i++)
			{
				if (l->cells[i].missing)
					l->missing[i]++;
				else if (encoding->columns[i].kind == SCORING_COLUMN_TEXT)
					count_text(l, i, &l->cells[i], label->number);
				else
				{
					l->sums[i] += l->cells[i].number;
					extend(&t->ranges[i], l->cells[i].number);
				}
			}
		}
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(l->row);
}

/* ---- encodings from counts ------------------------------------------------------------ */

static int
by_rows(const void *a, const void *b)
{
	const category *x = *(category *const *) a;
	const category *y = *(category *const *) b;

	return x->rows != y->rows ? (x->rows > y->rows ? -1 : 1) : strcmp(x->key.bytes, y->key.bytes);
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp((*(category *const *) a)->key.bytes, (*(category *const *) b)->key.bytes);
}

/* By the mean of the label, so that a code that is larger means something. */
static int
by_label(const void *a, const void *b)
{
	const category *x = *(category *const *) a;
	const category *y = *(category *const *) b;
	double		mean_x = x->labels / x->rows;
	double		mean_y = y->labels / y->rows;

	return mean_x != mean_y ? (mean_x < mean_y ? -1 : 1) : strcmp(x->key.bytes, y->key.bytes);
}

static void
encode_texts(scoring_training *t, int place, HTAB *table)
{
	scoring_column *column = &t->encoding->columns[place];
	int			count = (int) hash_get_num_entries(table);
	category  **all = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(category *) * ((Size) count + 1));
	int			most = t->options.max_categories > 0 ? t->options.max_categories : t->encoding->spread ? SPREAD_CATEGORIES : CODED_CATEGORIES;
	HASH_SEQ_STATUS seq;
	category   *c;
	category   *base = NULL;
	int			n = 0;

	hash_seq_init(&seq, table);
	while ((c = hash_seq_search(&seq)) != NULL)
		all[n++] = c;
	qsort(all, count, sizeof(category *), by_rows);
	if (count > 0 && t->encoding->spread)
		base = all[0];
	column->other = count > most;
	column->count = Min(count, most);
	t->grouped[place] = count - column->count;
	column->values = palloc(sizeof(char *) * Max(column->count, 1));
	column->codes = palloc(sizeof(int) * Max(column->count, 1));
	column->base = -1;
	qsort(all, column->count, sizeof(category *), by_label);
	for (int i = 0; i < column->count; i++)
		all[i]->rows = i;		/* from here on the code */
	qsort(all, column->count, sizeof(category *), by_bytes);
	for (int i = 0; i < column->count; i++)
	{
		column->values[i] = pstrdup(all[i]->key.bytes);
		column->codes[i] = (int) all[i]->rows;
		if (all[i] == base)
			column->base = i;
	}
	pfree(all);
}

static void
make_encoding(scoring_training *t, look *l)
{
	for (int i = 0; i < t->encoding->count; i++)
	{
		scoring_column *column = &t->encoding->columns[i];

		column->missing = l->missing[i] > 0;
		if (column->kind == SCORING_COLUMN_TEXT)
			encode_texts(t, i, l->categories[i]);
		else if (l->missing[i] < t->rows)
		{
			column->mean = l->sums[i] / (double) (t->rows - l->missing[i]);
			if (!isfinite(column->mean))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("values of column \"%s\" are too large to be summed up", column->name)));
		}
	}
	scoring_encoding_finish(t->encoding);
	t->encoding_json = scoring_encoding_write(t->encoding);
}

void
scoring_look(scoring_training *t)
{
	scoring_encoding *encoding = t->encoding;
	look		l = {.t = t};

	l.context = AllocSetContextCreate(CurrentMemoryContext, "crm categories", ALLOCSET_DEFAULT_SIZES);
	l.row = AllocSetContextCreate(CurrentMemoryContext, "crm row of a training", ALLOCSET_SMALL_SIZES);
	l.label_kind = t->algorithm->classes ? SCORING_COLUMN_BOOLEAN : SCORING_COLUMN_NUMBER;
	if (t->label != NULL)
		scoring_open_reader(&l.label, t->desc, t->label, l.label_kind);
	l.duration = t->options.duration != NULL ? scoring_find_attribute(t->desc, t->options.duration) : -1;
	l.readers = palloc(sizeof(scoring_reader) * (encoding->count + 1));
	l.cells = palloc(sizeof(scoring_cell) * (encoding->count + 1));
	l.categories = palloc0(sizeof(HTAB *) * (encoding->count + 1));
	l.missing = palloc0(sizeof(int64) * (encoding->count + 1));
	l.sums = palloc0(sizeof(double) * (encoding->count + 1));
	t->ranges = palloc(sizeof(scoring_range) * (encoding->count + 1));
	for (int i = 0; i < encoding->count; i++)
		t->ranges[i] = (scoring_range) {INFINITY, -INFINITY, true, true};
	for (int i = 0; i < encoding->count; i++)
	{
		scoring_open_reader(&l.readers[i], t->desc, encoding->columns[i].name, encoding->columns[i].kind);
		if (encoding->columns[i].kind == SCORING_COLUMN_TEXT)
			l.categories[i] = make_table(l.context);
	}
	if (t->split != NULL)
	{
		l.split_readers = palloc(sizeof(scoring_reader) * t->split->count);
		l.split_cells = palloc(sizeof(scoring_cell) * t->split->count);
		for (int i = 0; i < t->split->count; i++)
			scoring_open_reader(&l.split_readers[i], t->desc, t->split->names[i], t->split->kinds[i]);
	}
	scoring_keep_query(t);
	scoring_cut_split(t);
	crm_progress_phase("looking at rows", "rows", (int64) crm_select_rows(t->plan));
	crm_select_run(t->plan, NULL, look_at_row, &l);
	snprintf(t->fingerprint, sizeof(t->fingerprint), "%016llx", (unsigned long long) l.fingerprint);
	if (t->rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of a model has no rows to train on"),
				 errdetail("Rows held back: " INT64_FORMAT ", without label: " INT64_FORMAT ".", t->held, t->unlabeled)));
	make_encoding(t, &l);
	scoring_require_memory(t, (double) t->rows, false);
	MemoryContextDelete(l.row);
	MemoryContextDelete(l.context);
}
