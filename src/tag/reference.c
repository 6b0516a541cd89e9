/*
 * reference.c - foreign keys of the catalogue, checked where the extension writes.
 *
 * The check is the server's own, with its locks and its message; only whether there
 * is one is decided here (references.sql says why).
 */
#include "common/crm.h"

#include "access/htup_details.h"
#include "catalog/pg_constraint.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/syscache.h"

CRM_FUNCTION(crm_reference_check);

/* The relation that a foreign key refers to. */
static Oid
referred_by(Oid constraint, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	Oid			referred;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	if (form->contype != CONSTRAINT_FOREIGN)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("constraint \"%s\" is not a foreign key", name)));
	referred = form->confrelid;
	ReleaseSysCache(tuple);
	return referred;
}

/* reference_check(name of the foreign key): the server's check, as if it were called for that key */
Datum
crm_reference_check(PG_FUNCTION_ARGS)
{
	fmNodePtr	context = fcinfo->context;
	TriggerData data;
	Trigger		trigger;

	if (!CALLED_AS_TRIGGER(fcinfo) || ((TriggerData *) context)->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("reference_check must be a trigger with the name of a foreign key as its argument")));
	/* all sessions of the catalogue are restricted; who restores is not */
	if (!InSecurityRestrictedOperation())
		return PointerGetDatum(NULL);
	data = *(TriggerData *) context;
	trigger = *data.tg_trigger;
	trigger.tgconstraint = get_relation_constraint_oid(RelationGetRelid(data.tg_relation), trigger.tgargs[0], false);
	trigger.tgconstrrelid = referred_by(trigger.tgconstraint, trigger.tgargs[0]);
	data.tg_trigger = &trigger;
	fcinfo->context = (fmNodePtr) &data;
	if (TRIGGER_FIRED_BY_UPDATE(data.tg_event))
		(void) RI_FKey_check_upd(fcinfo);
	else
		(void) RI_FKey_check_ins(fcinfo);
	fcinfo->context = context;
	return PointerGetDatum(NULL);
}
