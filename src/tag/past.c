/*
 * past.c - refreshing as of an earlier instant.
 *
 * Events carry their time, so a rule over the timeline is as good as of any day.
 * A column holds what is known now: taken for a past day it would be a false
 * answer that looks like a true one, so such a refresh has to be asked for.
 */
#include "common/crm.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "optimizer/optimizer.h"
#include "tag/past.h"
#include "tag/rule_bind.h"
#include "tag/scan_plan.h"
#include "utils/lsyscache.h"

/* So many names are told in an error. */
#define NAMED_TAGS 5
#define NAMED_COLUMNS 5

bool
crm_past_columns_today(const char *columns)
{
	if (columns == NULL)
		return false;
	if (strcmp(columns, "today") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("columns must be 'today' or NULL, not \"%s\"", columns),
				 errhint("'today' takes the columns as they are now for an as_of in the past.")));
	return true;
}

static void
rule_of_tag(void *arg)
{
	errcontext("rule of tag \"%s\", which replace_tag can mend and drop_tag remove", ((const crm_tag *) arg)->name);
}

/* The columns that a rule reads, as pull_varattnos numbers them. */
static Bitmapset *
columns_of_rule(const crm_population *population, Relation source, const crm_tag *tag)
{
	ErrorContextCallback callback = {error_context_stack, rule_of_tag, (void *) tag};
	Bitmapset  *columns = NULL;
	crm_rule   *rule;

	error_context_stack = &callback;
	rule = crm_rule_read(source, tag->qualified);
	rule->tag_name = tag->name;
	crm_rule_bind_alone(population, source, tag->owner, rule);
	pull_varattnos(rule->expr, 1, &columns);
	error_context_stack = callback.previous;
	return columns;
}

static void
append_name(StringInfo list, int n, int most, const char *name)
{
	if (n < most)
		appendStringInfo(list, "%s\"%s\"", n == 0 ? "" : ", ", name);
	else if (n == most)
		appendStringInfoString(list, " and others");
}

char *
crm_past_name_columns(const crm_population *population, const Bitmapset *columns)
{
	StringInfoData names;
	int			attribute = -1;
	int			n = 0;

	initStringInfo(&names);
	while ((attribute = bms_next_member(columns, attribute)) >= 0)
	{
		AttrNumber	number = (AttrNumber) (attribute + FirstLowInvalidHeapAttributeNumber);

		append_name(&names, n++, NAMED_COLUMNS,
					number == InvalidAttrNumber ? "customer" : get_attname(population->source, number, false));
	}
	return names.data;
}

void
crm_past_check(const crm_population *population, List *tags, TimestampTz as_of)
{
	Bitmapset  *columns = NULL;
	StringInfoData names;
	Relation	source;
	ListCell   *cell;
	int			n = 0;

	if (as_of >= GetCurrentTransactionStartTimestamp() || population->valid_from != NULL || population->valid_to != NULL)
		return;
	initStringInfo(&names);
	(void) crm_population_source(population);
	source = relation_open(population->source, AccessShareLock);
	foreach(cell, tags)
	{
		const crm_tag *tag = lfirst(cell);
		crm_owner_session session;
		Bitmapset  *of_rule;

		CHECK_FOR_INTERRUPTS();
		/* parsing runs input functions of types: as the tag's owner, like every evaluation of the rule */
		crm_owner_begin(&session, tag->owner);
		of_rule = columns_of_rule(population, source, tag);
		crm_owner_end(&session);
		if (bms_is_empty(of_rule))
			continue;
		append_name(&names, n++, NAMED_TAGS, tag->name);
		columns = bms_join(columns, of_rule);
	}
	relation_close(source, NoLock);
	if (n == 0)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("population \"%s\" cannot be evaluated as of %s: its columns are those of today", population->name,
					timestamptz_to_str(as_of)),
			 errdetail("Rules over columns: %s. Columns: %s.", names.data, crm_past_name_columns(population, columns)),
			 errhint("Name only tags over the timeline in tags => ..., or take today's columns with columns => 'today'; "
						 "a population with history columns (valid_from, valid_to) knows the past.")));
}
