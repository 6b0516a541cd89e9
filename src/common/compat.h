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

/* The actions of a JSON parser return a status from 16 on; its constructor and the parser of dates took more arguments. */
#if PG_VERSION_NUM >= 160000
#define CRM_JSON_ACTION JsonParseErrorType
#define CRM_JSON_CONTINUE() return JSON_SUCCESS
#define crm_decode_date_time(field, type, fields, kind, tm, fsec, zone) \
	DecodeDateTime(field, type, fields, kind, tm, fsec, zone, &(DateTimeErrorExtra) {0})
#else
#define CRM_JSON_ACTION void
#define CRM_JSON_CONTINUE() return
#define crm_decode_date_time(field, type, fields, kind, tm, fsec, zone) \
	DecodeDateTime(field, type, fields, kind, tm, fsec, zone)
#endif

#if PG_VERSION_NUM >= 170000
#define crm_json_lexer(json, size, encoding) makeJsonLexContextCstringLen(NULL, json, size, encoding, true)
#else
#define crm_json_lexer(json, size, encoding) makeJsonLexContextCstringLen(json, size, encoding, true)
#endif

/* Who owns a relation may drop its triggers. */
#if PG_VERSION_NUM >= 160000
#define crm_owns_relation(relation, role) object_ownercheck(RelationRelationId, relation, role)
#else
#define crm_owns_relation(relation, role) pg_class_ownercheck(relation, role)
#endif

/* A backend's status by its place in the snapshot, from 1. */
#if PG_VERSION_NUM >= 160000
#define crm_local_backend_status(place) pgstat_get_local_beentry_by_index(place)
#else
#define crm_local_backend_status(place) pgstat_fetch_stat_local_beentry(place)
#endif

/* Reads exactly so many bytes of a temporary file. */
#if PG_VERSION_NUM >= 160000
#define crm_buffile_read(file, bytes, size) BufFileReadExact(file, bytes, size)
#else
#define crm_buffile_read(file, bytes, size) \
	do { \
		if (BufFileRead(file, bytes, size) != (size)) \
			ereport(ERROR, \
					(errcode_for_file_access(), \
					 errmsg("could not read from a temporary file: %m"))); \
	} while (0)
#endif

#endif							/* CRM_COMPAT_H */
