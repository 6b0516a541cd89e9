/*
 * explain_change.c - the smallest change of one column that gives another result.
 *
 * Between two neighbouring constants that a column is compared with, no
 * comparison of it can change.  So the column's values fall into cells: each
 * constant, what lies between, and NULL.  One value of each is tried, and what
 * holds for it holds for its cell.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "tag/explain.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Cells times conditions that are tried at most, for one column. */
#define MAX_TRIALS 20000000.0

typedef struct cell
{
	Datum		value;			/* the constant, or some value of the gap */
	bool		gap;
	int			outcome;
	int			differing;
} cell;

typedef struct search
{
	crm_explanation *e;
	AttrNumber	attribute;
	crm_line	line;
	Datum	   *points;
	int			point_count;
	cell	   *cells;
	int			cell_count;
	Datum		now;			/* the column's value */
	bool		now_null;
	List	   *changes;
	bool		unsure;
} search;

int
crm_explain_class(const crm_explanation *e, int outcome)
{
	return e->rule->type == BOOLOID && outcome == CRM_REASON_FALSE ? CRM_REASON_NULL : outcome;
}

static int
compare_points(const void *a, const void *b, void *arg)
{
	return crm_line_compare(arg, *(const Datum *) a, *(const Datum *) b);
}

static void
add_point(search *s, Datum value, int *room)
{
	if (s->point_count == *room)
	{
		*room *= 2;
		s->points = repalloc(s->points, sizeof(Datum) * *room);
	}
	s->points[s->point_count++] = value;
}

/* The constants that the column is compared with, in its own type, in order, each once; its own value among them. */
static void
gather_points(search *s)
{
	int			room = 16;
	int			kept = 0;
	ListCell   *leaf_cell,
			   *cell;

	s->points = palloc(sizeof(Datum) * room);
	foreach(leaf_cell, s->e->leaves)
	{
		const crm_leaf *leaf = lfirst(leaf_cell);

		if (leaf->kind != CRM_LEAF_COMPARISON || leaf->attribute != s->attribute)
			continue;
		foreach(cell, leaf->constants)
		{
			const Const *constant = lfirst(cell);
			Datum		value,
						next;
			bool		inexact;

			if (!crm_line_place(&s->line, getBaseType(constant->consttype), constant->constvalue, &value, &inexact))
				elog(ERROR, "a constant has lost its place");
			if (!crm_line_holds(&s->line, value))
				continue;
			add_point(s, value, &room);
			for (int direction = -1; inexact && direction <= 1; direction += 2)
				if (crm_line_step(&s->line, value, direction, &next))
					add_point(s, next, &room);
		}
	}
	if (s->line.kind == CRM_LINE_BOOL)
	{
		s->point_count = 0;
		add_point(s, BoolGetDatum(false), &room);
		add_point(s, BoolGetDatum(true), &room);
	}
	if (!s->now_null && crm_line_ordered(&s->line))
		add_point(s, s->now, &room);
	qsort_arg(s->points, s->point_count, sizeof(Datum), compare_points, &s->line);
	for (int i = 0; i < s->point_count; i++)
		if (i == 0 || crm_line_compare(&s->line, s->points[kept - 1], s->points[i]) != 0)
			s->points[kept++] = s->points[i];
	s->point_count = kept;
}

static void
add_cell(search *s, Datum value, bool gap)
{
	s->cells[s->cell_count++] = (cell) {.value = value,.gap = gap};
}

/* A text that is none of the points. */
static Datum
other_text(const search *s)
{
	StringInfoData text;

	initStringInfo(&text);
	for (;;)
	{
		Datum		value;
		int			i;

		appendStringInfoChar(&text, '~');
		value = CStringGetTextDatum(text.data);
		for (i = 0; i < s->point_count; i++)
			if (crm_line_compare(&s->line, s->points[i], value) == 0)
				break;
		if (i == s->point_count)
			return value;
	}
}

static void
make_cells(search *s)
{
	Datum		value;

	s->cells = palloc(sizeof(cell) * (2 * s->point_count + 2));
	if (!crm_line_ordered(&s->line))
	{
		for (int i = 0; i < s->point_count; i++)
			add_cell(s, s->points[i], false);
		if (s->line.kind == CRM_LINE_TEXT)
			add_cell(s, other_text(s), true);
		else if (s->line.kind == CRM_LINE_NONE && !s->now_null)
			add_cell(s, s->now, true);
		return;
	}
	if (s->point_count == 0)
	{
		/* Only NULL tests name it: any value will do. */
		add_cell(s, crm_line_origin(&s->line), true);
		return;
	}
	if (crm_line_beyond(&s->line, s->points[0], -1, &value))
		add_cell(s, value, true);
	for (int i = 0; i < s->point_count; i++)
	{
		add_cell(s, s->points[i], false);
		if (i + 1 < s->point_count ? crm_line_between(&s->line, s->points[i], s->points[i + 1], &value) :
			crm_line_beyond(&s->line, s->points[i], 1, &value))
			add_cell(s, value, true);
	}
}

/* ---- words -------------------------------------------------------------------------- */

char *
crm_explain_bound(const crm_explanation *e, bool above, bool included, const char *limit)
{
	if (included)
		return psprintf(above ? CRM_SAY(e, "at least %s", "至少%s") : CRM_SAY(e, "at most %s", "至多%s"), limit);
	return psprintf(above ? CRM_SAY(e, "more than %s", "大于%s") : CRM_SAY(e, "less than %s", "小于%s"), limit);
}

/* Where a run of cells ends, below (direction -1) or above, in words; NULL for an open end. */
static char *
describe_end(const search *s, int at, int direction, Datum *limit, bool *closed)
{
	const cell *end = &s->cells[at];
	int			beyond = at + direction;

	*closed = false;
	if (beyond < 0 || beyond >= s->cell_count)
		return NULL;
	*closed = true;
	*limit = end->value;
	if (end->gap)
	{
		/* The cell beside a gap is a point; behind the last number comes NaN, behind the last day infinity. */
		Datum		point = s->cells[beyond].value;

		if (crm_line_stepped(&s->line))
			*limit = crm_line_step(&s->line, point, -direction, limit) ? *limit : end->value;
		else
		{
			*limit = point;
			*closed = false;
			return crm_explain_bound(s->e, direction < 0, false, crm_line_show(&s->line, point));
		}
	}
	return crm_explain_bound(s->e, direction < 0, true, crm_line_show(&s->line, *limit));
}

static char *
any_value(const search *s)
{
	return pstrdup(CRM_SAY(s->e, "any value", "任意值"));
}

static char *
describe_run(const search *s, int first, int last, bool from_above)
{
	Datum		low,
				high;
	bool		low_closed,
				high_closed;
	char	   *from = describe_end(s, first, -1, &low, &low_closed);
	char	   *to = describe_end(s, last, 1, &high, &high_closed);

	if (from != NULL && to != NULL)
	{
		if (low_closed && high_closed && crm_line_compare(&s->line, low, high) == 0)
			return crm_line_show(&s->line, low);
		return psprintf(CRM_SAY(s->e, "%s and %s", "%s且%s"), from_above ? to : from, from_above ? from : to);
	}
	/* A single point at the end of the type's values. */
	if (first == last && !s->cells[first].gap)
		return crm_line_show(&s->line, s->cells[first].value);
	return from != NULL ? from : to != NULL ? to : any_value(s);
}

/* "anything but 'a', 'b'": the values that do not give this result. */
static char *
describe_others(const search *s, int class)
{
	StringInfoData text;
	int			excluded = 0;

	initStringInfo(&text);
	for (int i = 0; i < s->cell_count; i++)
		if (!s->cells[i].gap && crm_explain_class(s->e, s->cells[i].outcome) != class)
			appendStringInfo(&text, "%s%s", excluded++ == 0 ? CRM_SAY(s->e, "any value but ", "任意值，除了") : CRM_SAY(s->e, ", ", "、"),
							 crm_line_show(&s->line, s->cells[i].value));
	return excluded == 0 ? any_value(s) : text.data;
}

static char *
describe_now(const search *s)
{
	if (s->now_null)
		return "NULL";
	return s->line.kind == CRM_LINE_NONE ? s->e->shown[s->attribute - 1] : crm_line_show(&s->line, s->now);
}

/* ---- the search ------------------------------------------------------------------------- */

static crm_change *
find_change(const search *s, int class)
{
	ListCell   *cell;

	foreach(cell, s->changes)
		if (((crm_change *) lfirst(cell))->outcome == class)
			return lfirst(cell);
	return NULL;
}

static crm_change *
add_change(search *s, int class, int differing, double proportion, const char *to)
{
	crm_change *change = palloc0(sizeof(crm_change));

	change->attribute = s->attribute;
	change->outcome = class;
	change->differing = differing;
	change->proportion = proportion;
	change->text = psprintf(CRM_SAY(s->e, "from %s to %s", "从%s变为%s"), describe_now(s), to);
	s->changes = lappend(s->changes, change);
	return change;
}

/* How far the nearest value of a cell is. */
static double
distance_to(const search *s, int at, int direction)
{
	const cell *c = &s->cells[at];
	Datum		edge = c->value;

	/* A gap begins behind the point before it. */
	if (c->gap)
	{
		edge = s->cells[at - direction].value;
		if (crm_line_stepped(&s->line) && !crm_line_step(&s->line, edge, direction, &edge))
			edge = c->value;
	}
	return crm_line_distance(&s->line, edge, s->now);
}

static int
run_end(const search *s, int at, int direction)
{
	int			class = crm_explain_class(s->e, s->cells[at].outcome);

	while (at + direction >= 0 && at + direction < s->cell_count &&
		   crm_explain_class(s->e, s->cells[at + direction].outcome) == class)
		at += direction;
	return at;
}

/* From the value outwards, in both directions: the first cell of every other result. */
static void
search_outwards(search *s, int here, int class_now)
{
	for (int direction = 1; direction >= -1; direction -= 2)
	{
		List	   *met = NIL;

		for (int i = here + direction; i >= 0 && i < s->cell_count; i += direction)
		{
			int			class = crm_explain_class(s->e, s->cells[i].outcome);
			crm_change *change;
			double		distance;
			int			end;
			char	   *run;

			if (class == CRM_REASON_OPEN)
			{
				s->unsure = true;
				break;
			}
			if (class == class_now || list_member_int(met, class))
				continue;
			met = lappend_int(met, class);
			distance = distance_to(s, i, direction);
			end = run_end(s, i, direction);
			run = direction > 0 ? describe_run(s, i, end, false) : describe_run(s, end, i, true);
			change = find_change(s, class);
			if (change != NULL)
			{
				/* Up was there first, and stays where both are as near. */
				if (distance >= change->proportion)
					continue;
				s->changes = list_delete_ptr(s->changes, change);
			}
			/* The distance, until both directions are known. */
			add_change(s, class, s->cells[i].differing, distance, run);
		}
	}
}

static void
search_values(search *s, int class_now)
{
	for (int i = 0; i < s->cell_count; i++)
	{
		int			class = crm_explain_class(s->e, s->cells[i].outcome);
		crm_change *change;
		char	   *to;

		if (class == CRM_REASON_OPEN)
			s->unsure = true;
		if (class == CRM_REASON_OPEN || class == class_now)
			continue;
		change = find_change(s, class);
		if (change != NULL)
		{
			if (change->differing <= s->cells[i].differing)
				continue;
			s->changes = list_delete_ptr(s->changes, change);
		}
		if (crm_line_ordered(&s->line))
			to = describe_run(s, i, run_end(s, i, 1), false);
		else
			to = s->cells[i].gap ? describe_others(s, class) : crm_line_show(&s->line, s->cells[i].value);
		add_change(s, class, s->cells[i].differing, 1, to);
	}
}

static void
search_column(search *s)
{
	crm_explanation *e = s->e;
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(e->source), s->attribute - 1);
	int			class_now = crm_explain_class(e, e->outcome);
	int			here = -1;
	ListCell   *cell_of_change;

	s->line = crm_line_of(column->atttypid, column->atttypmod);
	s->now = e->row[s->attribute - 1];
	s->now_null = e->nulls[s->attribute - 1];
	gather_points(s);
	make_cells(s);
	if ((double) s->cell_count * list_length(e->leaves) > MAX_TRIALS)
	{
		s->unsure = true;
		return;
	}
	for (int i = 0; i < s->cell_count; i++)
	{
		cell	   *c = &s->cells[i];

		c->outcome = crm_explain_try_value(e, s->attribute, c->value, false);
		c->differing = e->differing;
		if (!c->gap && !s->now_null && crm_line_ordered(&s->line) && crm_line_compare(&s->line, c->value, s->now) == 0)
			here = i;
	}
	if (here >= 0)
	{
		search_outwards(s, here, class_now);
		foreach(cell_of_change, s->changes)
		{
			crm_change *change = lfirst(cell_of_change);

			change->proportion = crm_line_proportion(&s->line, s->now, change->proportion, e->as_of);
		}
	}
	else
		search_values(s, class_now);

	/* Not to know it is a change, too, but nobody's aim: only where no value does. */
	if (!s->now_null && !column->attnotnull)
	{
		int			class = crm_explain_class(e, crm_explain_try_value(e, s->attribute, (Datum) 0, true));

		if (class == CRM_REASON_OPEN)
			s->unsure = true;
		else if (class != class_now && find_change(s, class) == NULL)
			add_change(s, class, e->differing, 1, "NULL");
	}
}

static int
compare_changes(const ListCell *a, const ListCell *b)
{
	const crm_change *x = lfirst(a);
	const crm_change *y = lfirst(b);

	if (x->outcome != y->outcome)
		return x->outcome < y->outcome ? -1 : 1;
	if (x->differing != y->differing)
		return x->differing < y->differing ? -1 : 1;
	if (x->proportion != y->proportion)
		return x->proportion < y->proportion ? -1 : 1;
	return x->attribute - y->attribute;
}

void
crm_explain_sort_changes(List *changes)
{
	list_sort(changes, compare_changes);
}

List *
crm_explain_changes(crm_explanation *e, Bitmapset **unsure)
{
	TupleDesc	desc = RelationGetDescr(e->source);
	List	   *changes = NIL;

	for (AttrNumber attribute = 1; attribute <= desc->natts; attribute++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, attribute - 1);
		search		s = {.e = e,.attribute = attribute};

		if (column->attisdropped || column->attgenerated != '\0' ||
			strcmp(NameStr(column->attname), e->population->key_column) == 0 ||
			!(bms_is_member(attribute, e->columns) || bms_is_member(0, e->columns)))
			continue;
		search_column(&s);
		changes = list_concat(changes, s.changes);
		if (s.unsure)
			*unsure = bms_add_member(*unsure, attribute);
	}
	crm_explain_sort_changes(changes);
	return changes;
}
