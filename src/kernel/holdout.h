/*
 * holdout.h - control groups by hash.
 *
 * Where a customer stands depends on his id and the salt alone:
 *
 *		seed  = mix(FNV-1a-64 of the salt's bytes)
 *		place = mix(mix(id ^ seed) + seed)
 *		held out when place / 2^64 < share
 *
 * mix is the finaliser of splitmix64 (Steele, Lea & Flood 2014, "Fast splittable
 * pseudorandom number generators"); FNV-1a is Fowler, Noll & Vo's.  These formulas
 * never change: groups that are out in the world depend on them.
 */
#ifndef CRM_KERNEL_HOLDOUT_H
#define CRM_KERNEL_HOLDOUT_H

#include "kernel/ids.h"

extern uint64_t crm_holdout_seed(const uint8_t *salt, size_t size);
/* The members of the set that are held out, share 0 ... 1. */
extern crm_status crm_ids_holdout(const crm_env *env, crm_ids set, double share, uint64_t seed, crm_ids_builder *out);

#endif							/* CRM_KERNEL_HOLDOUT_H */
