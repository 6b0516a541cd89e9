/*
 * model_store.c - models by name: their versions, and the one in use.
 *
 * A model belongs to who made it first.  His role's members train, replace and
 * drop it; they and those he granted it to score by it.
 */
#include "scoring/train.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

CRM_FUNCTION(crm_model_by_name);
CRM_FUNCTION(crm_model_by_literal);
CRM_FUNCTION(crm_store_model);

/* ---- finding ---------------------------------------------------------------------- */

/* Only names that the caller may see are told. */
void
scoring_unknown_model(const char *name)
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
	bool		approves = false;
	bool		unused = false;
	char	   *state = NULL;

	crm_catalogue_begin(&session);
	known = crm_catalogue_read("SELECT d.owner::oid, v.version, v.version = d.champion, v.algorithm, v.query, v.label, v.options, v.encoding, "
							   " v.split, v.metrics, v.model, v.state, v.profile, EXISTS (SELECT FROM @.model_grant g WHERE g.model = d.name "
							   " AND (g.grantee::oid = 0 OR pg_has_role($3, g.grantee::oid, 'USAGE'))), EXISTS "
							   "(SELECT FROM @.model_grant g WHERE g.model = d.name AND g.privilege = 'approve' "
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
		approves = crm_catalogue_number(0, 15, NULL) != 0;
	}
	crm_catalogue_end(&session);
	if (!known)
		scoring_unknown_model(name);
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
	if (strcmp(state, "draft") == 0 && !approves && !has_privs_of_role(user, found->owner))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" is a draft", found->version, name),
				 errdetail("Before it is approved only its owner scores by it."),
				 errhint("It is approved with %s.alter_model('%s', %d, 'approved').", crm_schema(), name, found->version)));
	return found;
}

/* Rights that are missing are those of the model's owner, not of the caller. */
static void
rights_of_owner(void *arg)
{
	if (geterrcode() == ERRCODE_INSUFFICIENT_PRIVILEGE)
		errcontext("the rights are those of role \"%s\", who owns the model", (const char *) arg);
}

void
scoring_owner_begin(scoring_owner_session *session, const scoring_version *version)
{
	session->callback = (ErrorContextCallback) {error_context_stack, rights_of_owner, GetUserNameFromId(version->owner, true)};
	if (session->callback.arg == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the owner of model \"%s\" no longer exists", version->name),
				 errhint("Train a model of another name.")));
	crm_rights_check_owner(version->owner);
	error_context_stack = &session->callback;
	GetUserIdAndSecContext(&session->saved_user, &session->saved_context);
	SetUserIdAndSecContext(version->owner, session->saved_context | SECURITY_RESTRICTED_OPERATION);
	session->settings = NewGUCNestLevel();
}

void
scoring_owner_end(scoring_owner_session *session)
{
	AtEOXact_GUC(false, session->settings);
	SetUserIdAndSecContext(session->saved_user, session->saved_context);
	error_context_stack = session->callback.previous;
}

void
scoring_not_owner(const char *name)
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
		scoring_not_owner(name);
	return known;
}

/* The same where there must be one. */
void
scoring_require_owner(const char *name)
{
	if (!scoring_may_replace(name))
		scoring_unknown_model(name);
}

/* ---- changing ------------------------------------------------------------------------ */

/*
 * Whoever changes which version is in use, or a version's state, waits for others who
 * do; the statements that follow see what they did.  Within a session.
 */
void
scoring_lock_model(const char *name)
{
	crm_catalogue_write("SELECT FROM @.model_definition WHERE name = $1 FOR UPDATE", 1, TEXTOID, CStringGetTextDatum(name), false);
}

int32
scoring_add_version(const scoring_version *version, int64 rows, const char *fingerprint, bool promote, int32 *in_use)
{
	crm_catalogue_session session;
	Oid			user = GetUserId();
	int32		number;
	Oid			owner;
	bool		approved;
	bool		known;

	if (version->name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a model must not be empty")));
	crm_catalogue_begin(&session);
	if (version->compared == 0)
		crm_catalogue_write("INSERT INTO @.model_definition (name, owner) VALUES ($1, $2::regrole) ON CONFLICT (name) DO NOTHING",
							2, TEXTOID, CStringGetTextDatum(version->name), false, OIDOID, ObjectIdGetDatum(user), false);
	/*
	 * Whoever adds a version at the same time waits here.  A draft is in use only where
	 * nothing approved is; what was compared with another one, only where that still is.
	 */
	known = crm_catalogue_write("UPDATE @.model_definition d SET versions = versions + 1, champion = CASE WHEN champion IS NULL OR ($2 AND ($4 = 0 OR champion = $4) AND (NOT ($3 OR approval) "
								" OR EXISTS (SELECT FROM @.model_version v WHERE v.name = d.name AND v.version = d.champion AND v.state = 'draft'))) "
								" THEN versions + 1 ELSE champion END WHERE name = $1 RETURNING versions, owner::oid, NOT ($3 OR approval), champion",
								4, TEXTOID, CStringGetTextDatum(version->name), false, BOOLOID, BoolGetDatum(promote), false,
								BOOLOID, BoolGetDatum(version->draft), false, INT4OID, Int32GetDatum(version->compared), false) > 0;
	if (!known)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" was dropped meanwhile", version->name)));
	number = (int32) crm_catalogue_number(0, 1, NULL);
	owner = (Oid) crm_catalogue_number(0, 2, NULL);
	approved = crm_catalogue_number(0, 3, NULL) != 0;
	if (in_use != NULL)
		*in_use = (int32) crm_catalogue_number(0, 4, NULL);
	if (!has_privs_of_role(user, owner))
		scoring_not_owner(version->name);
	crm_catalogue_write("INSERT INTO @.model_version (name, version, algorithm, query, label, options, encoding, split, metrics, model, rows, fingerprint, created_by, profile, state) "
						"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::regrole, $14, CASE WHEN $15 THEN 'approved' ELSE 'draft' END)", 15,
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
						JSONBOID, PointerGetDatum(version->profile), version->profile == NULL,
						BOOLOID, BoolGetDatum(approved), false);
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
	number = scoring_add_version(&version, 0, NULL, true, NULL);
	PopActiveSnapshot();
	PG_RETURN_INT32(number);
}
