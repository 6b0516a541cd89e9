/*
 * bridge.c - memory, interrupts and errors for the kernels.
 */
#include "common/bridge.h"

static void *
env_alloc(void *arg, size_t size)
{
	return MemoryContextAllocHuge((MemoryContext) arg, size == 0 ? 1 : size);
}

static void *
env_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	if (ptr == NULL)
		return env_alloc(arg, new_size);
	return repalloc_huge(ptr, new_size == 0 ? 1 : new_size);
}

static void
env_release(void *arg, void *ptr)
{
	if (ptr != NULL)
		pfree(ptr);
}

static void
env_progress(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

crm_env
crm_env_in(MemoryContext context)
{
	crm_env		env = {env_alloc, env_resize, env_release, env_progress, context};

	return env;
}

void
crm_check(crm_status status, const char *type_name, bool from_wire)
{
	switch (status)
	{
		case CRM_OK:
			return;
		case CRM_NO_MEMORY:
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory")));
			break;
		case CRM_CORRUPT:
			ereport(ERROR,
					(errcode(from_wire ? ERRCODE_INVALID_BINARY_REPRESENTATION : ERRCODE_DATA_CORRUPTED),
					 from_wire ? errmsg("invalid binary value for type %s", type_name) :
					 errmsg("damaged value of type %s", type_name)));
			break;
		case CRM_OUT_OF_RANGE:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value out of range for type %s", type_name)));
			break;
		case CRM_LIMIT:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("value of type %s would exceed its size limit", type_name),
					 errdetail("A value holds at most %zu bytes.", (Size) MaxAllocSize)));
			break;
	}
}

void
crm_check_size(Size size, const char *type_name)
{
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value of type %s would need %zu bytes", type_name, size),
				 errdetail("A value holds at most %zu bytes.", (Size) MaxAllocSize)));
}
