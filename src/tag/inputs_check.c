/*
 * inputs_check.c - whether what a tag is made from has changed since its rule
 * was last evaluated, and what readers are told.
 *
 * A changed input is found in the statement that reads, refreshes or lists the
 * tag: nothing has to be told of ALTER TABLE or CREATE OR REPLACE.  The sets
 * stay readable, with a warning: they are still what they were, only of another
 * rule than today's.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tag/inputs_internal.h"
#include "tag/readers.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

/* Tags that a statement has warned of; more are warned of again. */
#define REMEMBERED 64

/* A sentence begins with a capital letter. */
static char *
sentence_of(const char *text)
{
	char	   *sentence = pstrdup(text);

	sentence[0] = pg_toupper((unsigned char) sentence[0]);
	return sentence;
}

static Datum
text_or_null(const char *text)
{
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

void
crm_inputs_store(int32 tag_id, List *inputs)
{
	crm_catalogue_session session;
	ListCell   *cell;

	crm_catalogue_begin(&session);
	crm_catalogue_write("DELETE FROM @.tag_input WHERE tag_id = $1", 1, INT4OID, Int32GetDatum(tag_id), false);
	foreach(cell, inputs)
	{
		const crm_input *input = lfirst(cell);

		crm_catalogue_write("INSERT INTO @.tag_input (tag_id, kind, name, definition, mark) VALUES ($1, $2, $3, $4, $5)",
							5, INT4OID, Int32GetDatum(tag_id), false,
							TEXTOID, CStringGetTextDatum(input->kind), false,
							TEXTOID, CStringGetTextDatum(input->name), false,
							TEXTOID, text_or_null(input->definition), input->definition == NULL,
							TEXTOID, text_or_null(input->mark), input->mark == NULL);
	}
	crm_catalogue_end(&session);
}

/* ---- one input ---------------------------------------------------------------------------- */

/* The parts of a mark are the place, the object, and who wrote its row.  Is the place this database? */
static bool
is_here(const char *mark)
{
	char	   *here = psprintf(UINT64_FORMAT ".%u/", GetSystemIdentifier(), MyDatabaseId);

	return strncmp(mark, here, strlen(here)) == 0;
}

static Oid
relation_of_name(const char *name)
{
	return RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name))), NoLock, true);
}

/* The relation and the column of "schema.table.column". */
static Oid
split_column(const char *name, char **column)
{
	List	   *parts = textToQualifiedNameList(cstring_to_text(name));
	Oid			relation;

	*column = strVal(llast(parts));
	relation = RangeVarGetRelid(makeRangeVarFromNameList(list_truncate(parts, list_length(parts) - 1)), NoLock, true);
	return relation;
}

/* The object of a mark, and the number of a column in it; 0 for none. */
static Oid
object_of(const char *mark, AttrNumber *attribute)
{
	const char *object = strchr(mark, '/');
	char	   *end;
	Oid			oid = object != NULL ? (Oid) strtoul(object + 1, &end, 10) : InvalidOid;

	*attribute = OidIsValid(oid) && *end == '.' ? (AttrNumber) atoi(end + 1) : 0;
	return oid;
}

/* The function that a mark names, if it was made here; else the one of this name and these arguments. */
static bool
look_up_function(const crm_input *before, crm_input *now, bool with_definition)
{
	AttrNumber	ignored;
	Oid			oid = object_of(before->mark, &ignored);

	if (OidIsValid(oid) && crm_input_function(oid, now, false) && strcmp(now->mark, before->mark) == 0)
		return true;
	{
		LOCAL_FCINFO(call, 1);
		Datum		found;

		InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
		call->args[0].value = CStringGetTextDatum(before->name);
		call->args[0].isnull = false;
		found = to_regprocedure(call);
		return !call->isnull && crm_input_function(DatumGetObjectId(found), now, with_definition);
	}
}

/* The input as it is now. */
static bool
look_up(const crm_population *population, const crm_input *before, crm_input *now, bool with_definition)
{
	char	   *column;
	Oid			oid;

	*now = (crm_input) {before->kind, before->name};
	if (strcmp(before->kind, "column") == 0)
		return crm_input_column(population->source, before->name, now, with_definition);
	if (strcmp(before->kind, "table column") == 0)
	{
		oid = split_column(before->name, &column);
		return OidIsValid(oid) && crm_input_column(oid, column, now, with_definition);
	}
	if (strcmp(before->kind, "function") == 0)
		return look_up_function(before, now, with_definition);
	if (strcmp(before->kind, "view") == 0)
	{
		oid = relation_of_name(before->name);
		return OidIsValid(oid) && crm_input_view(oid, now, with_definition);
	}
	return crm_input_events(population, now);
}

/* Is it defined by text that another server, or another version of it, may write otherwise? */
static bool
is_hashed(const crm_input *input)
{
	return strcmp(input->kind, "function") == 0 || strcmp(input->kind, "view") == 0;
}

/* What has become of the column that the mark names: renamed, if it is still there. */
static char *
renamed_to(const crm_population *population, const crm_input *before)
{
	AttrNumber	attribute;
	Oid			relation = object_of(before->mark, &attribute);

	if (strcmp(before->kind, "column") != 0 || relation != population->source || !OidIsValid(get_atttype(relation, attribute)))
		return NULL;
	return get_attname(relation, attribute, true);
}

/* Does the column's name mean another column of the same table by now? */
static bool
is_another(const crm_input *before, const crm_input *now)
{
	AttrNumber	was,
				is;

	return object_of(before->mark, &was) == object_of(now->mark, &is) && was != is;
}

/* What has changed of one input, in words; NULL when nothing has. */
static char *
cause_of(const crm_population *population, const crm_input *before)
{
	crm_input	now;
	bool		here;

	if (before->mark == NULL)
		return NULL;
	here = is_here(before->mark);
	if (!look_up(population, before, &now, false))
	{
		char	   *other = here ? renamed_to(population, before) : NULL;

		return other != NULL ? psprintf("%s %s is called %s now", before->kind, before->name, quote_identifier(other)) :
			psprintf("%s %s no longer exists", before->kind, before->name);
	}
	if (strcmp(now.mark, before->mark) == 0)
		return NULL;
	if (!look_up(population, before, &now, true))
		return NULL;
	if (here && strcmp(before->kind, "events") != 0 && is_another(before, &now))
		return psprintf("%s %s is another column than it was", before->kind, before->name);
	if (strcmp(now.definition, before->definition) == 0 || (!here && is_hashed(before)))
		return NULL;
	if (is_hashed(before))
		return psprintf("%s %s has another definition", before->kind, before->name);
	return psprintf("%s %s is %s now, and was %s", before->kind, before->name, now.definition, before->definition);
}

/* ---- tags -------------------------------------------------------------------------------------- */

/* An input, and what has changed of it, in words; NULL when nothing has. */
typedef struct seen_input
{
	crm_input	input;
	char	   *cause;
} seen_input;

/* What tags' rules were made from.  A thousand tags rest on a few inputs: each is looked at once. */
typedef struct seen_inputs
{
	seen_input *inputs;
	int			count;
	bool		changed;		/* one of them has */
	bool		elsewhere;		/* one of them was not marked in this database */
} seen_inputs;

/* A tag, and what it rests on. */
typedef struct kept_inputs
{
	int32		tag_id;
	char	   *name;
	const seen_input **inputs;
	int			count;
} kept_inputs;

static Datum
array_of_ids(Datum *tag_ids, int tag_count)
{
	return PointerGetDatum(construct_array(tag_ids, tag_count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* The input of the row's columns from this one on. */
static crm_input
input_of_row(crm_catalogue_session *session, int row, int column)
{
	return (crm_input) {
		crm_catalogue_required(session, row, column), crm_catalogue_required(session, row, column + 1),
			crm_catalogue_required(session, row, column + 2), crm_catalogue_required(session, row, column + 3)
	};
}

/* Looks at all inputs of the tags. */
static seen_inputs
look_at_inputs(const crm_population *population, Datum *tag_ids, int tag_count)
{
	crm_catalogue_session session;
	seen_inputs seen = {NULL, 0, false, false};
	int			level;

	crm_catalogue_begin(&session);
	seen.count = (int) crm_catalogue_read("SELECT DISTINCT kind, name, definition, mark FROM @.tag_input WHERE tag_id = ANY ($1) AND mark IS NOT NULL "
										  "ORDER BY kind, name", 1, INT4ARRAYOID, array_of_ids(tag_ids, tag_count), false);
	seen.inputs = MemoryContextAlloc(session.caller, sizeof(seen_input) * (seen.count + 1));
	for (int i = 0; i < seen.count; i++)
		seen.inputs[i].input = input_of_row(&session, i, 1);
	crm_catalogue_end(&session);
	level = crm_rule_enter();	/* definitions are written under the settings under which they were */
	for (int i = 0; i < seen.count; i++)
	{
		seen.inputs[i].cause = cause_of(population, &seen.inputs[i].input);
		seen.changed |= seen.inputs[i].cause != NULL;
		seen.elsewhere |= !is_here(seen.inputs[i].input.mark);
	}
	crm_rule_leave(level);
	return seen;
}

/* NULL for one that was written since: it is as its tag's owner has just found it. */
static const seen_input *
find_seen(const seen_inputs *seen, const crm_input *input)
{
	for (int i = 0; i < seen->count; i++)
	{
		const crm_input *other = &seen->inputs[i].input;

		if (strcmp(other->mark, input->mark) == 0 && strcmp(other->name, input->name) == 0 &&
			strcmp(other->kind, input->kind) == 0 && strcmp(other->definition, input->definition) == 0)
			return &seen->inputs[i];
	}
	return NULL;
}

/* Those of the tags that have any inputs, by tag, and which of those looked at they are. */
static kept_inputs *
read_inputs(const seen_inputs *seen, Datum *tag_ids, int tag_count, int *kept_count)
{
	crm_catalogue_session session;
	kept_inputs *kept;
	const seen_input **inputs;
	int			count;
	int			found = 0;

	crm_catalogue_begin(&session);
	count = (int) crm_catalogue_read("SELECT i.tag_id, d.name, i.kind, i.name, i.definition, i.mark FROM @.tag_input i JOIN @.tag_definition d USING (tag_id) "
									 "WHERE tag_id = ANY ($1) AND mark IS NOT NULL ORDER BY tag_id, i.kind, i.name",
									 1, INT4ARRAYOID, array_of_ids(tag_ids, tag_count), false);
	inputs = MemoryContextAlloc(session.caller, sizeof(seen_input *) * (count + 1));
	kept = MemoryContextAllocZero(session.caller, sizeof(kept_inputs) * (tag_count + 1));
	*kept_count = 0;
	for (int i = 0; i < count; i++)
	{
		int32		tag_id = (int32) crm_catalogue_number(i, 1, NULL);
		crm_input	input = input_of_row(&session, i, 3);

		if (*kept_count == 0 || kept[*kept_count - 1].tag_id != tag_id)
		{
			if (*kept_count == tag_count)
				break;
			kept[(*kept_count)++] = (kept_inputs) {
				tag_id, crm_catalogue_required(&session, i, 2), &inputs[found], 0
			};
		}
		inputs[found] = find_seen(seen, &input);
		if (inputs[found] == NULL)
			continue;
		kept[*kept_count - 1].count++;
		found++;
	}
	crm_catalogue_end(&session);
	return kept;
}

/* The causes in one sentence; NULL when there is none. */
static char *
join_causes(StringInfo causes, const char *cause)
{
	if (cause != NULL)
		appendStringInfo(causes, "%s%s", causes->len > 0 ? "; " : "", cause);
	return causes->len > 0 ? causes->data : NULL;
}

/* What has changed of a tag's inputs, in words; NULL when nothing has. */
static char *
cause_of_tag(const kept_inputs *kept)
{
	StringInfoData causes;
	char	   *joined = NULL;

	initStringInfo(&causes);
	for (int i = 0; i < kept->count; i++)
		joined = join_causes(&causes, kept->inputs[i]->cause);
	return joined;
}

char *
crm_inputs_cause(const crm_population *population, int32 tag_id)
{
	Datum		id = Int32GetDatum(tag_id);
	seen_inputs seen = look_at_inputs(population, &id, 1);
	StringInfoData causes;
	char	   *joined = NULL;

	initStringInfo(&causes);
	for (int i = 0; i < seen.count; i++)
		joined = join_causes(&causes, seen.inputs[i].cause);
	return joined;
}

/* Has this statement warned of the tag? */
static bool
is_warned_of(int32 tag_id)
{
	static TimestampTz statement = 0;
	static int32 warned[REMEMBERED];
	static int	count = 0;

	if (statement != GetCurrentStatementStartTimestamp())
	{
		statement = GetCurrentStatementStartTimestamp();
		count = 0;
	}
	for (int i = 0; i < count; i++)
		if (warned[i] == tag_id)
			return true;
	if (count < REMEMBERED)
		warned[count++] = tag_id;
	return false;
}

void
crm_inputs_warn(const crm_population *population, Datum *tag_ids, int tag_count)
{
	seen_inputs seen = look_at_inputs(population, tag_ids, tag_count);
	int			count;
	kept_inputs *kept;

	if (!seen.changed)
		return;
	kept = read_inputs(&seen, tag_ids, tag_count, &count);
	for (int i = 0; i < count; i++)
	{
		char	   *cause = cause_of_tag(&kept[i]);

		if (cause == NULL || is_warned_of(kept[i].tag_id))
			continue;
		ereport(WARNING,
				(errmsg("tag \"%s\" is stale: what its rule is made from has changed since it was evaluated", kept[i].name),
				 errdetail("%s.", sentence_of(cause)),
				 errhint("%s.refresh_tags evaluates it anew; %s.replace_tag changes its rule.", crm_schema(), crm_schema())));
	}
}

void
crm_inputs_warn_list(const crm_population *population, List *tags)
{
	Datum	   *ids = palloc(sizeof(Datum) * (list_length(tags) + 1));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, tags)
		ids[count++] = Int32GetDatum(((crm_tag *) lfirst(cell))->id);
	crm_inputs_warn(population, ids, count);
}

/* Are all of them marked in this database? */
static bool
all_here(const kept_inputs *kept)
{
	for (int i = 0; i < kept->count; i++)
		if (!is_here(kept->inputs[i]->input.mark))
			return false;
	return true;
}

static crm_tag *
tag_of_id(List *tags, int32 id)
{
	ListCell   *cell;

	foreach(cell, tags)
		if (((crm_tag *) lfirst(cell))->id == id)
			return lfirst(cell);
	elog(ERROR, "a tag has lost its place");
}

List *
crm_inputs_before_refresh(const crm_population *population, List *tags)
{
	Datum	   *ids = palloc(sizeof(Datum) * (list_length(tags) + 1));
	List	   *changed = NIL;
	seen_inputs seen;
	kept_inputs *kept;
	ListCell   *cell;
	int			count = 0;

	(void) crm_population_source(population);
	foreach(cell, tags)
		ids[count++] = Int32GetDatum(((crm_tag *) lfirst(cell))->id);
	seen = look_at_inputs(population, ids, count);
	if (!seen.changed && !seen.elsewhere)
		return NIL;
	kept = read_inputs(&seen, ids, count, &count);
	for (int i = 0; i < count; i++)
	{
		crm_tag    *tag = tag_of_id(tags, kept[i].tag_id);
		char	   *cause = cause_of_tag(&kept[i]);

		if (cause == NULL && all_here(&kept[i]))
			continue;
		changed = lappend(changed, tag);
		if (cause != NULL)
			ereport(WARNING,
					(errmsg("what the rule of tag \"%s\" is made from has changed since it was evaluated last", tag->name),
					 errdetail("%s.", sentence_of(cause)),
					 errhint("See that the rule still means what it should: %s", tag->rule)));
	}
	return changed;
}

void
crm_inputs_after_refresh(const crm_population *population, List *changed)
{
	Relation	source;
	ListCell   *cell;

	if (changed == NIL)
		return;
	source = relation_open(population->source, AccessShareLock);
	foreach(cell, changed)
	{
		const crm_tag *tag = lfirst(cell);
		crm_owner_session session;
		List	   *inputs;

		crm_owner_begin(&session, tag->owner);
		inputs = crm_rule_inputs(population, crm_rule_read(source, tag->qualified));
		crm_owner_end(&session);
		crm_inputs_store(tag->id, inputs);
	}
	relation_close(source, NoLock);
}

/* crm.tag_stale_cause(tag_id) */
CRM_FUNCTION(crm_tag_stale_cause);
Datum
crm_tag_stale_cause(PG_FUNCTION_ARGS)
{
	crm_catalogue_session session;
	crm_population *population;
	int32		population_id;
	bool		found;
	char	   *cause;

	crm_catalogue_begin(&session);
	found = crm_catalogue_read("SELECT population_id FROM @.tag_definition WHERE tag_id = $1", 1, INT4OID, PG_GETARG_DATUM(0), false) > 0;
	population_id = found ? (int32) crm_catalogue_number(0, 1, NULL) : 0;
	crm_catalogue_end(&session);
	if (!found)
		PG_RETURN_NULL();
	population = crm_population_find_by_id(population_id);
	if (!crm_rights_may_see(population))
		PG_RETURN_NULL();
	cause = crm_inputs_cause(population, PG_GETARG_INT32(0));
	if (cause == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(cause));
}
