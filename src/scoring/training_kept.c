/*
 * training_kept.c - rows of a query that are read once, however many statements of
 * a training ask for them.
 *
 * A query may be dear, and what is volatile in it gives other rows each time: a model
 * must not be measured by rows other than those that were counted.  So it runs once,
 * and its rows are kept, up to work_mem in memory and then in a temporary file, under
 * a name that statements of this level of SPI know, and no others.  These cannot be read
 * by parallel workers: a mere scan of relations is run again, in the same snapshot.
 */
#include "scoring/training.h"

#include "common/progress.h"
#include "common/query.h"
#include "miscadmin.h"
#include "utils/queryenvironment.h"
#include "utils/tuplestore.h"

struct scoring_kept
{
	char	   *name;
	Tuplestorestate *rows;
	int64		count;
};

static void
keep_row(TupleTableSlot *slot, void *arg)
{
	scoring_kept *kept = arg;

	if (++kept->count % CRM_PROGRESS_ROWS == 0)
		crm_progress_add("rows", CRM_PROGRESS_ROWS);
	tuplestore_puttupleslot(kept->rows, slot);
}

static SPIPlanPtr
prepare(const char *query)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/* From here on the query reads what is kept under a name. */
static scoring_kept *
keep_rows(const char *name, char **query, SPIPlanPtr *plan, TupleDesc desc)
{
	scoring_kept *kept = palloc0(sizeof(scoring_kept));
	EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));
	int			result;

	kept->name = pstrdup(name);
	/* it is read more than once */
	kept->rows = tuplestore_begin_heap(true, false, work_mem);
	crm_progress_phase("reading rows", "rows", (int64) crm_select_rows(*plan));
	crm_select_run(*plan, NULL, keep_row, kept);
	relation->md.name = kept->name;
	relation->md.tupdesc = CreateTupleDescCopy(desc);
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = (double) kept->count;
	relation->reldata = kept->rows;
	result = SPI_register_relation(relation);
	if (result != SPI_OK_REL_REGISTER)
		elog(ERROR, "SPI_register_relation failed: %s", SPI_result_code_string(result));
	*query = psprintf("SELECT * FROM %s", quote_identifier(name));
	*plan = prepare(*query);
	return kept;
}

void
scoring_drop_rows(scoring_kept **kept)
{
	if (*kept == NULL)
		return;
	(void) SPI_unregister_relation((*kept)->name);
	tuplestore_end((*kept)->rows);
	*kept = NULL;
}

SPIPlanPtr
scoring_prepare(char **query, const char *example, const scoring_encoding *known, TupleDesc *desc, scoring_kept **objects)
{
	SPIPlanPtr	plan = prepare(*query);

	*desc = crm_select_columns(plan, "a model", example);
	if (!scoring_has_objects(*desc))
		return plan;
	/* which members there are tells a model that is known, else all rows, and they have to be the same ones later */
	if (known == NULL)
		*objects = keep_rows("crm training objects", query, &plan, *desc);
	*query = scoring_without_objects(*query, *desc, known);
	plan = prepare(*query);
	*desc = crm_select_columns(plan, "a model", example);
	return plan;
}

void
scoring_keep_query(scoring_training *t)
{
	if (t->objects == NULL && t->kept == NULL && !t->repeats)
		t->repeats = crm_select_repeats(t->plan);
	if (t->kept != NULL || t->repeats)
		return;
	t->kept = keep_rows("crm training rows", &t->query, &t->plan, t->desc);
	scoring_drop_rows(&t->objects);
}

void
scoring_close_query(scoring_training *t)
{
	scoring_drop_rows(&t->objects);
	scoring_drop_rows(&t->kept);
}
