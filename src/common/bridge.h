/*
 * bridge.h - the only bridge between PostgreSQL and the kernels: memory,
 * interrupts and errors.
 */
#ifndef CRM_BRIDGE_H
#define CRM_BRIDGE_H

#include "common/crm.h"
#include "kernel/kernel.h"

/*
 * An environment whose memory comes from one context (huge allocations
 * allowed) and whose progress callback serves interrupts.  Out of memory is
 * raised by the allocator itself, so kernels never see NULL here.
 */
extern crm_env crm_env_in(MemoryContext context);

/*
 * Raises the error that belongs to a kernel's status; nothing for CRM_OK.
 * type_name stands in the message: "invalid value for type crm.audience".
 * from_wire says whether bytes came from outside (22P03) or from storage (XX001).
 */
extern void crm_check(crm_status status, const char *type_name, bool from_wire);

/* Largest varlena that may be built; beyond it 54000 naming the type. */
extern void crm_check_size(Size size, const char *type_name);

#endif							/* CRM_BRIDGE_H */
