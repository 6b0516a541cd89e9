/*
 * portrait.c - crm.profile: one customer's portrait as jsonb, with a sentence for
 * the call.
 *
 * The customer's own columns are read with the caller's rights, and only those
 * that he may read.  A tag is the more telling the fewer customers have it;
 * how many have it is told only to those who may read whole sets.
 */
#include "common/crm.h"

#include <math.h>

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "common/language.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "tag/customer.h"
#include "tag/readers.h"
#include "utils/acl.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Tags named as distinguishing; in the sentence. */
#define DISTINGUISHING 5
#define NAMED_TRAITS 3
#define NAMED_OTHERS 2

typedef struct portrait
{
	const crm_population *population;
	crm_customer *customer;
	char	   *key;
	char	   *columns;		/* JSON of the visible row */
	char	   *name;			/* how the customer is called; NULL: not known */
	int64		customers;		/* in the scopes that the caller may read; -1: none */
	crm_customer_tag **by_rarity;
	TimestampTz refreshed_at;	/* of the oldest tag */
	TimestampTz as_of;			/* the earliest moment that a tag speaks of */
} portrait;

/* The phrases of the sentence. */
typedef struct language
{
	const char *name;
	const char *customer;		/* customer %s */
	const char *named_customer; /* name, key */
	const char *traits;
	const char *now;
	const char *predicted;
	const char *personality;
	const char *none;
	const char *comma;
	const char *colon;
	const char *semicolon;
	const char *one_in;
	const char *percent;
	const char *tags_of;
	const char *full_stop;
} language;

/* By whether it is Chinese. */
static const language languages[] = {
	{"en", "Customer %s", "%s (customer %s)", " stands out: ", "right now: ", "likely: ", "personality: ",
		" has no tags", ", ", ": ", "; ", " (1 in %.0f)", " (%.0f %%)", "tags of ", "."},
	{"zh", "客户 %s", "%s（客户 %s）", "的突出特征：", "眼下：", "预计：", "个性：",
		"还没有标签", "、", "：", "；", "（每 %.0f 人中 1 人）", "（占 %.0f%%）", "标签时间 ", "。"},
};

static double
share_of(const portrait *p, const crm_customer_tag *tag)
{
	return p->customers > 0 && tag->members >= 0 ? (double) tag->members / p->customers : -1;
}

/* Rarest first; those whose size is not known behind them, by name. */
static int
compare_rarity(const void *a, const void *b)
{
	const crm_customer_tag *x = *(crm_customer_tag *const *) a;
	const crm_customer_tag *y = *(crm_customer_tag *const *) b;

	if (x->members != y->members)
	{
		if (x->members < 0 || y->members < 0)
			return x->members < 0 ? 1 : -1;
		return x->members < y->members ? -1 : 1;
	}
	return strcmp(x->name, y->name);
}

/* ---- the customer's row ------------------------------------------------ */

/* Place of a column's name among those that name a person, best first; -1 for others. */
static int
name_rank(const char *column)
{
	static const char *const names[] = {
		"name", "full_name", "fullname", "customer_name", "display_name",
		"姓名", "客户姓名", "全名", "名称", "客户名称"
	};

	for (int i = 0; i < lengthof(names); i++)
		if (pg_strcasecmp(column, names[i]) == 0)
			return i;
	return -1;
}

/* Reads the row, of a source with history columns that of an instant, as much of it as the caller may see. */
static void
read_row(portrait *p, TimestampTz at)
{
	Relation	source = relation_open(p->population->source, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(source);
	MemoryContext caller = CurrentMemoryContext;
	StringInfoData query;
	const char *name = NULL;
	int			best = -1;
	crm_owner_session session;
	bool		whole;

	crm_lookup_begin(&session, p->population);
	whole = pg_class_aclcheck(p->population->source, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT pg_catalog.row_to_json(customer)::pg_catalog.text, ");
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		int			rank;

		if (attribute->attisdropped ||
			(!whole && pg_attribute_aclcheck(p->population->source, attribute->attnum, GetUserId(), ACL_SELECT) != ACLCHECK_OK))
			continue;
		rank = name_rank(NameStr(attribute->attname));
		if (rank >= 0 && (best < 0 || rank < best))
		{
			best = rank;
			name = quote_identifier(NameStr(attribute->attname));
		}
	}
	if (name != NULL)
		appendStringInfo(&query, "customer.%s::pg_catalog.text", name);
	else
		appendStringInfoString(&query, "NULL");

	appendStringInfoString(&query, " FROM (SELECT ");
	for (int i = 0, n = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped ||
			(!whole && pg_attribute_aclcheck(p->population->source, attribute->attnum, GetUserId(), ACL_SELECT) != ACLCHECK_OK))
			continue;
		appendStringInfo(&query, "%scustomer.%s", n++ > 0 ? ", " : "", quote_identifier(NameStr(attribute->attname)));
	}
	appendStringInfo(&query, " FROM %s WHERE customer.%s OPERATOR(pg_catalog.=) %s LIMIT 1) AS customer",
					 crm_population_rows(p->population, "customer", at),
					 quote_identifier(p->population->key_column),
					 quote_literal_cstr(p->key));
	relation_close(source, AccessShareLock);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(query.data, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the customer's row");
	if (SPI_processed > 0)
	{
		char	   *columns = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		char	   *called = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);

		p->columns = columns != NULL ? MemoryContextStrdup(caller, columns) : NULL;
		p->name = called != NULL && called[0] != '\0' ? MemoryContextStrdup(caller, called) : NULL;
	}
	SPI_finish();
	crm_lookup_end(&session);
}

/* Customers of the population in the scopes given. */
static int64
count_customers(const crm_population *population, const crm_scopes *scopes)
{
	crm_catalogue_session session;
	int64		customers = 0;
	uint64		n;

	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT scope_no, members FROM @.tag_size WHERE tag_id = $1",
						   1, INT4OID, Int32GetDatum(CRM_BASE_TAG(population)), false);
	for (uint64 i = 0; i < n; i++)
		if (crm_scopes_include(scopes, (int32) crm_catalogue_number(i, 1, NULL)))
			customers += crm_catalogue_number(i, 2, NULL);
	crm_catalogue_end(&session);
	return customers;
}

/* ---- the sentence ------------------------------------------------------- */

/* The title, or "app_user" as "app user"; a text tag with its value. */
static void
append_label(StringInfo out, const crm_customer_tag *tag)
{
	if (tag->title != NULL)
		appendStringInfoString(out, tag->title);
	else
		for (const char *c = tag->name; *c != '\0'; c++)
			appendStringInfoChar(out, *c == '_' ? ' ' : *c);
	if (tag->value != NULL)
		appendStringInfo(out, " %s", tag->value_title != NULL ? tag->value_title : tag->value);
}

/* Whether a tag belongs into a part of the sentence; the traits are what is neither of the moment nor guessed. */
static bool
belongs(const crm_customer_tag *tag, const char *kind)
{
	if (kind != NULL)
		return strcmp(tag->kind, kind) == 0;
	return strcmp(tag->kind, "base") == 0 || strcmp(tag->kind, "correlation") == 0;
}

/* The rarest tags of one kind (NULL: the traits), at most so many; returns how many there were. */
static int
append_part(StringInfo out, const portrait *p, const language *words, const char *lead, const char *kind, int most)
{
	const crm_customer_tag *chosen[NAMED_TRAITS];
	int			count = 0;

	Assert(most <= NAMED_TRAITS);
	for (int i = 0; i < p->customer->count && count < most; i++)
	{
		const crm_customer_tag *tag = p->by_rarity[i];

		/* What more than half of the customers are does not distinguish one of them. */
		if (belongs(tag, kind) && (kind != NULL || count == 0 || share_of(p, tag) <= 0.5))
			chosen[count++] = tag;
	}
	for (int i = 0; i < count; i++)
	{
		double		share = share_of(p, chosen[i]);

		appendStringInfoString(out, i == 0 ? lead : words->comma);
		append_label(out, chosen[i]);
		if (kind == NULL && share > 0)
		{
			if (share < 0.1)
				appendStringInfo(out, words->one_in, rint(1 / share));
			else
				appendStringInfo(out, words->percent, rint(share * 100));
		}
	}
	return count;
}

static char *
make_sentence(const portrait *p, const language *words)
{
	StringInfoData out;
	struct pg_tm tm;
	fsec_t		fsec;
	int			zone;
	int			parts = 0;
	struct
	{
		const char *kind;
		const char *lead;
	}			others[] = {
		{"timeliness", words->now}, {"predictive", words->predicted}, {"personality", words->personality}
	};

	initStringInfo(&out);
	if (p->name != NULL)
		appendStringInfo(&out, words->named_customer, p->name, p->key);
	else
		appendStringInfo(&out, words->customer, p->key);

	if (p->customer->count == 0)
		appendStringInfoString(&out, words->none);
	else
	{
		parts = append_part(&out, p, words, words->traits, NULL, NAMED_TRAITS) > 0;
		for (int i = 0; i < lengthof(others); i++)
		{
			StringInfoData part;

			initStringInfo(&part);
			if (append_part(&part, p, words, others[i].lead, others[i].kind, NAMED_OTHERS) > 0)
				appendStringInfo(&out, "%s%s", parts++ > 0 ? words->semicolon : words->colon, part.data);
		}
		if (timestamp2tm(p->as_of, &zone, &tm, &fsec, NULL, NULL) == 0)
			appendStringInfo(&out, "%s%s%04d-%02d-%02d %02d:%02d", words->semicolon, words->tags_of,
							 tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min);
	}
	appendStringInfoString(&out, words->full_stop);
	return out.data;
}

/* ---- the portrait as JSON ------------------------------------------------- */

static void
append_time(StringInfo out, const char *name, TimestampTz time)
{
	char		buffer[MAXDATELEN + 1];

	appendStringInfo(out, ", \"%s\": \"%s\"", name,
					 JsonEncodeDateTime(buffer, TimestampTzGetDatum(time), TIMESTAMPTZOID, NULL));
}

static void
append_tag(StringInfo out, const portrait *p, const crm_customer_tag *tag, bool full)
{
	double		share = share_of(p, tag);

	appendStringInfoString(out, "{\"tag\": ");
	escape_json(out, tag->name);
	if (tag->title != NULL)
	{
		appendStringInfoString(out, ", \"title\": ");
		escape_json(out, tag->title);
	}
	appendStringInfoString(out, ", \"value\": ");
	if (tag->value != NULL)
		escape_json(out, tag->value);
	else
		appendStringInfoString(out, "null");
	if (tag->value_title != NULL)
	{
		appendStringInfoString(out, ", \"value_title\": ");
		escape_json(out, tag->value_title);
	}
	if (share >= 0)
		appendStringInfo(out, ", \"share\": %.6g", share);
	else
		appendStringInfoString(out, ", \"share\": null");
	if (full)
	{
		const char *description = tag->title_description != NULL ? tag->title_description : tag->description;

		if (description != NULL)
		{
			appendStringInfoString(out, ", \"description\": ");
			escape_json(out, description);
		}
		append_time(out, "refreshed_at", tag->refreshed_at);
		if (tag->expires)
			append_time(out, "until", tag->until);
		if (tag->outdated)
			appendStringInfoString(out, ", \"outdated\": true");
	}
	appendStringInfoChar(out, '}');
}

static Datum
make_portrait(const portrait *p, const char *sentence)
{
	static const char *const kinds[] = {"base", "timeliness", "correlation", "predictive", "personality"};
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "{\"population\": ");
	escape_json(&out, p->population->name);
	appendStringInfoString(&out, ", \"key\": ");
	escape_json(&out, p->key);
	appendStringInfo(&out, ", \"customer\": %s", p->columns != NULL ? p->columns : "null");

	appendStringInfoString(&out, ", \"tags\": {");
	for (int k = 0, n = 0; k < lengthof(kinds); k++)
	{
		int			tags = 0;

		for (int i = 0; i < p->customer->count; i++)
		{
			if (strcmp(p->by_rarity[i]->kind, kinds[k]) != 0)
				continue;
			if (tags++ == 0)
				appendStringInfo(&out, "%s\"%s\": [", n++ > 0 ? ", " : "", kinds[k]);
			else
				appendStringInfoString(&out, ", ");
			append_tag(&out, p, p->by_rarity[i], true);
		}
		if (tags > 0)
			appendStringInfoChar(&out, ']');
	}
	appendStringInfo(&out, "}, \"tag_count\": %d, \"distinguishing\": [", p->customer->count);
	for (int i = 0; i < p->customer->count && i < DISTINGUISHING; i++)
	{
		appendStringInfoString(&out, i > 0 ? ", " : "");
		append_tag(&out, p, p->by_rarity[i], false);
	}
	appendStringInfoChar(&out, ']');
	if (p->customer->count > 0)
	{
		append_time(&out, "as_of", p->as_of);
		append_time(&out, "refreshed_at", p->refreshed_at);
	}
	appendStringInfoString(&out, ", \"sentence\": ");
	escape_json(&out, sentence);
	appendStringInfoChar(&out, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data));
}

/* crm.profile(key, population, as_of, language) */
static Datum
profile(FunctionCallInfo fcinfo, Oid key_type)
{
	portrait	p = {0};
	const language *words;
	crm_scopes *scopes;
	crm_past   *past;
	Oid			output;
	bool		varlena;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	words = &languages[!PG_ARGISNULL(3) && crm_language_is_chinese(crm_text_argument(fcinfo, 3))];
	p.population = crm_population_find(crm_text_argument(fcinfo, 1));

	scopes = crm_rights_try_readable(p.population);
	past = PG_ARGISNULL(2) ? NULL : crm_past_find(p.population, PG_GETARG_TIMESTAMPTZ(2));
	p.customer = crm_customer_read(p.population, past, PG_GETARG_DATUM(0), key_type, scopes);
	if (p.customer == NULL)
		PG_RETURN_NULL();
	crm_customer_read_titles(p.population, p.customer, words->name);
	p.customers = scopes == NULL ? -1 : past == NULL ? count_customers(p.population, scopes) : crm_customers_then(past, scopes);

	getTypeOutputInfo(key_type, &output, &varlena);
	p.key = OidOutputFunctionCall(output, PG_GETARG_DATUM(0));
	read_row(&p, past != NULL ? past->as_of : GetCurrentTransactionStartTimestamp());

	p.by_rarity = palloc(sizeof(crm_customer_tag *) * Max(p.customer->count, 1));
	for (int i = 0; i < p.customer->count; i++)
	{
		p.by_rarity[i] = &p.customer->tags[i];
		if (i == 0 || p.customer->tags[i].refreshed_at < p.refreshed_at)
			p.refreshed_at = p.customer->tags[i].refreshed_at;
		if (i == 0 || p.customer->tags[i].as_of < p.as_of)
			p.as_of = p.customer->tags[i].as_of;
	}
	qsort(p.by_rarity, p.customer->count, sizeof(crm_customer_tag *), compare_rarity);
	return make_portrait(&p, make_sentence(&p, words));
}

CRM_FUNCTION(crm_profile_text);
Datum
crm_profile_text(PG_FUNCTION_ARGS)
{
	return profile(fcinfo, TEXTOID);
}

CRM_FUNCTION(crm_profile_bigint);
Datum
crm_profile_bigint(PG_FUNCTION_ARGS)
{
	return profile(fcinfo, INT8OID);
}

CRM_FUNCTION(crm_profile_uuid);
Datum
crm_profile_uuid(PG_FUNCTION_ARGS)
{
	return profile(fcinfo, UUIDOID);
}
