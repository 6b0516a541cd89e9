/*
 * kept.h - an answer that a STABLE function keeps for the query it stands in.
 *
 * "WHERE id <@ crm.tag('vip')" calls the function for every row; the set is
 * read once.  An answer lives in the call's own FmgrInfo, and is used again only
 * while user, subtransaction, snapshot and arguments are the same: a PL/pgSQL
 * expression keeps its FmgrInfo over statements that change the sets.
 */
#ifndef CRM_TAG_KEPT_H
#define CRM_TAG_KEPT_H

#include "common/crm.h"

/*
 * The answer kept for the call's first nargs arguments (at most 4), of which the
 * first (strings of them) are of type text and all others passed by value; NULL
 * when there is none.
 */
extern void *crm_kept_find(FunctionCallInfo fcinfo, int nargs, int strings);
/* Where the next answer for these arguments has to be built; the old one is gone. */
extern MemoryContext crm_kept_context(FunctionCallInfo fcinfo, int nargs, int strings);
/* Keeps the answer, which lies in that context. */
extern void crm_kept_store(FunctionCallInfo fcinfo, void *answer);

/*
 * The same for answers that are values (varlenas, whole): besides at the call
 * site, they are kept for the transaction, so that what the planner read to
 * estimate is not read again.
 */
extern void *crm_kept_find_value(FunctionCallInfo fcinfo, int nargs, int strings);
extern void crm_kept_store_value(FunctionCallInfo fcinfo, int nargs, int strings, void *answer);

#endif							/* CRM_TAG_KEPT_H */
