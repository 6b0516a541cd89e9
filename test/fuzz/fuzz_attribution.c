/*
 * fuzz_attribution.c - any bytes as a state of attribution: refused, or
 * answered with credits that add up, and passed on without loss.
 *
 * The first byte chooses the method; the rest is the state.
 */
#include "fuzz.h"

#include "kernel/attribution.h"

/* Memory of one run, given back at its end, as a context's owner would. */
typedef struct block
{
	struct block *next;
	struct block *before;
} block;

static block all = {&all, &all};

static void *
track(block *b)
{
	REQUIRE(b != NULL);
	b->next = all.next;
	b->before = &all;
	all.next->before = b;
	all.next = b;
	return b + 1;
}

static void
forget(block *b)
{
	b->next->before = b->before;
	b->before->next = b->next;
}

static void *
tracked_alloc(void *arg, size_t size)
{
	return track(malloc(sizeof(block) + size));
}

static void
tracked_release(void *arg, void *ptr)
{
	if (ptr == NULL)
		return;
	forget((block *) ptr - 1);
	free((block *) ptr - 1);
}

static void *
tracked_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	void	   *larger = tracked_alloc(arg, new_size);

	if (ptr != NULL)
		memcpy(larger, ptr, old_size < new_size ? old_size : new_size);
	tracked_release(arg, ptr);
	return larger;
}

static void
try_state(const crm_env *env, const crm_attribution_method *method, const uint8_t *data, size_t size)
{
	crm_attribution state,
				copy;
	crm_channel_credit *credits,
			   *copied;
	crm_attribution_transition *transitions;
	uint32_t	count,
				copied_count;
	uint8_t    *bytes;
	double		sums[2] = {0, 0};

	crm_attribution_init(&state, env, method);
	if (crm_attribution_read(&state, data, size) != CRM_OK)
		return;

	bytes = tracked_alloc(NULL, crm_attribution_size(&state));
	crm_attribution_write(&state, bytes);
	crm_attribution_init(&copy, env, method);
	REQUIRE(crm_attribution_read(&copy, bytes, crm_attribution_size(&state)) == CRM_OK);

	if (method->rule == CRM_ATTRIBUTION_MARKOV)
		(void) crm_attribution_transitions(&state, env, &transitions, &count);
	if (crm_attribution_credits(&state, env, &credits, &count) != CRM_OK)
		return;
	for (uint32_t i = 0; i < count; i++)
	{
		REQUIRE(credits[i].conversions >= 0 && credits[i].value >= 0);
		sums[0] += credits[i].conversions;
		sums[1] += credits[i].value;
	}
	REQUIRE(sums[0] == crm_exact_round(&state.totals[CRM_CONVERSIONS]));
	REQUIRE(sums[1] == crm_exact_round(&state.totals[CRM_VALUE]));
	REQUIRE(crm_attribution_credits(&copy, env, &copied, &copied_count) == CRM_OK && copied_count == count);
	for (uint32_t i = 0; i < count; i++)
		REQUIRE(credits[i].conversions == copied[i].conversions && credits[i].value == copied[i].value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = {"first", "last", "linear", "position", "decay", "shapley", "markov", "markov:3"};
	crm_env		env = {tracked_alloc, tracked_resize, tracked_release, NULL, NULL};
	crm_attribution_method method;
	const char *text;

	if (size == 0)
		return 0;
	text = methods[data[0] % 8];
	REQUIRE(crm_attribution_parse(text, strlen(text), &method) == CRM_OK);
	try_state(&env, &method, data + 1, size - 1);
	while (all.next != &all)
		tracked_release(NULL, all.next + 1);
	return 0;
}
