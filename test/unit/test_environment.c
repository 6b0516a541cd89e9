/*
 * test_environment.c - what every kernel relies on: the environment's
 * contract and the status macro.
 */
#include "unit.h"

static int	progressed;

static void
count_progress(void *arg)
{
	progressed += *(int *) arg;
}

static crm_status
pass_on(crm_status status)
{
	CRM_TRY(status);
	return CRM_OUT_OF_RANGE;
}

int
main(void)
{
	int			step = 3;
	crm_env		env = unit_env();
	void	   *memory = env.alloc(env.arg, 0);

	/* Room for nothing is not NULL: NULL says "out of memory". */
	CHECK(memory != NULL);
	memory = env.resize(env.arg, memory, 0, 100);
	CHECK(memory != NULL);
	env.release(env.arg, memory);

	/* No callback is fine. */
	crm_progress(&env);
	env.progress = count_progress;
	env.arg = &step;
	crm_progress(&env);
	crm_progress(&env);
	CHECK_EQUAL(progressed, 6);

	CHECK_EQUAL(pass_on(CRM_CORRUPT), CRM_CORRUPT);
	CHECK_EQUAL(pass_on(CRM_OK), CRM_OUT_OF_RANGE);
	return unit_done();
}
