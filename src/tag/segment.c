/*
 * segment.c - crm.tag, crm.segment and crm.tag_number: stored sets as audiences
 * and numbers.
 *
 * A segment is evaluated step by step on a stack of sets; the last step builds
 * the audience itself.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "common/bridge.h"
#include "kernel/segment_expr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tag/history.h"
#include "tag/inputs.h"
#include "tag/kept.h"
#include "tag/number_tag.h"
#include "tag/overlay.h"
#include "tag/readers.h"
#include "tag/segment_define.h"
#include "tag/segment_read.h"
#include "tag/tag.h"

typedef crm_set_reader reader;

/* A defined segment that the reader has met. */
typedef struct met_segment
{
	int32		id;
	bool		ready;			/* false: being evaluated */
	crm_ids		ids;
} met_segment;

/* Where in an expression an error belongs. */
typedef struct place
{
	const char *expression;
	size_t		position;		/* byte */
} place;

crm_ids
crm_ids_take(const crm_env *env, crm_ids_builder *builder)
{
	crm_ids		ids;
	uint8	   *data;

	ids.size = crm_ids_builder_size(builder);
	data = env->alloc(env->arg, ids.size);
	crm_ids_builder_write(builder, data);
	crm_ids_builder_free(builder);
	ids.data = data;
	return ids;
}

static crm_ids_builder *
new_builder(reader *r)
{
	crm_ids_builder *builder;

	crm_check(crm_ids_builder_new(&r->env, &builder), CRM_AUDIENCE_NAME, false);
	return builder;
}

static crm_ids_builder *
read_set(reader *r, int32 tag_id, int32 value_no)
{
	crm_ids_builder *builder = new_builder(r);

	crm_past_read(r->population, r->past, tag_id, value_no, r->scopes, builder);
	return builder;
}

/* Those who have the tag now; of a text tag with the value (NULL: any), whose number is given. */
static crm_ids_builder *
read_tag(reader *r, const crm_tag *tag, int32 value_no, const char *value)
{
	crm_ids_builder *stored = value_no < 0 ? new_builder(r) : read_set(r, tag->id, value_no);

	return r->overlay == NULL ? stored : crm_overlay_members(r->overlay, tag, value, false, stored);
}

static crm_ids
read_base(reader *r)
{
	if (!r->have_base)
	{
		crm_ids_builder *stored = read_set(r, CRM_BASE_TAG(r->population), CRM_NO_VALUE);

		r->base = crm_ids_take(&r->env, r->overlay == NULL ? stored : crm_overlay_base(r->overlay, stored));
		r->have_base = true;
	}
	return r->base;
}

static crm_ids_builder *
combine(reader *r, crm_ids_op op, crm_ids a, crm_ids b)
{
	crm_ids_builder *builder = new_builder(r);

	crm_check(crm_ids_combine(&r->env, op, a, b, builder), CRM_AUDIENCE_NAME, false);
	return builder;
}

/* The customers who have any value of a text tag but the one given (NULL: any at all), whose number is except. */
static crm_ids_builder *
read_other_values(reader *r, const crm_tag *tag, int32 except, const char *value)
{
	crm_ids_collector *collector;
	crm_ids_builder *builder;
	int			count;
	int32	   *values = crm_tag_value_numbers(tag, &count);

	crm_check(crm_ids_collector_new(&r->env, &collector), CRM_AUDIENCE_NAME, false);
	for (int i = 0; i < count; i++)
	{
		crm_ids		ids;

		CHECK_FOR_INTERRUPTS();
		if (values[i] == except)
			continue;
		ids = crm_ids_take(&r->env, read_set(r, tag->id, values[i]));
		crm_check(crm_ids_collector_merge(collector, ids), CRM_AUDIENCE_NAME, false);
		r->env.release(r->env.arg, (void *) ids.data);
	}
	builder = new_builder(r);
	crm_check(crm_ids_collector_build(collector, builder), CRM_AUDIENCE_NAME, false);
	crm_ids_collector_free(collector);
	return r->overlay == NULL ? builder : crm_overlay_members(r->overlay, tag, value, value != NULL, builder);
}

const crm_bsi *
crm_set_reader_numbers(reader *r, const crm_tag *tag)
{
	if (r->numbers_of != tag->id)
	{
		r->numbers = crm_numbers_read(r->population, r->past, tag, r->scopes, &r->env);
		if (r->overlay != NULL)
			r->numbers = crm_overlay_numbers(r->overlay, tag, r->numbers);
		r->numbers_of = tag->id;
	}
	return r->numbers;
}

/* What a tag must be for a condition: of the right type. */
static void
check_test(const crm_tag *tag, crm_segment_test test)
{
	const char *name = quote_identifier(tag->name);

	if (test != CRM_TEST_NONE && tag->type == CRM_VALUE_BOOLEAN)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("tag \"%s\" has no values to compare with", tag->name),
				 errdetail("Its rule is boolean: a customer has it or not."),
				 errhint("Write the name alone: %s, or !%s for those without it.", name, name)));
	if (test >= CRM_TEST_LESS && tag->type == CRM_VALUE_TEXT)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("values of tag \"%s\" are not numbers", tag->name),
				 errdetail("Its rule gives text."),
				 errhint("Compare with = or != here, and put the comparison of numbers into a tag's rule.")));
}

/* ... and refreshed.  Of a past instant the tag is told in which form its sets were. */
static void
check_condition(const reader *r, crm_tag *tag, crm_segment_test test)
{
	Datum		id = Int32GetDatum(tag->id);

	check_test(tag, test);
	if (r->past != NULL)
		crm_past_tag(r->past, tag);
	else
		crm_tag_require_in_use(tag);
	if (tag->refreshed_version == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tag \"%s\" has never been refreshed", tag->name),
				 errhint("Evaluate it first: SELECT * FROM %s.refresh_tags(%s);",
						 crm_schema(), quote_literal_cstr(r->population->name))));
	if (r->past == NULL)
		crm_inputs_warn(r->population, &id, 1);
}

static crm_ids_builder *
read_condition(reader *r, const crm_tag *tag, crm_segment_test test, const char *value)
{
	int32		value_no;

	if (tag->type == CRM_VALUE_BOOLEAN)
		return read_tag(r, tag, CRM_NO_VALUE, NULL);
	if (tag->type == CRM_VALUE_NUMERIC)
	{
		if (test == CRM_TEST_NONE)
			return read_tag(r, tag, CRM_SLICE_PRESENT, NULL);
		return crm_numbers_compare(crm_set_reader_numbers(r, tag), tag, test, value, &r->env);
	}
	if (test == CRM_TEST_NONE)
		return read_other_values(r, tag, -1, NULL);

	/* A value that no customer ever had: nobody, which is true. */
	value_no = crm_tag_value_no(tag, value);
	if (test == CRM_TEST_DIFFERENT)
		return read_other_values(r, tag, value_no, value);
	return read_tag(r, tag, value_no, value);
}

/* Gives an error about a name its place in the expression. */
static void
show_place(void *arg)
{
	place	   *p = arg;

	switch (geterrcode())
	{
		case ERRCODE_UNDEFINED_OBJECT:
		case ERRCODE_DATATYPE_MISMATCH:
		case ERRCODE_FEATURE_NOT_SUPPORTED:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
			internalerrquery(p->expression);
			internalerrposition(pg_mbstrlen_with_len(p->expression, p->position) + 1);
			break;
		default:
			break;
	}
}

static crm_ids_builder *read_segment(reader *r, const crm_defined_segment *segment);

static void
check_segment_test(const crm_defined_segment *segment, crm_segment_test test)
{
	if (test != CRM_TEST_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("segment \"%s\" has no values to compare with", segment->name),
				 errdetail("A customer is in a segment or not.")));
}

static crm_ids_builder *
run_condition(reader *r, const char *expression, const crm_segment_step *step)
{
	place		where = {expression, step->position};
	ErrorContextCallback callback = {error_context_stack, show_place, &where};
	crm_defined_segment *segment;
	crm_tag    *tag = NULL;
	crm_ids_builder *builder = NULL;

	error_context_stack = &callback;
	segment = crm_defined_segment_find(r->population, step->name);
	if (segment != NULL)
	{
		if (step->test != CRM_TEST_NONE)
			where.position = step->test_position;
		check_segment_test(segment, step->test);
	}
	else
	{
		tag = crm_tag_find(r->population, step->name);
		if (step->test != CRM_TEST_NONE && (tag->type != CRM_VALUE_TEXT || step->test >= CRM_TEST_LESS))
			where.position = step->test_position;
		check_condition(r, tag, step->test);
	}
	/* a number that is none has its place in this expression, an error within a segment in the segment's */
	if (segment == NULL)
		builder = read_condition(r, tag, step->test, step->value);
	error_context_stack = callback.previous;
	return segment != NULL ? read_segment(r, segment) : builder;
}

/* The tags that a program names, which are evaluated together for the customers pending. */
static void
want_tags(reader *r, const crm_segment_program *program)
{
	List	   *wanted = NIL;
	ListCell   *cell;

	foreach(cell, crm_tag_list(r->population))
		for (size_t i = 0; i < program->count; i++)
			if (program->steps[i].code == CRM_SEGMENT_TAG && strcmp(program->steps[i].name, ((crm_tag *) lfirst(cell))->name) == 0)
			{
				wanted = lappend(wanted, lfirst(cell));
				break;
			}
	crm_overlay_want(r->overlay, wanted);
}

static crm_ids_builder *
run_program(reader *r, const char *expression, const crm_segment_program *program)
{
	crm_ids    *stack = palloc(sizeof(crm_ids) * program->depth);
	int			top = 0;

	if (r->overlay != NULL && program->count > 1)
		want_tags(r, program);

	for (size_t i = 0; i < program->count; i++)
	{
		const crm_segment_step *step = &program->steps[i];
		crm_ids_builder *builder;
		int			operands = step->code == CRM_SEGMENT_TAG ? 0 : step->code == CRM_SEGMENT_NOT ? 1 : 2;

		CHECK_FOR_INTERRUPTS();
		switch (step->code)
		{
			case CRM_SEGMENT_TAG:
				builder = run_condition(r, expression, step);
				break;
			case CRM_SEGMENT_NOT:
				builder = combine(r, CRM_ANDNOT, read_base(r), stack[top - 1]);
				break;
			case CRM_SEGMENT_AND:
				builder = combine(r, CRM_AND, stack[top - 2], stack[top - 1]);
				break;
			case CRM_SEGMENT_OR:
				builder = combine(r, CRM_OR, stack[top - 2], stack[top - 1]);
				break;
			default:
				builder = combine(r, CRM_ANDNOT, stack[top - 2], stack[top - 1]);
				break;
		}
		for (; operands > 0; operands--)
			r->env.release(r->env.arg, (void *) stack[--top].data);
		if (i + 1 == program->count)
			return builder;
		stack[top++] = crm_ids_take(&r->env, builder);
	}
	elog(ERROR, "empty segment program");
}

/* What went wrong, in words; the place is the caller's. */
static void
report_fault(const char *expression, size_t length, const crm_segment_error *error)
{
	static const struct
	{
		const char *message;
		const char *hint;
	}			faults[] = {
		[CRM_FAULT_EMPTY] = {"a segment expression must not be empty",
		"Name a tag, as in: vip, or combine several: vip & (recent | new) - opted_out."},
		[CRM_FAULT_NO_NAME] = {"syntax error in a segment expression: a tag's name was expected",
		"An expression reads like: vip & (recent | new) - opted_out."},
		[CRM_FAULT_NO_OPERATOR] = {"syntax error in a segment expression: an operator was expected",
		"Between two conditions stands one of & | -; names with spaces or signs are written in double quotes."},
		[CRM_FAULT_NO_VALUE] = {"syntax error in a segment expression: a value was expected",
		"Values are written as a word, a number, or in quotes: risk = \"high\"."},
		[CRM_FAULT_NO_NUMBER] = {"syntax error in a segment expression: a number was expected",
		"The signs < <= > >= compare with a number: spend >= 1000."},
		[CRM_FAULT_SINGLE_QUOTES] = {"syntax error in a segment expression: a tag's name was expected",
		"Names are quoted with double quotes, values with either."},
		[CRM_FAULT_OPEN_QUOTE] = {"unterminated quote in a segment expression",
		"A quote inside quotes is written twice."},
		[CRM_FAULT_EMPTY_NAME] = {"a tag's name must not be empty", NULL},
		[CRM_FAULT_OPEN_BRACKET] = {"unclosed bracket in a segment expression", NULL},
		[CRM_FAULT_CLOSING_BRACKET] = {"closing bracket without an opening one in a segment expression", NULL},
		[CRM_FAULT_CHARACTER] = {"unexpected character in a segment expression",
		"The operators are & | - ! and brackets; names with other signs are written in double quotes."},
		[CRM_FAULT_WIDE_SIGN] = {"unexpected character in a segment expression",
		"Operators, brackets and quotes are the ASCII signs & | - ! = ( ) \"; a name or value with this sign is written in double quotes."},
		[CRM_FAULT_TOO_LONG] = {"segment expression is too long", NULL},
		[CRM_FAULT_TOO_DEEP] = {"segment expression is nested too deeply", NULL},
		[CRM_FAULT_TOO_MANY] = {"segment expression has too many conditions", NULL},
	};
	const char *near = pnstrdup(expression + error->position,
								pg_mbcliplen(expression + error->position, error->length, 64));
	int			position = pg_mbstrlen_with_len(expression, error->position) + 1;

	if (error->fault >= CRM_FAULT_TOO_LONG)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s", faults[error->fault].message),
				 error->fault == CRM_FAULT_TOO_LONG ?
				 errdetail("It has %zu bytes, at most %d are allowed.", length, CRM_SEGMENT_MAX_LENGTH) :
				 error->fault == CRM_FAULT_TOO_DEEP ?
				 errdetail("At most %d levels of brackets and \"!\" are allowed.", CRM_SEGMENT_MAX_DEPTH) :
				 errdetail("At most %d are allowed.", CRM_SEGMENT_MAX_NAMES)));
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 error->fault == CRM_FAULT_EMPTY || error->fault == CRM_FAULT_EMPTY_NAME ?
			 errmsg("%s", faults[error->fault].message) :
			 near[0] == '\0' ? errmsg("%s at end of input", faults[error->fault].message) :
			 errmsg("%s at or near \"%s\"", faults[error->fault].message, near),
			 faults[error->fault].hint ? errhint("%s", faults[error->fault].hint) : 0,
			 internalerrquery(expression),
			 internalerrposition(position)));
}

void
crm_segment_read(const char *expression, crm_segment_program *program)
{
	crm_env		env = crm_env_in(CurrentMemoryContext);
	crm_segment_error error;
	crm_status	status = crm_segment_parse(&env, expression, strlen(expression), program, &error);

	if (error.fault != CRM_FAULT_NONE)
		report_fault(expression, strlen(expression), &error);
	crm_check(status, "segment expression", false);
}

/* ---- defined segments ---------------------------------------------------------- */

static void
name_segment(void *arg)
{
	errcontext("segment \"%s\"", (const char *) arg);
}

static void
refuse_recursion(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_RECURSION),
			 errmsg("segment \"%s\" rests on itself", name)));
}

/* The members of a defined segment, evaluated once for each reader however often it is named. */
static crm_ids
segment_members(reader *r, const crm_defined_segment *segment)
{
	ErrorContextCallback callback = {error_context_stack, name_segment, segment->name};
	met_segment *met;
	ListCell   *cell;

	foreach(cell, r->defined)
	{
		met = lfirst(cell);
		if (met->id != segment->id)
			continue;
		if (!met->ready)
			refuse_recursion(segment->name);
		return met->ids;
	}

	check_stack_depth();
	met = palloc0(sizeof(met_segment));
	met->id = segment->id;
	r->defined = lappend(r->defined, met);
	error_context_stack = &callback;
	if (segment->frozen)
	{
		if (r->past != NULL && segment->refreshed_at > r->past->as_of)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the members of frozen segment \"%s\" were taken after %s", segment->name,
							timestamptz_to_str(r->past->as_of)),
					 errdetail("A frozen segment keeps the members of its last refresh only."),
					 errhint("%s.segment with the segment's expression and as_of gives who was in it then.", crm_schema())));
		met->ids = crm_defined_segment_members(segment);
		if (!r->scopes->all)
			met->ids = crm_ids_take(&r->env, combine(r, CRM_AND, read_base(r), met->ids));
	}
	else
	{
		crm_segment_program program;

		crm_segment_read(segment->expression, &program);
		met->ids = crm_ids_take(&r->env, run_program(r, segment->expression, &program));
	}
	error_context_stack = callback.previous;
	met->ready = true;
	return met->ids;
}

/* A copy, since the stack's sets are released as they are used up. */
static crm_ids_builder *
read_segment(reader *r, const crm_defined_segment *segment)
{
	crm_ids		ids = segment_members(r, segment);
	crm_ids_builder *builder = new_builder(r);

	crm_check(crm_ids_builder_set(builder, ids), CRM_AUDIENCE_NAME, false);
	return builder;
}

/* Does the expression rest on segment self?  seen holds the ids of segments looked into. */
static void
check_recursion(const crm_population *population, const char *expression, const char *self, List **seen)
{
	crm_segment_program program;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	crm_segment_read(expression, &program);
	for (size_t i = 0; i < program.count; i++)
	{
		const crm_segment_step *step = &program.steps[i];
		crm_defined_segment *segment;
		ErrorContextCallback callback = {error_context_stack, name_segment, NULL};

		if (step->code != CRM_SEGMENT_TAG)
			continue;
		if (strcmp(step->name, self) == 0)
			refuse_recursion(self);
		segment = crm_defined_segment_find(population, step->name);
		if (segment == NULL || list_member_int(*seen, segment->id))
			continue;
		*seen = lappend_int(*seen, segment->id);
		callback.arg = segment->name;
		error_context_stack = &callback;
		check_recursion(population, segment->expression, self, seen);
		error_context_stack = callback.previous;
	}
}

void
crm_segment_check(const crm_population *population, const char *expression, const char *self)
{
	List	   *seen = NIL;
	crm_segment_program program;
	place		where = {expression, 0};
	ErrorContextCallback callback = {error_context_stack, show_place, &where};

	/* Loops first: the name need not exist yet. */
	check_recursion(population, expression, self, &seen);
	crm_segment_read(expression, &program);
	error_context_stack = &callback;
	for (size_t i = 0; i < program.count; i++)
	{
		const crm_segment_step *step = &program.steps[i];
		crm_defined_segment *segment;

		if (step->code != CRM_SEGMENT_TAG)
			continue;
		where.position = step->position;
		segment = crm_defined_segment_find(population, step->name);
		if (segment != NULL)
			check_segment_test(segment, step->test);
		else
		{
			crm_tag    *tag = crm_tag_find(population, step->name);

			check_test(tag, step->test);
			if (tag->type == CRM_VALUE_NUMERIC && step->test != CRM_TEST_NONE)
				crm_number_check(tag, step->value);
		}
	}
	error_context_stack = callback.previous;
}

/* ---- for the tools over segments --------------------------------------------------- */

crm_ids
crm_set_reader_base(crm_set_reader *reader)
{
	return read_base(reader);
}

crm_ids
crm_set_reader_tag(crm_set_reader *reader, const crm_tag *tag, int32 value_no, const char *value)
{
	return crm_ids_take(&reader->env, read_tag(reader, tag, value_no, value));
}

void
crm_set_reader_want(crm_set_reader *reader, List *tags)
{
	if (reader->overlay != NULL)
		crm_overlay_want(reader->overlay, tags);
}

List *
crm_set_reader_values(crm_set_reader *reader, const crm_tag *tag)
{
	return reader->overlay == NULL ? NIL : crm_overlay_values(reader->overlay, tag);
}

crm_ids
crm_set_reader_combine(crm_set_reader *reader, crm_ids_op op, crm_ids a, crm_ids b)
{
	return crm_ids_take(&reader->env, combine(reader, op, a, b));
}

crm_ids
crm_set_reader_segment(crm_set_reader *reader, const char *expression)
{
	crm_segment_program program;

	crm_segment_read(expression, &program);
	return crm_ids_take(&reader->env, run_program(reader, expression, &program));
}

void
crm_set_reader_release(crm_set_reader *reader, crm_ids set)
{
	reader->env.release(reader->env.arg, (void *) set.data);
}

/* ---- functions -------------------------------------------------------------------------- */

void
crm_set_reader_begin(crm_set_reader *r, const char *population)
{
	crm_set_reader_begin_past(r, population, NULL);
}

void
crm_set_reader_begin_stored(crm_set_reader *r, const crm_past *stored)
{
	memset(r, 0, sizeof(*r));
	r->population = stored->population;
	r->scopes = palloc0(sizeof(crm_scopes));
	r->scopes->all = true;
	r->past = stored;
	r->env = crm_env_in(CurrentMemoryContext);
}

void
crm_set_reader_begin_past(crm_set_reader *r, const char *population, const TimestampTz *as_of)
{
	r->population = crm_population_find(population);
	r->scopes = crm_rights_readable(r->population);
	if (r->population->chunk_bits == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("population \"%s\" has never been refreshed", r->population->name),
				 errhint("Evaluate its tags first: SELECT * FROM %s.refresh_tags(%s);",
						 crm_schema(), quote_literal_cstr(r->population->name))));
	r->past = as_of == NULL ? NULL : crm_past_find(r->population, *as_of);
	r->env = crm_env_in(CurrentMemoryContext);
	r->have_base = false;
	r->defined = NIL;
	r->numbers_of = 0;
	r->numbers = NULL;
	r->overlay = r->past != NULL ? NULL : crm_overlay_begin(r->population, r->scopes, &r->env);
}

/* Reading for a function whose last argument is as_of. */
static void
begin_reading(FunctionCallInfo fcinfo, reader *r, int population, int as_of)
{
	TimestampTz then = PG_ARGISNULL(as_of) ? 0 : PG_GETARG_TIMESTAMPTZ(as_of);

	crm_set_reader_begin_past(r, crm_text_argument(fcinfo, population), PG_ARGISNULL(as_of) ? NULL : &then);
}

/* The finished set as the answer of the call, kept for the query. */
static Datum
keep_audience(FunctionCallInfo fcinfo, int nargs, int strings, const reader *r, crm_ids_builder *builder, MemoryContext answer)
{
	MemoryContext old = MemoryContextSwitchTo(answer);
	crm_audience *audience = crm_audience_finish(builder, r->population->id);

	MemoryContextSwitchTo(old);
	crm_kept_store_value(fcinfo, nargs, strings, audience);
	PG_RETURN_POINTER(audience);
}

/* crm.tag(name, value, population, as_of); "crm_tag" itself is the type of a tag. */
CRM_FUNCTION(crm_tag_customers);
Datum
crm_tag_customers(PG_FUNCTION_ARGS)
{
	void	   *known;
	MemoryContext answer,
				work,
				caller;
	reader		r;
	crm_defined_segment *segment;
	char	   *name;
	char	   *value;
	crm_segment_test test;
	crm_ids_builder *set;
	Datum		result;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	known = crm_kept_find_value(fcinfo, 4, 3);
	if (known != NULL)
		PG_RETURN_POINTER(known);

	answer = crm_kept_context(fcinfo, 4, 3);
	work = AllocSetContextCreate(CurrentMemoryContext, "tag", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);

	value = crm_text_argument(fcinfo, 1);
	begin_reading(fcinfo, &r, 2, 3);
	name = crm_text_argument(fcinfo, 0);
	test = value != NULL ? CRM_TEST_EQUAL : CRM_TEST_NONE;
	segment = crm_defined_segment_find(r.population, name);
	if (segment != NULL)
	{
		check_segment_test(segment, test);
		set = read_segment(&r, segment);
	}
	else
	{
		crm_tag    *tag = crm_tag_find(r.population, name);

		check_condition(&r, tag, test);
		set = read_condition(&r, tag, test, value);
	}
	result = keep_audience(fcinfo, 4, 3, &r, set, answer);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return result;
}

/* crm.segment(expression, population, as_of) */
CRM_FUNCTION(crm_segment);
Datum
crm_segment(PG_FUNCTION_ARGS)
{
	void	   *known;
	MemoryContext answer,
				work,
				caller;
	reader		r;
	char	   *expression;
	crm_segment_program program;
	Datum		result;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	known = crm_kept_find_value(fcinfo, 3, 2);
	if (known != NULL)
		PG_RETURN_POINTER(known);

	answer = crm_kept_context(fcinfo, 3, 2);
	work = AllocSetContextCreate(CurrentMemoryContext, "segment", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);

	/* The expression first: it can be wrong whatever the population is. */
	expression = crm_text_argument(fcinfo, 0);
	crm_segment_read(expression, &program);
	begin_reading(fcinfo, &r, 1, 2);
	result = keep_audience(fcinfo, 3, 2, &r, run_program(&r, expression, &program), answer);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return result;
}

/* crm.tag_number(name, population, as_of) */
CRM_FUNCTION(crm_tag_number_values);
Datum
crm_tag_number_values(PG_FUNCTION_ARGS)
{
	void	   *known;
	MemoryContext answer,
				work,
				caller;
	reader		r;
	crm_tag    *tag;
	const crm_bsi *numbers;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	known = crm_kept_find_value(fcinfo, 3, 2);
	if (known != NULL)
		PG_RETURN_POINTER(known);

	answer = crm_kept_context(fcinfo, 3, 2);
	work = AllocSetContextCreate(CurrentMemoryContext, "tag's numbers", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);

	begin_reading(fcinfo, &r, 1, 2);
	tag = crm_tag_find(r.population, crm_text_argument(fcinfo, 0));
	if (tag->type != CRM_VALUE_NUMERIC)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("tag \"%s\" gives no numbers", tag->name),
				 errdetail("Its rule gives %s.", tag->type == CRM_VALUE_BOOLEAN ? "boolean" : "text"),
				 errhint("%s.tag gives those who have it.", crm_schema())));
	check_condition(&r, tag, CRM_TEST_NONE);
	numbers = crm_set_reader_numbers(&r, tag);

	MemoryContextSwitchTo(answer);
	known = crm_bsi_of_sets(numbers);
	crm_kept_store_value(fcinfo, 3, 2, known);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	PG_RETURN_POINTER(known);
}
