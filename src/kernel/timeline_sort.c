/*
 * timeline_sort.c - the order of the events in a timeline.
 */
#include "kernel/timeline_writer.h"

/* Runs are made as long as this by insertion, then merged. */
#define SHORT_RUN 24

/* Finite numbers in order as whole numbers, -0 before 0. */
static inline int64_t
value_order(double value)
{
	int64_t		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits ^ ((bits >> 63) & INT64_MAX);
}

static inline uint32_t
set_code(const crm_timeline_writer *writer, uint32_t attributes)
{
	return attributes == 0 ? 0 : writer->sets.marks[attributes - 1].code;
}

/* At one instant: negative, 0 or positive as a comes before b, equals it, or comes behind. */
static int
compare_at_once(const crm_timeline_writer *writer, const crm_timeline_event *a, const crm_timeline_event *b)
{
	if (a->name != b->name)
		return writer->names.marks[a->name].code < writer->names.marks[b->name].code ? -1 : 1;
	if (a->has_value != b->has_value)
		return b->has_value ? -1 : 1;
	if (a->has_value)
	{
		int64_t		left = value_order(a->value),
					right = value_order(b->value);

		if (left != right)
			return left < right ? -1 : 1;
	}
	if (a->attributes != b->attributes)
		return set_code(writer, a->attributes) < set_code(writer, b->attributes) ? -1 : 1;
	return 0;
}

static inline bool
event_before(const crm_timeline_writer *writer, const crm_timeline_event *a, const crm_timeline_event *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	return compare_at_once(writer, a, b) < 0;
}

/* Puts events[from ... end - 1] into their places among those before them, which are in order from `start` on. */
static void
insert_events(const crm_timeline_writer *writer, crm_timeline_event *events, size_t start, size_t from, size_t end)
{
	for (size_t i = from; i < end; i++)
	{
		crm_timeline_event event;
		size_t		j = i;

		if (!event_before(writer, &events[i], &events[i - 1]))
			continue;
		event = events[i];
		do
			events[j] = events[j - 1];
		while (--j > start && event_before(writer, &event, &events[j - 1]));
		events[j] = event;
	}
}

/* Runs as they come, short ones made longer by insertion, are merged two by two until one is left. */
crm_status
crm_timeline_sort(crm_timeline_writer *writer, crm_timeline_event *events, size_t count)
{
	const crm_env *env = &writer->env;
	crm_timeline_event *scratch,
			   *from = events,
			   *to;
	size_t	   *ends,
				runs = 0,
				end = 0;

	if (count <= SHORT_RUN)
	{
		if (count > 1)
			insert_events(writer, events, 0, 1, count);
		return CRM_OK;
	}
	ends = env->alloc(env->arg, sizeof(size_t) * (count / SHORT_RUN + 1));
	if (ends == NULL)
		return CRM_NO_MEMORY;
	while (end < count)
	{
		size_t		start = end;

		for (end = start + 1; end < count && !event_before(writer, &events[end], &events[end - 1]); end++)
			if (end % CRM_TIMELINE_PROGRESS == 0)
				crm_progress(env);
		if (end - start < SHORT_RUN && end < count)
		{
			size_t		longer = count - start < SHORT_RUN ? count : start + SHORT_RUN;

			insert_events(writer, events, start, end, longer);
			end = longer;
		}
		ends[runs++] = end;
	}
	if (runs > 1)
	{
		scratch = env->alloc(env->arg, sizeof(crm_timeline_event) * count);
		if (scratch == NULL)
			return CRM_NO_MEMORY;
		to = scratch;
		while (runs > 1)
		{
			crm_timeline_event *swap = from;
			size_t		merged = 0,
						start = 0;

			for (size_t run = 0; run < runs; run += 2)
			{
				size_t		left = start,
							middle = ends[run],
							right = middle;

				end = run + 1 < runs ? ends[run + 1] : middle;
				for (size_t i = start; i < end; i++)
				{
					if (left < middle && (right >= end || !event_before(writer, &from[right], &from[left])))
						to[i] = from[left++];
					else
						to[i] = from[right++];
					if (i % CRM_TIMELINE_PROGRESS == 0)
						crm_progress(env);
				}
				ends[merged++] = start = end;
			}
			runs = merged;
			from = to;
			to = swap;
		}
		if (from != events)
			memcpy(events, from, sizeof(crm_timeline_event) * count);
		env->release(env->arg, scratch);
	}
	env->release(env->arg, ends);
	return CRM_OK;
}

/* Keeps one of events that are equal in everything; they stand side by side. */
size_t
crm_timeline_drop_equal(const crm_timeline_writer *writer, crm_timeline_event *events, size_t count)
{
	size_t		kept = 1;

	for (size_t i = 1; i < count; i++)
	{
		if (events[i].at == events[kept - 1].at && compare_at_once(writer, &events[i], &events[kept - 1]) == 0)
			continue;
		if (kept != i)
			events[kept] = events[i];
		kept++;
	}
	return kept;
}
