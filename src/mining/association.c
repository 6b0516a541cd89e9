/*
 * association.c - the aggregates association_rules, association_rule_table and
 * frequent_itemsets, and the measures of a rule.
 */
#include "mining/basket_state.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "common/progress.h"
#include "common/result_rows.h"
#include "common/settings.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "kernel/itemsets.h"
#include "kernel/significance.h"
#include "kernel/sort.h"
#include "scoring/scoring.h"
#include "utils/array.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

CRM_FUNCTION(crm_association_rules_transfn);
CRM_FUNCTION(crm_association_rules_named_transfn);
CRM_FUNCTION(crm_association_rules_number_transfn);
CRM_FUNCTION(crm_association_rules_named_number_transfn);
CRM_FUNCTION(crm_association_rules_combinefn);
CRM_FUNCTION(crm_association_rules_finalfn);
CRM_FUNCTION(crm_association_rule_table_finalfn);
CRM_FUNCTION(crm_frequent_itemsets_transfn);
CRM_FUNCTION(crm_frequent_itemsets_named_transfn);
CRM_FUNCTION(crm_frequent_itemsets_number_transfn);
CRM_FUNCTION(crm_frequent_itemsets_named_number_transfn);
CRM_FUNCTION(crm_frequent_itemsets_combinefn);
CRM_FUNCTION(crm_frequent_itemsets_finalfn);
CRM_FUNCTION(crm_rule_measures);

#define DEFAULT_MAX_ITEMS 10
#define SUPPORT_HINT "0.01 is one basket in a hundred; a number of baskets is given by the option \"min_baskets\"."
#define CONFIDENCE_HINT "0.5 is every second basket that has the antecedent."

/* Whole numbers only behind the first: no padding, so that two are compared as bytes. */
typedef struct rule_constants
{
	double		min_support;
	double		min_confidence;
	double		min_lift;
	int64		min_baskets;
	int64		min_items;
	int64		max_items;
	int64		redundant;
} rule_constants;

typedef struct rule_options
{
	double		min_lift;
	int64		min_baskets;
	int64		min_items;
	int64		max_items;
	bool		redundant;
} rule_options;

static const scoring_option rule_option_list[] = {
	{"max_items", SCORING_WHOLE, offsetof(rule_options, max_items), 2, CRM_ITEMSET_MAX_ITEMS},
	{"min_items", SCORING_WHOLE, offsetof(rule_options, min_items), 2, CRM_ITEMSET_MAX_ITEMS},
	{"min_baskets", SCORING_WHOLE, offsetof(rule_options, min_baskets), 1, PG_UINT32_MAX},
	{"min_lift", SCORING_NUMBER, offsetof(rule_options, min_lift), 0, INFINITY},
	{"redundant", SCORING_BOOLEAN, offsetof(rule_options, redundant)},
	{NULL}
};

static const scoring_option itemset_option_list[] = {
	{"max_items", SCORING_WHOLE, offsetof(rule_options, max_items), 1, CRM_ITEMSET_MAX_ITEMS},
	{"min_items", SCORING_WHOLE, offsetof(rule_options, min_items), 1, CRM_ITEMSET_MAX_ITEMS},
	{"min_baskets", SCORING_WHOLE, offsetof(rule_options, min_baskets), 1, PG_UINT32_MAX},
	{NULL}
};

static const rule_options default_rule_options = {0, 1, 2, DEFAULT_MAX_ITEMS, true};
static const rule_options default_itemset_options = {0, 1, 1, DEFAULT_MAX_ITEMS, true};

static bool
constants_are_valid(const void *bytes)
{
	rule_constants c;

	memcpy(&c, bytes, sizeof(c));
	return c.min_support >= 0 && c.min_support <= 1 && c.min_confidence >= 0 && c.min_confidence <= 1 && c.min_lift >= 0 &&
		c.min_baskets >= 1 && c.min_baskets <= PG_UINT32_MAX && c.min_items >= 1 && c.min_items <= CRM_ITEMSET_MAX_ITEMS &&
		c.max_items >= 1 && c.max_items <= CRM_ITEMSET_MAX_ITEMS && (c.redundant == 0 || c.redundant == 1);
}

static const basket_use rules_use = {
	.number = 1,
	.function = "association_rules",
	.constants_size = sizeof(rule_constants),
	.constants_are_valid = constants_are_valid
};

static const basket_use itemsets_use = {
	.number = 2,
	.function = "frequent_itemsets",
	.constants_size = sizeof(rule_constants),
	.constants_are_valid = constants_are_valid
};

/* ---- transition ------------------------------------------------------------ */

static double
share_argument(FunctionCallInfo fcinfo, int argument, const char *name, const char *hint)
{
	double		share;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	share = scoring_number(PG_GETARG_FLOAT8(argument), name);
	if (share < 0 || share > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a share from 0 to 1: %g", name, share),
				 errhint("%s", hint)));
	return share;
}

static void
set_options(FunctionCallInfo fcinfo, int argument, const scoring_option *list, const char *function, const rule_options *defaults,
			rule_constants *c)
{
	const rule_options *options = defaults;

	if (PG_NARGS() > argument)
		options = scoring_options_of(fcinfo, argument, list, function, defaults, sizeof(rule_options));
	c->min_lift = options->min_lift;
	c->min_baskets = options->min_baskets;
	c->min_items = options->min_items;
	c->max_items = options->max_items;
	c->redundant = options->redundant;
}

/* association_rules_transfn(state, min_support, min_confidence, basket, item [, options]) */
static Datum
add_to_rules(FunctionCallInfo fcinfo, bool named, bool numbered)
{
	rule_constants c = {share_argument(fcinfo, 1, "min_support", SUPPORT_HINT), share_argument(fcinfo, 2, "min_confidence", CONFIDENCE_HINT)};

	set_options(fcinfo, 5, rule_option_list, rules_use.function, &default_rule_options, &c);
	return basket_state_add(fcinfo, &rules_use, &c, named, numbered, 3, 1);
}

Datum
crm_association_rules_transfn(PG_FUNCTION_ARGS)
{
	return add_to_rules(fcinfo, false, false);
}

Datum
crm_association_rules_named_transfn(PG_FUNCTION_ARGS)
{
	return add_to_rules(fcinfo, true, false);
}

Datum
crm_association_rules_number_transfn(PG_FUNCTION_ARGS)
{
	return add_to_rules(fcinfo, false, true);
}

Datum
crm_association_rules_named_number_transfn(PG_FUNCTION_ARGS)
{
	return add_to_rules(fcinfo, true, true);
}

Datum
crm_association_rules_combinefn(PG_FUNCTION_ARGS)
{
	return basket_state_combine(fcinfo, &rules_use);
}

/* frequent_itemsets_transfn(state, min_support, basket, item [, options]) */
static Datum
add_to_itemsets(FunctionCallInfo fcinfo, bool named, bool numbered)
{
	rule_constants c = {share_argument(fcinfo, 1, "min_support", SUPPORT_HINT)};

	set_options(fcinfo, 4, itemset_option_list, itemsets_use.function, &default_itemset_options, &c);
	return basket_state_add(fcinfo, &itemsets_use, &c, named, numbered, 2, 1);
}

Datum
crm_frequent_itemsets_transfn(PG_FUNCTION_ARGS)
{
	return add_to_itemsets(fcinfo, false, false);
}

Datum
crm_frequent_itemsets_named_transfn(PG_FUNCTION_ARGS)
{
	return add_to_itemsets(fcinfo, true, false);
}

Datum
crm_frequent_itemsets_number_transfn(PG_FUNCTION_ARGS)
{
	return add_to_itemsets(fcinfo, false, true);
}

Datum
crm_frequent_itemsets_named_number_transfn(PG_FUNCTION_ARGS)
{
	return add_to_itemsets(fcinfo, true, true);
}

Datum
crm_frequent_itemsets_combinefn(PG_FUNCTION_ARGS)
{
	return basket_state_combine(fcinfo, &itemsets_use);
}

/* ---- final ------------------------------------------------------------------- */

/* What a final function works with. */
typedef struct mining
{
	const basket_state *state;
	rule_constants constants;
	crm_env		env;
	crm_basket_index index;
	crm_itemsets found;
	MemoryContext context;		/* of the final function */
	Datum	   *items;			/* texts, by the index's number; made when asked for */
} mining;

static void
check_memory(const mining *m, crm_status status)
{
	if (status == CRM_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("itemsets of %s need more than crm_analytics.training_memory", m->state->use->function),
				 errdetail("%u itemsets of %u baskets were found so far; the setting allows %d kB.", m->found.count, m->index.basket_count,
						   crm_training_memory),
				 errhint("Ask for a greater min_support, set \"max_items\" in the options, or raise crm_analytics.training_memory.")));
	basket_state_check(m->state, status);
}

/* Raises 54000 when the rows can no longer become one value. */
static void
check_result(const mining *m, const crm_result_rows *result)
{
	if (result->bytes + (Size) result->count * 8 > MaxAllocSize - 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("result of %s is too large", m->state->use->function),
				 errdetail("More than %d rows take more than %zu bytes.", result->count, (Size) MaxAllocSize),
				 errhint("Ask for a greater min_support or min_confidence, or set \"max_items\", \"min_lift\" or \"redundant\": false in the options.")));
}

static void
mine(mining *m, const basket_state *state)
{
	memset(m, 0, sizeof(*m));
	m->state = state;
	memcpy(&m->constants, state->constants, sizeof(m->constants));
	m->context = CurrentMemoryContext;
	m->env = crm_progress_env(m->context);
	crm_progress_begin(state->use->function, NULL);
	crm_progress_phase("putting baskets together", "rows", 0);
	m->index = basket_state_index(state, false);
	m->items = palloc0(sizeof(Datum) * Max(m->index.item_count, 1));
	crm_progress_phase("finding itemsets", "items", m->index.item_count);
	check_memory(m, crm_itemsets_mine(&m->env, &m->index,
									  crm_itemsets_least(m->index.basket_count, m->constants.min_support, (uint64) m->constants.min_baskets),
									  (uint32) m->constants.max_items, basket_state_spare(state), &m->found));
	crm_progress_end();
}

static Datum
item_datum(mining *m, uint32 place)
{
	uint32		item = m->found.items[place];
	MemoryContext old;

	if (m->items[item] == (Datum) 0)
	{
		old = MemoryContextSwitchTo(m->context);
		m->items[item] = PointerGetDatum(cstring_to_text_with_len(m->index.items[item]->text, (int) m->index.items[item]->length));
		MemoryContextSwitchTo(old);
	}
	return m->items[item];
}

/* The items of a set but for one, in the order of their bytes. */
static Datum
items_datum(mining *m, uint32 set, uint32 without)
{
	uint32		places[CRM_ITEMSET_MAX_ITEMS];
	uint32		count = crm_itemset_items(&m->found, set, places);
	uint32		kept = 0;
	Datum		items[CRM_ITEMSET_MAX_ITEMS];

	for (uint32 i = 0; i < count; i++)
	{
		uint32		place = places[i];
		uint32		k = kept;

		if (place == without)
			continue;
		for (; k > 0 && m->found.items[places[k - 1]] > m->found.items[place]; k--)
			places[k] = places[k - 1];
		places[k] = place;
		kept++;
	}
	for (uint32 i = 0; i < kept; i++)
		items[i] = item_datum(m, places[i]);
	return PointerGetDatum(construct_array(items, (int) kept, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
number_or_null(double number, bool *null)
{
	*null = isnan(number);
	return Float8GetDatum(number);
}

#define RULE_COLUMNS 7

/* The rules, each with its measures where asked for; no rows: none. */
static Datum
rule_rows(FunctionCallInfo fcinfo, bool with_measures)
{
	const basket_state *state = basket_state_final(fcinfo, &rules_use);
	mining		m;
	crm_rule_limits limits;
	crm_rule   *rules = NULL;
	size_t		count = 0;
	crm_result_rows result;
	MemoryContext old;
	MemoryContext row_context;

	if (state != NULL)
	{
		mine(&m, state);
		limits = (crm_rule_limits) {m.constants.min_confidence, m.constants.min_lift, (uint32) m.constants.min_items, with_measures, m.constants.redundant};
		check_memory(&m, crm_itemsets_rules(&m.env, &m.found, &limits, &rules, &count));
	}
	result = crm_result_rows_begin(fcinfo, count);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "crm rule", ALLOCSET_DEFAULT_SIZES);
	for (size_t i = 0; i < count; i++)
	{
		uint32		both = m.found.sets[rules[i].set].baskets;
		crm_rule_counts counts = {rules[i].antecedent_baskets, m.found.sets[rules[i].consequent].baskets, both, m.found.baskets};
		double		measures[CRM_RULE_MEASURES];
		Datum		values[RULE_COLUMNS + 1 + CRM_RULE_MEASURES];
		bool		nulls[RULE_COLUMNS + 1 + CRM_RULE_MEASURES] = {false};

		CHECK_FOR_INTERRUPTS();
		values[1] = item_datum(&m, rules[i].consequent);
		old = MemoryContextSwitchTo(row_context);
		values[0] = items_datum(&m, rules[i].set, rules[i].consequent);
		MemoryContextSwitchTo(old);
		values[2] = Float8GetDatum(counts.both / counts.all);
		values[3] = Float8GetDatum(crm_rule_confidence(&counts));
		values[4] = Float8GetDatum(crm_rule_lift(&counts));
		values[5] = Float8GetDatum(crm_rule_conviction(&counts));
		values[6] = Int64GetDatum((int64) both);
		if (with_measures)
		{
			check_memory(&m, crm_rule_measure_all(&m.env, &counts, measures));
			values[RULE_COLUMNS] = BoolGetDatum(rules[i].redundant);
			for (int k = 0; k < CRM_RULE_MEASURES; k++)
				values[RULE_COLUMNS + 1 + k] = number_or_null(measures[k], &nulls[RULE_COLUMNS + 1 + k]);
		}
		crm_result_rows_add(&result, values, nulls);
		MemoryContextReset(row_context);
		check_result(&m, &result);
	}
	return crm_result_rows_end(&result);
}

Datum
crm_association_rules_finalfn(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(rule_rows(fcinfo, false));
}

Datum
crm_association_rule_table_finalfn(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(rule_rows(fcinfo, true));
}

/* A set, and where it is from: sorting by pointers knows nothing else. */
typedef struct listed_set
{
	const crm_itemsets *found;
	uint32		set;
} listed_set;

/* The items as the index numbers them, ascending. */
static uint32
sorted_items(const listed_set *l, uint32 *items)
{
	uint32		places[CRM_ITEMSET_MAX_ITEMS];
	uint32		count = crm_itemset_items(l->found, l->set, places);

	for (uint32 i = 0; i < count; i++)
	{
		uint32		item = l->found->items[places[i]];
		uint32		k = i;

		for (; k > 0 && items[k - 1] > item; k--)
			items[k] = items[k - 1];
		items[k] = item;
	}
	return count;
}

/* The most frequent first, then the smaller, then by the items' bytes. */
static bool
set_before(const void *a, const void *b)
{
	const listed_set *x = a;
	const listed_set *y = b;
	uint32		baskets_x = x->found->sets[x->set].baskets;
	uint32		baskets_y = y->found->sets[y->set].baskets;
	uint32		items_x[CRM_ITEMSET_MAX_ITEMS];
	uint32		items_y[CRM_ITEMSET_MAX_ITEMS];
	uint32		count_x;
	uint32		count_y;

	if (baskets_x != baskets_y)
		return baskets_x > baskets_y;
	count_x = sorted_items(x, items_x);
	count_y = sorted_items(y, items_y);
	if (count_x != count_y)
		return count_x < count_y;
	for (uint32 i = 0; i < count_x; i++)
		if (items_x[i] != items_y[i])
			return items_x[i] < items_y[i];
	return false;
}

Datum
crm_frequent_itemsets_finalfn(PG_FUNCTION_ARGS)
{
	const basket_state *state = basket_state_final(fcinfo, &itemsets_use);
	mining		m;
	listed_set *sets;
	const void **order = NULL;
	uint32		count = 0;
	crm_result_rows result;

	if (state != NULL)
	{
		mine(&m, state);
		sets = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(listed_set) * Max((Size) m.found.count, 1));
		order = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(void *) * Max((Size) m.found.count, 1));
		for (uint32 set = 0; set < m.found.count; set++)
		{
			uint32		places[CRM_ITEMSET_MAX_ITEMS];

			if (crm_itemset_items(&m.found, set, places) < (uint32) m.constants.min_items)
				continue;
			sets[count] = (listed_set) {&m.found, set};
			order[count] = &sets[count];
			count++;
		}
		check_memory(&m, crm_sort_pointers(&m.env, order, count, set_before));
	}
	result = crm_result_rows_begin(fcinfo, count);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		set = ((const listed_set *) order[i])->set;
		uint32		baskets = m.found.sets[set].baskets;
		bool		nulls[3] = {false};
		Datum		values[3] = {items_datum(&m, set, PG_UINT32_MAX), Float8GetDatum((double) baskets / m.found.baskets), Int64GetDatum((int64) baskets)};

		CHECK_FOR_INTERRUPTS();
		crm_result_rows_add(&result, values, nulls);
		pfree(DatumGetPointer(values[0]));
		check_result(&m, &result);
	}
	PG_RETURN_DATUM(crm_result_rows_end(&result));
}

/* ---- measures of a rule --------------------------------------------------------- */

/* A column of a rule, which must be there. */
static double
rule_number(HeapTupleHeader rule, const char *column, bool whole)
{
	bool		null;
	Datum		value = GetAttributeByName(rule, column, &null);
	double		number = null ? get_float8_nan() : whole ? (double) DatumGetInt64(value) : DatumGetFloat8(value);

	if (!(number > 0) || isinf(number))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of an association rule must be a number above 0", column)));
	return number;
}

/* rule_measures(rule crm.association_rule) */
Datum
crm_rule_measures(PG_FUNCTION_ARGS)
{
	HeapTupleHeader rule = PG_GETARG_HEAPTUPLEHEADER(0);
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_rule_counts counts;
	double		measures[CRM_RULE_MEASURES];
	Datum		values[CRM_RULE_MEASURES];
	bool		nulls[CRM_RULE_MEASURES] = {false};
	TupleDesc	desc;

	/* The counts from which support, confidence and lift were made: whole numbers, so that rounding gives them back. */
	counts.both = rule_number(rule, "baskets", true);
	counts.all = rint(counts.both / rule_number(rule, "support", false));
	counts.antecedent = rint(counts.both / rule_number(rule, "confidence", false));
	counts.consequent = rint(counts.both / counts.antecedent / rule_number(rule, "lift", false) * counts.all);
	if (counts.all > (double) CRM_FISHER_MAX_TOTAL || counts.antecedent < counts.both || counts.consequent < counts.both ||
		counts.antecedent + counts.consequent - counts.both > counts.all)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("support, confidence, lift and baskets of an association rule contradict each other"),
				 errdetail("By them %.0f of %.0f baskets have the antecedent, %.0f the consequent and %.0f both.", counts.antecedent, counts.all,
						   counts.consequent, counts.both)));
	crm_check(crm_rule_measure_all(&env, &counts, measures), "crm.association_rule", false);
	for (int k = 0; k < CRM_RULE_MEASURES; k++)
		values[k] = number_or_null(measures[k], &nulls[k]);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "rule_measures must return a composite type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
