/*
 * funnel_options.c - the options of funnel_agg, and its calendar.
 */
#include "behavior/funnel_options.h"

#include "behavior/behavior.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

static const char *const unit_names[FUNNEL_UNITS] = {NULL, "day", "week", "month", "quarter", "year"};
static const char *const day_names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

#define KNOWN_OPTIONS "Known options are min_gap, max_gap, exclude, hold, breakdown, per, zone, week_start."

Size
funnel_options_size(const funnel_options *options)
{
	return offsetof(funnel_options, pair) + (options->steps - 1) * sizeof(crm_funnel_pair) + options->zone_length;
}

static char *
zone_of(const funnel_options *options)
{
	return (char *) &options->pair[options->steps - 1];
}

/* ---- reading JSON ---------------------------------------------------------- */

static void bad_option(const char *name, const char *expected) CRM_NORETURN;

static void
bad_option(const char *name, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value of option \"%s\"", name),
			 errdetail("%s", expected)));
}

static bool
is_key(const JsonbValue *value, const char *key)
{
	return value->type == jbvString && value->val.string.len == strlen(key) &&
		memcmp(value->val.string.val, key, value->val.string.len) == 0;
}

static bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static JsonbValue *
find_key(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key), NULL);
}

/* Whole, and from least to most; else the option is refused. */
static int
take_int(const JsonbValue *value, int least, int most, const char *name, const char *expected)
{
	float8		number = 0;

	if (value != NULL && value->type == jbvNumeric)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
	if (!(number >= least && number <= most) || number != (int) number)
		bad_option(name, expected);
	return (int) number;
}

static int
take_name(const JsonbValue *value, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (names[i] != NULL && is_key(value, names[i]))
			return i;
	return -1;
}

/* A gap; false for null, which asks for nothing. */
static bool
take_gap(const JsonbValue *value, const char *name, uint64 *gap)
{
	char	   *text;

	if (value->type == jbvNull)
		return false;
	if (value->type != jbvString)
		bad_option(name, "It is an interval such as \"1 hour\", or an array with an interval or null for each step but the first.");
	text = pnstrdup(value->val.string.val, value->val.string.len);
	/* What a sign means hangs on a setting, and nothing negative is of use. */
	if (strchr(text, '-') != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must not be negative: \"%s\"", name, text)));
	*gap = behavior_interval(DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
																   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))), name);
	return true;
}

static void
take_gaps(funnel_options *options, const JsonbValue *value, const char *name, bool most)
{
	uint64		gap;

	if (is_array(value) && JsonContainerSize(value->val.binary.data) != options->steps - 1)
		bad_option(name, psprintf("The array has length %u, but between %d steps there are %d gaps.", JsonContainerSize(value->val.binary.data),
								  options->steps, options->steps - 1));
	for (int i = 0; i < options->steps - 1; i++)
		if (take_gap(is_array(value) ? getIthJsonbValueFromContainer(value->val.binary.data, i) : value, name, &gap))
		{
			if (most)
				options->pair[i].most = gap;
			else
				options->pair[i].least = gap;
		}
	/* A single step has no gap, but a wrong one is wrong. */
	if (options->steps == 1 && !is_array(value))
		take_gap(value, name, &gap);
}

/* ---- exclude --------------------------------------------------------------- */

#define EXPECTED_EXCLUDE "It is an array of {\"condition\": 4, \"between\": [1, 2], \"attribute\": \"same\" or \"any\"}, the last two of them as needed."

static JsonbValue *
exclusion(const JsonbValue *list, uint32 i)
{
	JsonbValue *entry = getIthJsonbValueFromContainer(list->val.binary.data, i);

	if (!is_object(entry))
		bad_option("exclude", EXPECTED_EXCLUDE);
	return entry;
}

/* How many steps there are: the excluded conditions are the last ones. */
static int
count_steps(const JsonbValue *list, int conditions)
{
	uint64		excluded = 0;
	int			steps = conditions;

	if (list == NULL)
		return conditions;
	if (!is_array(list))
		bad_option("exclude", EXPECTED_EXCLUDE);
	for (uint32 i = 0; i < JsonContainerSize(list->val.binary.data); i++)
	{
		int			condition = take_int(find_key(exclusion(list, i)->val.binary.data, "condition"), 1, conditions, "exclude",
										 psprintf("\"condition\" is the number of a condition, from 2 to %d.", conditions));

		excluded |= UINT64CONST(1) << (condition - 1);
		steps = Min(steps, condition - 1);
	}
	for (int i = steps; i < conditions; i++)
		if ((excluded >> i & 1) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("condition %d is neither a step nor excluded", i + 1),
					 errhint("Excluded conditions come after all steps.")));
	if (steps < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("all conditions are excluded"),
				 errhint("Steps come first, excluded conditions after them.")));
	return steps;
}

static void
take_exclusion(funnel_options *options, JsonbContainer *object)
{
	JsonbValue *between = find_key(object, "between");
	JsonbValue *attribute = find_key(object, "attribute");
	int			condition = take_int(find_key(object, "condition"), 1, options->conditions, "exclude", EXPECTED_EXCLUDE);
	int			first = 1,
				last = options->steps;
	bool		any = false;

	if (1 + (between != NULL) + (attribute != NULL) != JsonContainerSize(object))
		bad_option("exclude", EXPECTED_EXCLUDE);
	if (between != NULL)
	{
		char	   *expected = psprintf("\"between\" has two steps from 1 to %d, the lower one first.", options->steps);

		if (!is_array(between) || JsonContainerSize(between->val.binary.data) != 2)
			bad_option("exclude", expected);
		first = take_int(getIthJsonbValueFromContainer(between->val.binary.data, 0), 1, options->steps, "exclude", expected);
		last = take_int(getIthJsonbValueFromContainer(between->val.binary.data, 1), first + 1, options->steps, "exclude", expected);
	}
	if (attribute != NULL)
	{
		any = is_key(attribute, "any");
		if (!any && !is_key(attribute, "same"))
			bad_option("exclude", EXPECTED_EXCLUDE);
		if (!options->hold)
			bad_option("exclude", "\"attribute\" says which events are excluded where \"hold\" is true.");
	}
	for (int i = first - 1; i < last - 1; i++)
	{
		if (any)
			options->pair[i].excluded_any |= UINT64CONST(1) << (condition - 1);
		else
			options->pair[i].excluded |= UINT64CONST(1) << (condition - 1);
	}
}

/* ---- all options ----------------------------------------------------------- */

static void
take_option(funnel_options *options, const JsonbValue *key, const JsonbValue *value)
{
	if (is_key(key, "min_gap"))
		take_gaps(options, value, "min_gap", false);
	else if (is_key(key, "max_gap"))
		take_gaps(options, value, "max_gap", true);
	else if (is_key(key, "exclude"))
	{
		for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
			take_exclusion(options, exclusion(value, i)->val.binary.data);
	}
	else if (is_key(key, "breakdown"))
	{
		if (is_key(value, "first"))
			options->breakdown = 1;
		else if (is_key(value, "last"))
			options->breakdown = CRM_FUNNEL_BREAKDOWN_LAST;
		else
			options->breakdown = take_int(value, 1, options->steps, "breakdown",
										  psprintf("It is \"first\", \"last\", or a step from 1 to %d.", options->steps));
	}
	else if (is_key(key, "per"))
	{
		int			unit = take_name(value, unit_names, FUNNEL_UNITS);

		if (unit < 0)
			bad_option("per", "It is one of day, week, month, quarter, year.");
		options->unit = unit;
	}
	else if (is_key(key, "week_start"))
	{
		int			day = take_name(value, day_names, lengthof(day_names));

		if (day < 0)
			bad_option("week_start", "It is one of monday, tuesday, wednesday, thursday, friday, saturday, sunday.");
		options->week_start = day + 1;
	}
	else if (!is_key(key, "hold") && !is_key(key, "zone"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown option of a funnel: \"%.*s\"", key->val.string.len, key->val.string.val),
				 errhint(KNOWN_OPTIONS)));
}

funnel_options *
funnel_options_parse(int64 within, const Jsonb *json, int conditions)
{
	JsonbContainer *root = json == NULL ? NULL : (JsonbContainer *) &json->root;
	JsonbValue *hold,
			   *zone;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key,
				value;
	const char *zone_name = "UTC";
	int			zone_length = 3;
	int			steps;
	Size		size;
	funnel_options *options;

	if (root != NULL && !JsonContainerIsObject(root))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of a funnel must be a JSON object"),
				 errhint(KNOWN_OPTIONS)));
	steps = root == NULL ? conditions : count_steps(find_key(root, "exclude"), conditions);
	zone = root == NULL ? NULL : find_key(root, "zone");
	if (zone != NULL)
	{
		if (zone->type != jbvString || zone->val.string.len < 1 || zone->val.string.len > TZ_STRLEN_MAX)
			bad_option("zone", "It is the name of a time zone, such as \"Asia/Shanghai\".");
		zone_name = zone->val.string.val;
		zone_length = zone->val.string.len;
	}
	size = offsetof(funnel_options, pair) + (steps - 1) * sizeof(crm_funnel_pair) + zone_length;
	options = palloc0(size);
	options->within = within;
	options->steps = steps;
	options->conditions = conditions;
	options->week_start = 1;
	options->zone_length = zone_length;
	for (int i = 0; i < steps - 1; i++)
		options->pair[i].most = PG_UINT64_MAX;
	memcpy(zone_of(options), zone_name, zone_length);
	if (root == NULL)
		return options;

	hold = find_key(root, "hold");
	if (hold != NULL)
	{
		if (hold->type != jbvBool)
			bad_option("hold", "It is true or false.");
		options->hold = hold->val.boolean;
	}
	iterator = JsonbIteratorInit(root);
	JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) == WJB_KEY)
	{
		JsonbIteratorNext(&iterator, &value, true);
		take_option(options, &key, &value);
	}
	if (options->unit != FUNNEL_WEEK && find_key(root, "week_start") != NULL)
		bad_option("week_start", "It goes with \"per\": \"week\".");
	if (options->unit == FUNNEL_NO_PERIODS && zone != NULL)
		bad_option("zone", "It goes with \"per\".");
	for (int i = 0; i < steps - 1; i++)
		if (options->pair[i].least > options->pair[i].most)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("least gap between steps %d and %d is longer than the greatest", i + 1, i + 2)));
	options->needs_attribute = options->hold || options->breakdown != CRM_FUNNEL_NO_BREAKDOWN;
	/* An unknown zone is refused now, not with the first event. */
	funnel_period(options, 0);
	return options;
}

const funnel_options *
funnel_options_fetch(const void *bytes, Size size, crm_funnel_plan *plan)
{
	const funnel_options *options = bytes;
	uint64		steps,
				excluded;

	if (size < offsetof(funnel_options, pair) || options->steps < 1 || options->steps > options->conditions ||
		options->conditions > CRM_MAX_CONDITIONS || size != funnel_options_size(options) ||
		options->within < 0 || options->hold > 1 || options->unit >= FUNNEL_UNITS || options->week_start < 1 || options->week_start > 7 ||
		options->breakdown < CRM_FUNNEL_BREAKDOWN_LAST || options->breakdown > options->steps || options->zone_length < 1 ||
		options->needs_attribute != (options->hold || options->breakdown != CRM_FUNNEL_NO_BREAKDOWN))
		crm_agg_state_damaged("A number in a state of funnel_agg is out of its range.");
	steps = ~UINT64CONST(0) >> (CRM_MAX_CONDITIONS - options->steps);
	excluded = ~UINT64CONST(0) >> (CRM_MAX_CONDITIONS - options->conditions) & ~steps;
	plan->steps = options->steps;
	plan->breakdown = options->breakdown;
	plan->hold = options->hold;
	plan->within = options->within;
	for (int i = 0; i < options->steps - 1; i++)
	{
		plan->pair[i] = options->pair[i];
		if (((plan->pair[i].excluded | plan->pair[i].excluded_any) & ~excluded) != 0)
			crm_agg_state_damaged("A state of funnel_agg excludes a condition that it does not have.");
	}
	return options;
}

/* ---- calendar -------------------------------------------------------------- */

TimestampTz
funnel_period(const funnel_options *options, TimestampTz at)
{
	Datum		zone = PointerGetDatum(cstring_to_text_with_len(zone_of(options), options->zone_length));
	Timestamp	local = DatumGetTimestamp(DirectFunctionCall2(timestamptz_zone, zone, TimestampTzGetDatum(at)));

	if (options->unit == FUNNEL_DAY || options->unit == FUNNEL_WEEK)
	{
		int64		day = local / USECS_PER_DAY - (local % USECS_PER_DAY < 0);

		/* Day 0 was a Saturday. */
		if (options->unit == FUNNEL_WEEK)
			day -= ((day + 6 - options->week_start) % 7 + 7) % 7;
		local = day * USECS_PER_DAY;
	}
	else if (options->unit != FUNNEL_NO_PERIODS)
		local = DatumGetTimestamp(DirectFunctionCall2(timestamp_trunc, CStringGetTextDatum(unit_names[options->unit]),
													  TimestampGetDatum(local)));
	return DatumGetTimestampTz(DirectFunctionCall2(timestamp_zone, zone, TimestampGetDatum(local)));
}
