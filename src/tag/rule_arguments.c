/*
 * rule_arguments.c - the calls of a rule: which of them are of our own functions,
 * and with which arguments.
 */
#include "common/crm.h"

#include "access/htup_details.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "funcapi.h"
#include "tag/rule_internal.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

char *
crm_rule_our_function(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	char	   *symbol = NULL;
	bool		isnull;
	Datum		source;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	if (((Form_pg_proc) GETSTRUCT(tuple))->prolang == ClanguageId)
	{
		source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
		if (!isnull)
			symbol = TextDatumGetCString(source);
	}
	ReleaseSysCache(tuple);
	return symbol != NULL && strncmp(symbol, "crm_", 4) == 0 ? symbol : NULL;
}

Node *
crm_rule_argument(const FuncExpr *call, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(call->funcid));
	Oid		   *types;
	char	  **names;
	char	   *modes;
	int			count;
	int			place = 0;
	Node	   *found = NULL;
	ListCell   *cell;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	count = get_func_arg_info(tuple, &types, &names, &modes);
	ReleaseSysCache(tuple);
	foreach(cell, call->args)
	{
		Node	   *arg = lfirst(cell);
		int			number = IsA(arg, NamedArgExpr) ? ((NamedArgExpr *) arg)->argnumber : place;

		if (names != NULL && number < count && names[number] != NULL && strcmp(names[number], name) == 0)
			found = IsA(arg, NamedArgExpr) ? (Node *) ((NamedArgExpr *) arg)->arg : arg;
		place++;
	}
	return found;
}
