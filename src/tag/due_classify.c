/*
 * due_classify.c - what is known of functions: how they behave while as_of moves.
 *
 * What is not known here is unknown: such a rule is told by create_tag, and
 * never believed to be exact.
 */
#include "common/crm.h"

#include "access/stratnum.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "tag/due_plan.h"
#include "tag/tag.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* ---- expressions ---------------------------------------------------------------- */

static bool
depends_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramid == CRM_RULE_AS_OF_PARAM || ((Param *) node)->paramid == CRM_RULE_TIMELINE_PARAM;
	return expression_tree_walker(node, depends_walker, context);
}

bool
crm_due_depends(Node *expr)
{
	return depends_walker(expr, NULL);
}

static bool
moves_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramid == CRM_RULE_AS_OF_PARAM;
	return expression_tree_walker(node, moves_walker, context);
}

bool
crm_due_names_as_of(Node *expr)
{
	return moves_walker(expr, NULL);
}

static bool
foreign_function(Oid function, void *context)
{
	return get_func_namespace(function) != PG_CATALOG_NAMESPACE || func_volatile(function) == PROVOLATILE_VOLATILE;
}

static bool
foreign_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, Param) || check_functions_in_node(node, foreign_function, NULL))
		return true;
	return expression_tree_walker(node, foreign_walker, context);
}

Const *
crm_due_constant(Node *expr)
{
	Node	   *value;

	if (foreign_walker(expr, NULL))
		return NULL;
	value = eval_const_expressions(NULL, copyObject(expr));
	return IsA(value, Const) && !((Const *) value)->constisnull ? (Const *) value : NULL;
}

static char *
constant_text(Node *expr)
{
	Const	   *value = crm_due_constant(expr);

	return value != NULL && value->consttype == TEXTOID ? TextDatumGetCString(value->constvalue) : NULL;
}

const char *
crm_due_own_function(Oid function)
{
	if (get_func_namespace(function) != get_rel_namespace(crm_relation("tag_due")) ||
		getExtensionOfObject(ProcedureRelationId, function) != get_extension_oid("crm_analytics", true))
		return NULL;
	return get_func_name(function);
}

static bool
is_number(Oid type)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return true;
	}
	return false;
}

static bool
among(const char *name, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

bool
crm_due_harmless(Oid function)
{
	static const char *const names[] = {
		"abs", "age", "ceil", "ceiling", "date", "date_mi", "date_mi_interval", "date_mii", "date_part", "date_pl_interval",
		"date_pli", "date_trunc", "extract", "float4", "float8", "floor", "greatest", "int4", "int8", "interval_mi",
		"interval_mul", "interval_pl", "interval_pl_timestamp", "interval_pl_timestamptz", "interval_um", "isfinite",
		"left", "like", "lower", "ltrim", "mul_d_interval", "notlike", "numeric", "right", "round", "rtrim", "textcat",
		"textlike", "textnlike", "time", "timestamp", "timestamp_mi", "timestamp_mi_interval", "timestamp_pl_interval", "timestamptz",
		"timestamptz_mi", "timestamptz_mi_interval", "timestamptz_pl_interval", "timezone", "to_char", "trunc", "upper",
		"range_contains_elem", "elem_contained_by_range", "integer_pl_date", "interval_pl_date", "text"
	};
	static const char *const arithmetic[] = {"pl", "mi", "mul", "um"};
	char	   *name;
	size_t		length;

	if (get_func_namespace(function) != PG_CATALOG_NAMESPACE)
		return false;
	name = get_func_name(function);
	if (among(name, names, lengthof(names)))
		return true;
	length = strlen(name);
	/* comparisons: int4eq, numeric_lt, date_ge_timestamptz, texteq ... */
	if (get_func_rettype(function) == BOOLOID && get_func_nargs(function) == 2)
	{
		static const char *const comparisons[] = {"eq", "ne", "lt", "le", "gt", "ge"};

		for (int i = 0; i < lengthof(comparisons); i++)
			if ((length > 2 && strcmp(name + length - 2, comparisons[i]) == 0) ||
				strstr(name, psprintf("_%s_", comparisons[i])) != NULL)
				return true;
	}
	/* int4pl, numeric_add, float8mul ...: what they overflow at is far from what they are given */
	if (is_number(get_func_rettype(function)))
	{
		for (int i = 0; i < lengthof(arithmetic); i++)
		{
			size_t		n = strlen(arithmetic[i]);

			if (length > n && strcmp(name + length - n, arithmetic[i]) == 0 && isdigit((unsigned char) name[length - n - 1]))
				return true;
		}
		if (strcmp(name, "numeric_add") == 0 || strcmp(name, "numeric_sub") == 0 || strcmp(name, "numeric_mul") == 0)
			return true;
	}
	return false;
}

int
crm_due_strategy(Oid op, Oid *family, Oid *left, Oid *right)
{
	/* of what moves: whole numbers, float, numeric, dates and times, intervals */
	static const Oid families[] = {INTEGER_BTREE_FAM_OID, 1970, 1988, 434, 1982};
	Oid			negator = get_negator(op);

	if (op >= FirstUnpinnedObjectId)
		return 0;
	op_input_types(op, left, right);
	for (int i = 0; i < lengthof(families); i++)
	{
		int			strategy = get_op_opfamily_strategy(op, families[i]);

		if (strategy == 0 && OidIsValid(negator) && get_op_opfamily_strategy(negator, families[i]) == BTEqualStrategyNumber)
			strategy = CRM_STRATEGY_NOT_EQUAL;
		*family = families[i];
		if (strategy != 0)
			return strategy;
	}
	return 0;
}

/* ---- moving arguments --------------------------------------------------------------- */

static crm_clock
unknown(void)
{
	crm_clock	clock = {CRM_CLOCK_UNKNOWN};

	return clock;
}

static crm_clock
calendar(crm_clock moving, crm_clock_unit unit)
{
	crm_clock	clock = {CRM_CLOCK_CALENDAR};

	/* what began with a coarse unit of as_of begins with a finer one of what is some hours off */
	clock.unit = Max(unit, moving.unit);
	if (moving.shifted)
		clock.unit = Max(clock.unit, CRM_UNIT_DAY);
	clock.zone = moving.zone;
	clock.ahead = true;
	return clock.unit == CRM_UNIT_NONE ? unknown() : clock;
}

/* Units of the fields of extract and date_trunc. */
static crm_clock_unit
field_unit(const char *field)
{
	static const struct
	{
		const char *name;
		crm_clock_unit unit;
	}			fields[] = {
		{"millennium", CRM_UNIT_YEAR}, {"century", CRM_UNIT_YEAR}, {"decade", CRM_UNIT_YEAR}, {"year", CRM_UNIT_YEAR}, {"years", CRM_UNIT_YEAR},
		{"quarter", CRM_UNIT_MONTH}, {"month", CRM_UNIT_MONTH}, {"months", CRM_UNIT_MONTH}, {"mon", CRM_UNIT_MONTH},
		{"isoyear", CRM_UNIT_DAY}, {"week", CRM_UNIT_DAY}, {"weeks", CRM_UNIT_DAY}, {"doy", CRM_UNIT_DAY}, {"dow", CRM_UNIT_DAY},
		{"isodow", CRM_UNIT_DAY}, {"day", CRM_UNIT_DAY}, {"days", CRM_UNIT_DAY},
		{"hour", CRM_UNIT_HOUR}, {"hours", CRM_UNIT_HOUR}, {"timezone", CRM_UNIT_HOUR}, {"timezone_hour", CRM_UNIT_HOUR},
		{"timezone_minute", CRM_UNIT_HOUR}, {"timezone_h", CRM_UNIT_HOUR}, {"timezone_m", CRM_UNIT_HOUR},
		{"minute", CRM_UNIT_MINUTE}, {"minutes", CRM_UNIT_MINUTE}
	};

	for (int i = 0; i < lengthof(fields); i++)
		if (pg_strcasecmp(fields[i].name, field) == 0)
			return fields[i].unit;
	return CRM_UNIT_NONE;
}

/* The unit with which what a format of to_char shows changes. */
static crm_clock_unit
format_unit(const char *format)
{
	static const char *const seconds[] = {"SS", "MS", "US", "FF"};
	static const char *const hours[] = {"HH", "AM", "PM", "A.M", "P.M", "TZ", "OF"};
	char	   *upper = pstrdup(format);

	for (char *c = upper; *c != '\0'; c++)
		*c = pg_toupper((unsigned char) *c);
	for (int i = 0; i < lengthof(seconds); i++)
		if (strstr(upper, seconds[i]) != NULL)
			return CRM_UNIT_NONE;
	if (strstr(upper, "MI") != NULL)
		return CRM_UNIT_MINUTE;
	for (int i = 0; i < lengthof(hours); i++)
		if (strstr(upper, hours[i]) != NULL)
			return CRM_UNIT_HOUR;
	return CRM_UNIT_DAY;
}

/* A zone given by a constant, where its name cannot mean an abbreviation; else any zone's days begin with quarters. */
static void
enter_zone(crm_clock *clock, Node *zone)
{
	char	   *name = constant_text(zone);
	pg_tz	   *tz = name != NULL && (strchr(name, '/') != NULL || pg_strcasecmp(name, "UTC") == 0) ? pg_tzset(name) : NULL;

	if (tz != NULL)
	{
		clock->zone = tz;
		clock->unit = CRM_UNIT_YEAR;
	}
	else
		clock->unit = Max(clock->unit, CRM_UNIT_QUARTER);
}

/* A time moved by an interval. */
static crm_clock
shift(crm_clock moving, Node *interval, bool local)
{
	Const	   *value = crm_due_constant(interval);
	const Interval *span = value != NULL ? DatumGetIntervalP(value->constvalue) : NULL;

	if (span == NULL || span->month != 0)
		moving.wobble += CRM_DUE_MONTHS;
	if (!local && (span == NULL || span->month != 0 || span->day != 0))
		moving.wobble += CRM_DUE_CLOCKS;
	/* hours are counted through changes of the clock, so that days may then begin at any quarter of an hour */
	if (span == NULL || span->time % USECS_PER_MINUTE != 0)
		moving.unit = CRM_UNIT_NONE;
	else if (span->time % CRM_DUE_QUARTER != 0)
		moving.unit = Max(moving.unit, CRM_UNIT_MINUTE);
	else if (span->time != 0)
		moving.unit = Max(moving.unit, CRM_UNIT_QUARTER);
	moving.shifted = true;
	return moving;
}

static crm_clock
local_time(crm_clock moving)
{
	moving.wobble += CRM_DUE_CLOCKS;
	return moving;
}

/* The difference of two times. */
static crm_clock
difference(crm_clock moving, int place, crm_span_kind span)
{
	if (place == 1)
		moving.direction = -moving.direction;
	if (span == CRM_SPAN_AGE)
	{
		/* a month may count for less than the days before it, at any time of the day */
		moving.wobble += CRM_DUE_MONTHS + CRM_DUE_CLOCKS;
		moving.unit = CRM_UNIT_NONE;
	}
	moving.span = span;
	moving.shifted = true;
	return moving;
}

static crm_clock
interval_field(crm_clock moving, const char *field)
{
	bool		years = false;

	if (field == NULL)
		return unknown();
	if (pg_strcasecmp(field, "epoch") == 0)
	{
		moving.span = CRM_SPAN_NONE;
		return moving;
	}
	for (int i = 0; i < 5 && !years; i++)
		years = pg_strcasecmp(field, ((const char *const[]) {"year", "years", "decade", "century", "millennium"})[i]) == 0;
	if ((moving.span == CRM_SPAN_DAYS && (pg_strcasecmp(field, "day") == 0 || pg_strcasecmp(field, "days") == 0)) ||
		(moving.span == CRM_SPAN_AGE && years))
	{
		/* years are not lost again, but where the clock goes back */
		if (years)
			moving.unit = CRM_UNIT_QUARTER;
		moving.span = CRM_SPAN_NONE;
		moving.discrete = true;
		return moving;
	}
	return unknown();
}

static crm_clock
time_field(crm_clock moving, const char *field)
{
	if (field == NULL)
		return unknown();
	if (pg_strcasecmp(field, "epoch") == 0 || pg_strcasecmp(field, "julian") == 0)
	{
		moving.shifted = true;
		return local_time(moving);
	}
	return calendar(moving, field_unit(field));
}

static crm_clock
truncated(crm_clock moving, const char *field)
{
	return field == NULL ? unknown() : calendar(moving, field_unit(field));
}

/* Numbers: sums, products with what does not move, and steps of them. */
static crm_clock
move_number(const char *name, crm_clock moving, int nargs, int place)
{
	static const char *const steps[] = {"floor", "ceil", "ceiling", "round", "trunc", "int2", "int4", "int8"};
	static const char *const casts[] = {"numeric", "float4", "float8"};
	size_t		length = strlen(name);
	const char *end;

	if (nargs == 1 && among(name, steps, lengthof(steps)))
	{
		moving.discrete = true;
		return moving;
	}
	if (nargs == 1 && among(name, casts, lengthof(casts)))
		return moving;
	if (among(name, (const char *const[]) {"numeric_uminus", "int4um", "int8um", "float8um", "float4um"}, 5))
	{
		moving.direction = -moving.direction;
		return moving;
	}
	if (nargs != 2)
		return unknown();
	end = length > 3 ? name + length - 3 : name;
	if (strcmp(name, "numeric_add") == 0 || strcmp(end + 1, "pl") == 0)
		return moving;
	if (strcmp(name, "numeric_sub") == 0 || strcmp(end + 1, "mi") == 0)
	{
		if (place == 1)
			moving.direction = -moving.direction;
		return moving;
	}
	if (strcmp(end, "mul") == 0 || (strcmp(end, "div") == 0 && place == 0))
	{
		/* whole numbers are divided into steps, as they were themselves */
		moving.direction = 0;
		return moving;
	}
	return unknown();
}

crm_clock
crm_due_move(Oid function, List *nodes, const crm_clock *args, int place)
{
	crm_clock	moving = args[place];
	Node	   *first = linitial(nodes);
	Node	   *second = list_length(nodes) > 1 ? lsecond(nodes) : NULL;

	/* only what is fixed, or stays for a while, may stand beside it */
	for (int i = 0; i < list_length(nodes); i++)
		if (i != place && (args[i].kind == CRM_CLOCK_MOVING || args[i].kind == CRM_CLOCK_UNKNOWN))
			return unknown();
	switch (function)
	{
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
			return place == 0 ? shift(moving, second, false) : unknown();
		case F_TIMESTAMP_PL_INTERVAL:
		case F_TIMESTAMP_MI_INTERVAL:
			return place == 0 ? shift(moving, second, true) : unknown();
		case F_INTERVAL_PL_TIMESTAMPTZ:
			return place == 1 ? shift(moving, first, false) : unknown();
		case F_INTERVAL_PL_TIMESTAMP:
			return place == 1 ? shift(moving, first, true) : unknown();
		case F_TIMESTAMPTZ_MI:
		case F_TIMESTAMP_MI:
			return difference(moving, place, CRM_SPAN_DAYS);
		case F_AGE_TIMESTAMPTZ_TIMESTAMPTZ:
		case F_AGE_TIMESTAMP_TIMESTAMP:
			return difference(moving, place, CRM_SPAN_AGE);
		case F_TIMESTAMP_TIMESTAMPTZ:
			return local_time(moving);
		case F_TIMESTAMPTZ_TIMESTAMP:
			moving.unit = Max(moving.unit, CRM_UNIT_QUARTER);
			moving.shifted = true;
			return local_time(moving);
		case F_TIMEZONE_TEXT_TIMESTAMPTZ:
			if (place != 1)
				return unknown();
			enter_zone(&moving, first);
			return local_time(moving);
		case F_TIMEZONE_TEXT_TIMESTAMP:
			moving.unit = Max(moving.unit, CRM_UNIT_QUARTER);
			moving.shifted = true;
			return place == 1 ? local_time(moving) : unknown();
		case F_DATE_TIMESTAMPTZ:
		case F_DATE_TIMESTAMP:
			return calendar(moving, CRM_UNIT_DAY);
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
			return place == 1 ? truncated(moving, constant_text(first)) : unknown();
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
			if (place != 1)
				return unknown();
			enter_zone(&moving, lthird(nodes));
			return truncated(moving, constant_text(first));
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_EXTRACT_TEXT_TIMESTAMP:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
		case F_DATE_PART_TEXT_TIMESTAMP:
			return place == 1 ? time_field(moving, constant_text(first)) : unknown();
		case F_EXTRACT_TEXT_INTERVAL:
		case F_DATE_PART_TEXT_INTERVAL:
			return place == 1 ? interval_field(moving, constant_text(first)) : unknown();
		case F_TO_CHAR_TIMESTAMPTZ_TEXT:
		case F_TO_CHAR_TIMESTAMP_TEXT:
			{
				char	   *format = place == 0 ? constant_text(second) : NULL;

				return format == NULL ? unknown() : calendar(moving, format_unit(format));
			}
		case F_INTERVAL_PL:
			moving.span = CRM_SPAN_ANY;
			return moving;
		case F_INTERVAL_MI:
			if (place == 1)
				moving.direction = -moving.direction;
			moving.span = CRM_SPAN_ANY;
			return moving;
		case F_INTERVAL_UM:
			moving.direction = -moving.direction;
			moving.span = CRM_SPAN_ANY;
			return moving;
		case F_INTERVAL_MUL:
		case F_INTERVAL_DIV:
		case F_MUL_D_INTERVAL:
			if (function != F_MUL_D_INTERVAL && place != 0)
				return unknown();
			moving.direction = 0;
			moving.span = CRM_SPAN_ANY;
			/* fractions of months become days */
			moving.wobble += CRM_DUE_MONTHS;
			return moving;
	}
	if (get_func_namespace(function) == PG_CATALOG_NAMESPACE && is_number(get_func_rettype(function)) &&
		is_number(exprType(list_nth(nodes, place))))
		return move_number(get_func_name(function), moving, list_length(nodes), place);
	return unknown();
}
