/*
 * model_govern.c - the states of a model's versions, which of them is in use, and
 * who may use and approve them.
 *
 *   draft      scored by its owner's members, and by those who may approve it; in use
 *              only where nothing approved ever was
 *   approved   as everybody to whom it is granted knows a model
 *   retired    nothing is scored by it; the version stays
 *
 * Stale is no state but a mark: the rows of today have drifted away.  Nothing is
 * refused for it.
 */
#include "scoring/train.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "tag/tag.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"

CRM_FUNCTION(crm_grant_model);
CRM_FUNCTION(crm_revoke_model);
CRM_FUNCTION(crm_drop_model);
CRM_FUNCTION(crm_alter_model);
CRM_FUNCTION(crm_alter_model_approval);
CRM_FUNCTION(crm_rollback_model);

/* ---- grants -------------------------------------------------------------------- */

static void
change_grant(FunctionCallInfo fcinfo, const char *statement)
{
	char	   *privilege = text_to_cstring(PG_GETARG_TEXT_PP(2));
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *role = NameStr(*PG_GETARG_NAME(1));
	Oid			grantee = strcmp(role, "public") == 0 ? InvalidOid : get_role_oid(role, false);
	crm_catalogue_session session;

	if (strcmp(privilege, "use") != 0 && strcmp(privilege, "approve") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown privilege \"%s\"", privilege),
				 errhint("It is 'use' or 'approve'.")));
	crm_catalogue_newest();
	scoring_require_owner(name);
	crm_catalogue_begin(&session);
	crm_catalogue_write(statement, 3, TEXTOID, CStringGetTextDatum(name), false, OIDOID, ObjectIdGetDatum(grantee), false,
						TEXTOID, CStringGetTextDatum(privilege), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
}

Datum
crm_grant_model(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, "INSERT INTO @.model_grant (model, grantee, privilege) VALUES ($1, $2::regrole, $3) ON CONFLICT DO NOTHING");
	PG_RETURN_VOID();
}

Datum
crm_revoke_model(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, "DELETE FROM @.model_grant WHERE model = $1 AND grantee::oid = $2 AND privilege = $3");
	PG_RETURN_VOID();
}

/* drop_model(name) */
Datum
crm_drop_model(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	crm_catalogue_session session;

	crm_catalogue_newest();
	scoring_require_owner(name);
	crm_catalogue_begin(&session);
	crm_catalogue_write("DELETE FROM @.model_definition WHERE name = $1", 1, TEXTOID, CStringGetTextDatum(name), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

/* ---- states ------------------------------------------------------------------ */

/* Whose version it is, and may the current user approve it?  42704 for no such model or version. */
typedef struct model_rights
{
	bool		owns;
	bool		approves;
	bool		required;		/* approval by somebody else */
	Oid			author;
} model_rights;

static model_rights
find_rights(const char *name, int32 version)
{
	crm_catalogue_session session;
	model_rights rights = {0};
	Oid			user = GetUserId();
	Oid			owner = InvalidOid;
	bool		no_version = false;
	bool		known;

	crm_catalogue_begin(&session);
	known = crm_catalogue_read("SELECT d.owner::oid, d.approval, v.created_by::oid, EXISTS (SELECT FROM @.model_grant g WHERE g.model = d.name "
							   " AND g.privilege = 'approve' AND (g.grantee::oid = 0 OR pg_has_role($3, g.grantee::oid, 'USAGE'))) "
							   "FROM @.model_definition d LEFT JOIN @.model_version v ON v.name = d.name AND v.version = $2 WHERE d.name = $1",
							   3, TEXTOID, CStringGetTextDatum(name), false, INT4OID, Int32GetDatum(version), false,
							   OIDOID, ObjectIdGetDatum(user), false) > 0;
	if (known)
	{
		owner = (Oid) crm_catalogue_number(0, 1, NULL);
		rights.required = crm_catalogue_number(0, 2, NULL) != 0;
		rights.author = (Oid) crm_catalogue_number(0, 3, &no_version);
		rights.approves = crm_catalogue_number(0, 4, NULL) != 0;
	}
	crm_catalogue_end(&session);
	if (!known)
		scoring_unknown_model(name);
	rights.owns = has_privs_of_role(user, owner);
	rights.approves |= rights.owns;
	if (!rights.approves)
		scoring_not_owner(name);
	if (no_version)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", name, version)));
	return rights;
}

/* alter_model(name, version, state) */
Datum
crm_alter_model(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int32		version = PG_GETARG_INT32(1);
	char	   *state = text_to_cstring(PG_GETARG_TEXT_PP(2));
	bool		approve = strcmp(state, "approved") == 0;
	crm_catalogue_session session;
	model_rights rights;

	if (!approve && strcmp(state, "draft") != 0 && strcmp(state, "retired") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid state of a model: \"%s\"", state),
				 errhint("It is draft, approved or retired.")));
	crm_catalogue_newest();
	(void) find_rights(name, version);
	PopActiveSnapshot();
	crm_catalogue_begin(&session);
	scoring_lock_model(name);
	crm_catalogue_end(&session);
	/* as it is after the wait */
	crm_catalogue_newest();
	rights = find_rights(name, version);
	if (approve && rights.required && rights.author == GetUserId())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the author of a version cannot approve it"),
				 errdetail("Version %d of model \"%s\" is yours, and the model requires the approval of somebody else.", version, name)));
	crm_catalogue_begin(&session);
	crm_catalogue_write("UPDATE @.model_version SET state = $3, approved_at = CASE WHEN $4 THEN now() END, approved_by = CASE WHEN $4 THEN $5::regrole END "
						"WHERE name = $1 AND version = $2", 5,
						TEXTOID, CStringGetTextDatum(name), false, INT4OID, Int32GetDatum(version), false,
						TEXTOID, CStringGetTextDatum(state), false, BOOLOID, BoolGetDatum(approve), false,
						OIDOID, ObjectIdGetDatum(session.saved_user), false);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
	PG_RETURN_VOID();
}

/* alter_model(name, approval) */
Datum
crm_alter_model_approval(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	crm_catalogue_session session;

	crm_catalogue_newest();
	scoring_require_owner(name);
	crm_catalogue_begin(&session);
	crm_catalogue_write("UPDATE @.model_definition SET approval = $2 WHERE name = $1", 2, TEXTOID, CStringGetTextDatum(name), false,
						BOOLOID, PG_GETARG_DATUM(1), false);
	crm_catalogue_end(&session);
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
	scoring_require_owner(name);
	crm_catalogue_begin(&session);
	scoring_lock_model(name);
	changed = crm_catalogue_write("UPDATE @.model_definition d SET champion = v.version FROM @.model_version v "
								  "WHERE d.name = $1 AND v.name = d.name AND v.state = 'approved' AND v.version = coalesce($2, "
								  " (SELECT max(w.version) FROM @.model_version w WHERE w.name = d.name AND w.version < d.champion AND w.state = 'approved')) "
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
				 errdetail("Drafts and retired versions are not taken into use.")));
	PopActiveSnapshot();
	PG_RETURN_INT32(number);
}

/* ---- drift --------------------------------------------------------------------- */

void
scoring_note_drift(const scoring_version *version, Jsonb *drift, const char *cause)
{
	crm_catalogue_session session;

	crm_catalogue_newest();
	crm_catalogue_begin(&session);
	crm_catalogue_write("UPDATE @.model_version SET drift = $3, drift_checked_at = now(), stale_since = CASE WHEN $4 IS NOT NULL THEN coalesce(stale_since, now()) END, "
						" stale_cause = $4 WHERE name = $1 AND version = $2", 4,
						TEXTOID, CStringGetTextDatum(version->name), false, INT4OID, Int32GetDatum(version->version), false,
						JSONBOID, JsonbPGetDatum(drift), false,
						TEXTOID, cause != NULL ? CStringGetTextDatum(cause) : (Datum) 0, cause == NULL);
	crm_catalogue_end(&session);
	PopActiveSnapshot();
}
