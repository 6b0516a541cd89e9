/*
 * chunk_patch.h - a stored set within one chunk after some of its customers
 * were looked at again.
 */
#ifndef CRM_KERNEL_CHUNK_PATCH_H
#define CRM_KERNEL_CHUNK_PATCH_H

#include "kernel/tag_chunk.h"

/* The encoded set (size 0: nobody) before and after. */
typedef struct crm_chunk_patched
{
	size_t		size;			/* of what was written */
	uint32_t	before;			/* members */
	uint32_t	after;
} crm_chunk_patched;

/* Room that the result may need. */
extern size_t crm_chunk_patch_bound(int bits, size_t old_size, size_t new_size);
/*
 * Writes the old set without the evaluated offsets, and with the new set, whose
 * members are among them.  Offsets ascend and are different.  CRM_CORRUPT where a
 * set does not decode or the new one has others.
 */
extern crm_status crm_chunk_patch(const crm_env *env, int bits, const uint8_t *old_data, size_t old_size,
								  const uint64_t *evaluated, size_t count, const uint8_t *new_data, size_t new_size,
								  uint8_t *out, crm_chunk_patched *patched);

#endif							/* CRM_KERNEL_CHUNK_PATCH_H */
