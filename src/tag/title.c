/*
 * title.c - what tags and their values are called in the languages of those who
 * read them.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "tag/customer.h"
#include "tag/readers.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"

#define MAX_TITLE 200

static void
check_title(const char *title, const char *of)
{
	if (title[0] == '\0' || strlen(title) > MAX_TITLE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid title for %s: \"%s\"", of, title),
				 errdetail("A title has 1 to %d bytes.", MAX_TITLE)));
}

/* An object whose values are titles. */
static void
check_value_titles(Jsonb *titles)
{
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (!JB_ROOT_IS_OBJECT(titles))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value_titles must be an object of texts"),
				 errhint("Such as {\"high\": \"高\", \"low\": \"低\"}.")));
	iterator = JsonbIteratorInit(&titles->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_VALUE)
			continue;
		if (value.type != jbvString)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("value_titles must be an object of texts"),
					 errdetail("One of its values is no text.")));
		check_title(pnstrdup(value.val.string.val, value.val.string.len), "a value");
	}
}

/* crm.register_tag_title(tag, language, title, description, value_titles, population) */
CRM_FUNCTION(crm_register_tag_title);
Datum
crm_register_tag_title(PG_FUNCTION_ARGS)
{
	crm_population *population;
	crm_tag    *tag;
	crm_catalogue_session session;
	char	   *language;
	Datum		titles = (Datum) 0;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument %s must not be NULL", PG_ARGISNULL(0) ? "tag" : "language")));
	language = crm_text_argument(fcinfo, 1);
	check_title(language, "a language");
	if (!PG_ARGISNULL(2))
		check_title(crm_text_argument(fcinfo, 2), "a tag");
	if (!PG_ARGISNULL(4))
	{
		check_value_titles(PG_GETARG_JSONB_P(4));
		titles = PG_GETARG_DATUM(4);
	}

	crm_catalogue_newest();
	population = crm_population_find(crm_text_argument(fcinfo, 5));
	tag = crm_tag_find(population, crm_text_argument(fcinfo, 0));
	if (!has_privs_of_role(GetUserId(), tag->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of tag \"%s\"", tag->name)));

	crm_catalogue_begin(&session);
	crm_catalogue_write("DELETE FROM @.tag_title WHERE tag_id = $1 AND language = $2",
						2, INT4OID, Int32GetDatum(tag->id), false, TEXTOID, PG_GETARG_DATUM(1), false);
	if (!PG_ARGISNULL(2))
		crm_catalogue_write("INSERT INTO @.tag_title (tag_id, language, value, title, description) VALUES ($1, $2, NULL, $3, $4)",
							4, INT4OID, Int32GetDatum(tag->id), false,
							TEXTOID, PG_GETARG_DATUM(1), false,
							TEXTOID, PG_GETARG_DATUM(2), false,
							TEXTOID, PG_GETARG_DATUM(3), PG_ARGISNULL(3));
	if (!PG_ARGISNULL(2) && !PG_ARGISNULL(4))
		crm_catalogue_write("INSERT INTO @.tag_title (tag_id, language, value, title) "
							"SELECT $1, $2, e.key, e.value FROM pg_catalog.jsonb_each_text($3) e",
							3, INT4OID, Int32GetDatum(tag->id), false,
							TEXTOID, PG_GETARG_DATUM(1), false,
							JSONBOID, titles, false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

void
crm_customer_read_titles(const crm_population *population, crm_customer *customer, const char *language)
{
	crm_catalogue_session session;
	Datum	   *names = palloc(sizeof(Datum) * Max(customer->count, 1));
	ArrayType  *array;
	uint64		n;

	for (int i = 0; i < customer->count; i++)
		names[i] = CStringGetTextDatum(customer->tags[i].name);
	array = construct_array(names, customer->count, TEXTOID, -1, false, TYPALIGN_INT);

	crm_catalogue_begin(&session);
	n = crm_catalogue_read("SELECT d.name, t.value, t.title, t.description FROM @.tag_title t JOIN @.tag_definition d ON d.tag_id = t.tag_id "
						   "WHERE d.population_id = $1 AND d.name = ANY ($2) AND t.language = $3",
						   3, INT4OID, Int32GetDatum(population->id), false,
						   TEXTARRAYOID, PointerGetDatum(array), false,
						   TEXTOID, CStringGetTextDatum(language), false);
	for (uint64 row = 0; row < n; row++)
	{
		char	   *name = crm_catalogue_required(&session, row, 1);
		char	   *value = crm_catalogue_text(&session, row, 2);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < customer->count; i++)
		{
			crm_customer_tag *tag = &customer->tags[i];

			if (strcmp(tag->name, name) != 0)
				continue;
			if (value == NULL)
			{
				tag->title = crm_catalogue_required(&session, row, 3);
				tag->title_description = crm_catalogue_text(&session, row, 4);
			}
			else if (tag->value != NULL && strcmp(tag->value, value) == 0)
				tag->value_title = crm_catalogue_required(&session, row, 3);
		}
	}
	crm_catalogue_end(&session);
}
