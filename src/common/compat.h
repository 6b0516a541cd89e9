/*
 * compat.h - the one place where PostgreSQL 15 to 18 differ.
 */
#ifndef CRM_COMPAT_H
#define CRM_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "crm_analytics needs PostgreSQL 15 or later"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Before 16 nothing stands behind PGDLLEXPORT here, and -fvisibility=hidden would hide the entry points. */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/* pg_attribute_noreturn() is pg_noreturn, in front, from 18 on; both compilers know this one everywhere. */
#define CRM_NORETURN __attribute__((noreturn))

#endif							/* CRM_COMPAT_H */
