/*
 * model_store.c - models by name: versions, the one in use, and who may use them.
 *
 * A model belongs to who made it first.  His role's members train, replace and
 * drop it; they and those he granted it to score by it.
 */
#include "scoring/train.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/snapmgr.h"

CRM_FUNCTION(crm_model_by_name);
CRM_FUNCTION(crm_model_by_literal);
CRM_FUNCTION(crm_store_model);
CRM_FUNCTION(crm_grant_model);
CRM_FUNCTION(crm_revoke_model);
CRM_FUNCTION(crm_drop_model);
CRM_FUNCTION(crm_alter_model);
CRM_FUNCTION(crm_rollback_model);

/* ---- finding ---------------------------------------------------------------------- */

static void unknown_model(const char *name) CRM_NORETURN;

/* Only names that the caller may see are told. */
static void
unknown_model(const char *name)
{
	crm_catalogue_session session;
	List	   *names = NIL;
	char	   *nearest;
	Oid			user = GetUserId();
	uint64		count;

	crm_catalogue_begin(&session);
	count = crm_catalogue_read("SELECT name FROM @.model_definition d WHERE pg_has_role($1, owner::oid, 'USAGE') OR EXISTS "
							   "(SELECT FROM @.model_grant g WHERE g.model = d.name AND (g.grantee::oid = 0 OR pg_has_role($1, g.grantee::oid, 'USAGE')))",
							   1, OIDOID, ObjectIdGetDatum(user), false);
	for (uint64 i = 0; i < count; i++)
	{
		MemoryContext before;
		char	   *known = crm_catalogue_required(&session, i, 1);

		before = MemoryContextSwitchTo(session.caller);
		names = lappend(names, known);
		MemoryContextSwitchTo(before);
	}
	crm_catalogue_end(&session);
	nearest = crm_nearest_names(name, names);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" does not exist", name),
			 nearest != NULL ? errhint("Nearest names: %s.", nearest) : errhint("%s.train(name, algorithm, query, label) makes one.", crm_schema())));
}

/* A column of the first row, in the caller's memory; 0 for NULL. */
static Datum
copy_value(crm_catalogue_session *session, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
	MemoryContext before;

	if (isnull)
		return (Datum) 0;
	before = MemoryContextSwitchTo(session->caller);
	value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	MemoryContextSwitchTo(before);
	return value;
}

scoring_version *
scoring_find_version(const char *name, int32 version)
{
	scoring_version *found = palloc0(sizeof(scoring_version));
	crm_catalogue_session session;
	Oid			user = GetUserId();
	bool		known;
	bool		granted = false;
	bool		unused = false;
	char	   *state = NULL;

	crm_catalogue_begin(&session);
	known = crm_catalogue_read("SELECT d.owner::oid, v.version, v.version = d.champion, v.algorithm, v.query, v.label, v.options, v.encoding, "
							   " v.split, v.metrics, v.model, v.state, v.profile, EXISTS (SELECT FROM @.model_grant g WHERE g.model = d.name "
							   " AND (g.grantee::oid = 0 OR pg_has_role($3, g.grantee::oid, 'USAGE'))) "
							   "FROM @.model_definition d LEFT JOIN @.model_version v ON v.name = d.name "
							   " AND v.version = CASE WHEN $2 > 0 THEN $2 ELSE d.champion END WHERE d.name = $1",
							   3, TEXTOID, CStringGetTextDatum(name), false, INT4OID, Int32GetDatum(version), false,
							   OIDOID, ObjectIdGetDatum(user), false) > 0;
	if (known)
	{
		found->name = MemoryContextStrdup(session.caller, name);
		found->owner = (Oid) crm_catalogue_number(0, 1, NULL);
		found->version = (int32) crm_catalogue_number(0, 2, &unused);
		found->champion = crm_catalogue_number(0, 3, NULL) != 0;
		found->algorithm = crm_catalogue_text(&session, 0, 4);
		found->query = crm_catalogue_text(&session, 0, 5);
		found->label = crm_catalogue_text(&session, 0, 6);
		found->options = (Jsonb *) DatumGetPointer(copy_value(&session, 7));
		found->encoding = (Jsonb *) DatumGetPointer(copy_value(&session, 8));
		found->split = (Jsonb *) DatumGetPointer(copy_value(&session, 9));
		found->metrics = (Jsonb *) DatumGetPointer(copy_value(&session, 10));
		found->model = copy_value(&session, 11);
		state = crm_catalogue_text(&session, 0, 12);
		found->profile = (Jsonb *) DatumGetPointer(copy_value(&session, 13));
		granted = crm_catalogue_number(0, 14, NULL) != 0;
	}
	crm_catalogue_end(&session);
	if (!known)
		unknown_model(name);
	if (!has_privs_of_role(user, found->owner) && !granted)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for model \"%s\"", name),
				 errhint("Its owner may run %s.grant_model('%s', '%s').", crm_schema(), name, GetUserNameFromId(user, false))));
	if (unused && version > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", name, version)));
	if (unused)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no version of model \"%s\" is in use", name),
				 errhint("%s.rollback_model('%s', version) takes one.", crm_schema(), name)));
	if (strcmp(state, "retired") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" is retired", found->version, name),
				 errhint("Train it anew, or bring it back with %s.alter_model('%s', %d, 'approved').", crm_schema(), name, found->version)));
	return found;
}

static void not_owner(const char *name) CRM_NORETURN;

static void
not_owner(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("must be owner of model \"%s\"", name)));
}

bool
scoring_may_replace(const char *name)
{
	crm_catalogue_session session;
	bool		known;
	Oid			owner = InvalidOid;

	crm_catalogue_begin(&session);
	known = crm_catalogue_read("SELECT owner::oid FROM @.model_definition WHERE name = $1", 1, TEXTOID, CStringGetTextDatum(name), false) > 0;
	if (known)
		owner = (Oid) crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);
	if (known && !has_privs_of_role(GetUserId(), owner))
		not_owner(name);
	return known;
}

/* The same where there must be one. */
static void
require_owner(const char *name)
{
	if (!scoring_may_replace(name))
		unknown_model(name);
}

/* ---- changing ------------------------------------------------------------------------ */

int32
scoring_add_version(const scoring_version *version, int64 rows, const char *fingerprint, bool promote)
{
	crm_catalogue_session session;
	Oid			user = GetUserId();
	int32		number;
	Oid			owner;

	if (version->name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a model must not be empty")));
	crm_catalogue_begin(&session);
	crm_catalogue_write("INSERT INTO @.model_definition (name, owner) VALUES ($1, $2::regrole) ON CONFLICT (name) DO NOTHING",
						2, TEXTOID, CStringGetTextDatum(version->name), false, OIDOID, ObjectIdGetDatum(user), false);
	/* whoever adds a version at the same time waits here */
	crm_catalogue_write("UPDATE @.model_definition SET versions = versions + 1, "
						" champion = CASE WHEN $2 THEN versions + 1 ELSE champion END WHERE name = $1 RETURNING versions, owner::oid",
						2, TEXTOID, CStringGetTextDatum(version->name), false, BOOLOID, BoolGetDatum(promote), false);
	number = (int32) crm_catalogue_number(0, 1, NULL);
	owner = (Oid) crm_catalogue_number(0, 2, NULL);
	if (!has_privs_of_role(user, owner))
		not_owner(version->name);
	crm_catalogue_write("INSERT INTO @.model_version (name, version, algorithm, query, label, options, encoding, split, metrics, model, rows, fingerprint, created_by, profile) "
						"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::regrole, $14)", 14,
						TEXTOID, CStringGetTextDatum(version->name), false,
						INT4OID, Int32GetDatum(number), false,
						TEXTOID, version->algorithm != NULL ? CStringGetTextDatum(version->algorithm) : (Datum) 0, version->algorithm == NULL,
						TEXTOID, version->query != NULL ? CStringGetTextDatum(version->query) : (Datum) 0, version->query == NULL,
						TEXTOID, version->label != NULL ? CStringGetTextDatum(version->label) : (Datum) 0, version->label == NULL,
						JSONBOID, PointerGetDatum(version->options), version->options == NULL,
						JSONBOID, PointerGetDatum(version->encoding), version->encoding == NULL,
						JSONBOID, PointerGetDatum(version->split), version->split == NULL,
						JSONBOID, PointerGetDatum(version->metrics), version->metrics == NULL,
						crm_type("model"), version->model, false,
						INT8OID, Int64GetDatum(rows), version->algorithm == NULL,
						TEXTOID, fingerprint != NULL ? CStringGetTextDatum(fingerprint) : (Datum) 0, fingerprint == NULL,
						OIDOID, ObjectIdGetDatum(user), false,
						JSONBOID, PointerGetDatum(version->profile), version->profile == NULL);
	crm_catalogue_end(&session);
	return number;
}

/* model(name, version) */
Datum
crm_model_by_name(PG_FUNCTION_ARGS)
{
	int32		version = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(1) && version < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("version of a model must be positive: %d", version)));
	PG_RETURN_DATUM(scoring_find_version(text_to_cstring(PG_GETARG_TEXT_PP(0)), version)->model);
}

/* model('name'), whose literal the parser leaves without a type, so that it does not read it as one of type model */
Datum
crm_model_by_literal(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(scoring_find_version(PG_GETARG_CSTRING(0), 0)->model);
}

/* store_model(name, model) */
Datum
crm_store_model(PG_FUNCTION_ARGS)
{
	scoring_version version = {0};
	int32		number;

	version.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	version.model = PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(1)));
	crm_catalogue_newest();
	number = scoring_add_version(&version, 0, NULL, true);
	PopActiveSnapshot();
	PG_RETURN_INT32(number);
}

static void
change_grant(FunctionCallInfo fcinfo, const char *statement)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *role = NameStr(*PG_GETARG_NAME(1));
	Oid			grantee = strcmp(role, "public") == 0 ? InvalidOid : get_role_oid(role, false);
	crm_catalogue_session session;

	crm_catalogue_newest();
	require_owner(name);
	crm_catalogue_begin(&session);
	crm_catalogue_write(statement, 2, TEXTOID, CStringGetTextDatum(name), false, OIDOID, ObjectIdGetDatum(grantee), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
}

Datum
crm_grant_model(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, "INSERT INTO @.model_grant (model, grantee) VALUES ($1, $2::regrole) ON CONFLICT DO NOTHING");
	PG_RETURN_VOID();
}

Datum
crm_revoke_model(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, "DELETE FROM @.model_grant WHERE model = $1 AND grantee::oid = $2");
	PG_RETURN_VOID();
}

/* drop_model(name) */
Datum
crm_drop_model(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	crm_catalogue_session session;

	crm_catalogue_newest();
	require_owner(name);
	crm_catalogue_begin(&session);
	crm_catalogue_write("DELETE FROM @.model_definition WHERE name = $1", 1, TEXTOID, CStringGetTextDatum(name), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

/* alter_model(name, version, state) */
Datum
crm_alter_model(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int32		version = PG_GETARG_INT32(1);
	char	   *state = text_to_cstring(PG_GETARG_TEXT_PP(2));
	crm_catalogue_session session;
	uint64		changed;

	if (strcmp(state, "draft") != 0 && strcmp(state, "approved") != 0 && strcmp(state, "retired") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid state of a model: \"%s\"", state),
				 errhint("It is draft, approved or retired.")));
	crm_catalogue_newest();
	require_owner(name);
	crm_catalogue_begin(&session);
	changed = crm_catalogue_write("UPDATE @.model_version SET state = $3 WHERE name = $1 AND version = $2", 3,
								  TEXTOID, CStringGetTextDatum(name), false, INT4OID, Int32GetDatum(version), false,
								  TEXTOID, CStringGetTextDatum(state), false);
	crm_catalogue_end(&session);
	if (changed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", name, version)));
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

/* rollback_model(name, version) */
Datum
crm_rollback_model(PG_FUNCTION_ARGS)
{
	char	   *name;
	crm_catalogue_session session;
	int32		number = 0;
	bool		changed;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	crm_catalogue_newest();
	require_owner(name);
	crm_catalogue_begin(&session);
	changed = crm_catalogue_write("UPDATE @.model_definition d SET champion = v.version FROM @.model_version v "
								  "WHERE d.name = $1 AND v.name = d.name AND v.state <> 'retired' AND v.version = coalesce($2, "
								  " (SELECT max(w.version) FROM @.model_version w WHERE w.name = d.name AND w.version < d.champion AND w.state <> 'retired')) "
								  "RETURNING d.champion", 2, TEXTOID, CStringGetTextDatum(name), false,
								  INT4OID, PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1), PG_ARGISNULL(1)) > 0;
	if (changed)
		number = (int32) crm_catalogue_number(0, 1, NULL);
	crm_catalogue_end(&session);
	if (!changed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 PG_ARGISNULL(1) ? errmsg("model \"%s\" has no earlier version to go back to", name) :
				 errmsg("model \"%s\" has no version %d that may be used", name, PG_GETARG_INT32(1)),
				 errdetail("Retired versions are not used.")));
	PopActiveSnapshot();
	PG_RETURN_INT32(number);
}
