/*
 * module.c - the library's entry: magic block and settings.
 */
#include "common/crm.h"

#include "common/settings.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	crm_define_settings();
}
