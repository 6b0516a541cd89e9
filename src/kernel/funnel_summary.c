/*
 * funnel_summary.c - the deepest way through a funnel with restrictions.
 *
 * With a greatest gap, or with something excluded, neither the earliest nor
 * the latest event for a step is always the right one, so chains are judged
 * from their end.  For a depth, and an event at step k, let the *end* be the
 * earliest instant at which a chain from this event on can reach the depth.
 * All that an event asks of the one behind it (gaps, nothing excluded between)
 * is that it lie in a range of instants, and as the event moves on in time so
 * do both bounds of its range.  So the ends of step k are the least ends of
 * step k + 1 in a window that slides over the instants, found in one pass.  A
 * chain can begin at an event if its end is not later than the width allows,
 * and going forward from there, the first event whose end still is in time is
 * the earliest that the chain can take.
 *
 * Where the attribute is held, the events of each of its values are searched
 * alone.
 */
#include "kernel/funnel_summary.h"

#include "kernel/sort.h"

#define PROGRESS_STEP 4096
#define NEVER UINT32_MAX
#define FAN 16					/* of the tree of least ends */
#define TREE_LEVELS 8

/* Least ends over FAN, FAN squared, ... of them. */
typedef struct end_tree
{
	uint32_t   *level[TREE_LEVELS];
	uint32_t	size[TREE_LEVELS];
	int			levels;
} end_tree;

/* The events of one value of the attribute, or all. */
typedef struct part
{
	uint32_t	size;			/* distinct instants */
	int64_t    *at;				/* by instant */
	uint64_t   *any;			/* conditions that some event meets */
	int64_t    *period;
	size_t	   *first;			/* its first event in the list */
	uint32_t   *from;			/* by pair and instant: the range of the next step's instants; empty if from > until */
	uint32_t   *until;
	end_tree	ends[CRM_MAX_CONDITIONS];	/* by step */
	uint32_t   *queue;
} part;

typedef struct search
{
	const crm_env *env;
	const crm_funnel_plan *plan;
	const crm_funnel_event **list;	/* in order */
	size_t		count;
	int64_t    *barrier[CRM_MAX_CONDITIONS];	/* by pair, in order: when something was excluded whatever its attribute */
	size_t		barriers[CRM_MAX_CONDITIONS];
	crm_funnel_path *path;
	size_t		paths;
	size_t		room;
} search;

static bool
time_before(const void *left, const void *right)
{
	const crm_funnel_event *a = left,
			   *b = right;

	return a->at < b->at;
}

static bool
label_before(const void *left, const void *right)
{
	const crm_funnel_event *a = left,
			   *b = right;

	return a->label != b->label ? a->label < b->label : a->at < b->at;
}

/* By period, then the better one. */
static bool
path_before(const void *left, const void *right)
{
	const crm_funnel_path *a = left,
			   *b = right;

	if (a->period != b->period)
		return a->period < b->period;
	if (a->level != b->level)
		return a->level > b->level;
	for (int i = 0; i < a->level; i++)
		if (a->times[i] != b->times[i])
			return a->times[i] < b->times[i];
	return a->label < b->label;
}

static void *
get_memory(const crm_env *env, uint64_t count, size_t size, crm_status *status)
{
	void	   *memory = *status == CRM_OK ? env->alloc(env->arg, count * size) : NULL;

	if (memory == NULL)
		*status = CRM_NO_MEMORY;
	return memory;
}

static inline bool
has_step(const part *p, uint32_t instant, int step)
{
	return (p->any[instant] >> (step - 1) & 1) != 0;
}

/* ---- the tree of least ends ----------------------------------------------- */

/* Room over so many ends. */
static crm_status
make_tree(const crm_env *env, end_tree *tree, uint32_t size)
{
	crm_status	status = CRM_OK;

	tree->levels = 0;
	do
	{
		tree->size[tree->levels] = size;
		tree->level[tree->levels++] = get_memory(env, size, sizeof(uint32_t), &status);
		size = (size + FAN - 1) / FAN;
	} while (tree->size[tree->levels - 1] > 1 && status == CRM_OK);
	return status;
}

static void
fill_tree(end_tree *tree)
{
	for (int level = 1; level < tree->levels; level++)
		for (uint32_t i = 0; i < tree->size[level]; i++)
		{
			uint32_t	least = NEVER;

			for (uint32_t k = i * FAN; k < tree->size[level - 1] && k < (i + 1) * FAN; k++)
				if (tree->level[level - 1][k] < least)
					least = tree->level[level - 1][k];
			tree->level[level][i] = least;
		}
}

/* The first instant from here on whose end is not later; there is one. */
static uint32_t
first_in_time(const end_tree *tree, uint32_t from, uint32_t latest)
{
	int			level = 0;
	uint32_t	i = from;

	/* Up until something fits, over whole groups. */
	while (i >= tree->size[level] || tree->level[level][i] > latest)
	{
		i++;
		while (i % FAN == 0 && level + 1 < tree->levels)
		{
			i /= FAN;
			level++;
		}
	}
	/* Down to the first. */
	while (level > 0)
	{
		level--;
		i *= FAN;
		while (tree->level[level][i] > latest)
			i++;
	}
	return i;
}

/* ---- one part ------------------------------------------------------------- */

/* The first of ascending times that is later. */
static size_t
first_after(const int64_t *times, size_t count, int64_t at)
{
	size_t		low = 0,
				high = count;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (times[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What a step's event asks of the next one's place. */
static void
find_ranges(const search *s, part *p, int k)
{
	const crm_funnel_pair *pair = &s->plan->pair[k];
	uint32_t   *from = p->from + (size_t) k * p->size,
			   *until = p->until + (size_t) k * p->size;
	uint32_t	low = 0,
				high = 0,
				barrier = p->size;	/* the next instant with something excluded */

	for (uint32_t i = 0; i < p->size; i++)
	{
		if (low < i)
			low = i;
		while (low < p->size && crm_time_between(p->at[i], p->at[low]) < pair->least)
			low++;
		if (high < i)
			high = i;
		while (high + 1 < p->size && crm_time_between(p->at[i], p->at[high + 1]) <= pair->most)
			high++;
		from[i] = low;
		until[i] = high;
		if (i % PROGRESS_STEP == 0)
			crm_progress(s->env);
	}
	if (pair->excluded != 0)
		for (uint32_t i = p->size; i-- > 0;)
		{
			if (barrier < until[i])
				until[i] = barrier;
			if ((p->any[i] & pair->excluded) != 0)
				barrier = i;
		}
	if (pair->excluded_any == 0)
		return;

	high = 0;
	for (uint32_t i = 0; i < p->size; i++)
	{
		size_t		next = first_after(s->barrier[k], s->barriers[k], p->at[i]);

		if (next == s->barriers[k])
			break;
		if (high < i)
			high = i;
		while (high + 1 < p->size && p->at[high + 1] <= s->barrier[k][next])
			high++;
		if (high < until[i])
			until[i] = high;
	}
}

/* The ends of step k from those of step k + 1; false when no event of step k has one. */
static bool
find_ends(const search *s, part *p, int step)
{
	const uint32_t *from = p->from + (size_t) (step - 1) * p->size,
			   *until = p->until + (size_t) (step - 1) * p->size;
	const uint32_t *later = p->ends[step].level[0];
	uint32_t   *ends = p->ends[step - 1].level[0];
	uint32_t	low = p->size;	/* instants from here on have been in the window */
	size_t		head = 0,
				tail = 0;
	bool		some = false;

	for (uint32_t i = p->size; i-- > 0;)
	{
		while (low > from[i])
		{
			low--;
			while (tail > head && later[p->queue[tail - 1]] >= later[low])
				tail--;
			p->queue[tail++] = low;
		}
		while (head < tail && p->queue[head] > until[i])
			head++;
		ends[i] = head < tail && has_step(p, i, step) ? later[p->queue[head]] : NEVER;
		some |= ends[i] != NEVER;
		if (i % PROGRESS_STEP == 0)
			crm_progress(s->env);
	}
	return some;
}

/* The last instant within the width. */
static uint32_t
latest_end(const search *s, const part *p, uint32_t start)
{
	uint32_t	low = start,
				high = p->size - 1;

	while (low < high)
	{
		uint32_t	middle = low + (high - low + 1) / 2;

		if (crm_time_between(p->at[start], p->at[middle]) <= s->plan->within)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* The attribute that the path is told under. */
static uint32_t
path_label(const search *s, const part *p, int level, const uint32_t *places)
{
	int			step = s->plan->breakdown == CRM_FUNNEL_BREAKDOWN_LAST ? level : s->plan->breakdown;
	uint32_t	label = CRM_FUNNEL_NO_LABEL;

	if (step == CRM_FUNNEL_NO_BREAKDOWN || step > level)
		return label;
	for (size_t i = p->first[places[step - 1]]; i < p->first[places[step - 1] + 1]; i++)
		if ((s->list[i]->met >> (step - 1) & 1) != 0 && s->list[i]->label < label)
			label = s->list[i]->label;
	return label;
}

static crm_status
add_path(search *s, const part *p, int level, uint32_t start, uint32_t latest)
{
	uint32_t	places[CRM_MAX_CONDITIONS];
	crm_funnel_path *path;
	crm_status	status = CRM_OK;

	if (s->paths == s->room)
	{
		size_t		room = s->room == 0 ? 4 : s->room * 2;

		path = s->env->resize(s->env->arg, s->path, s->room * sizeof(*path), room * sizeof(*path));
		if (path == NULL)
			return CRM_NO_MEMORY;
		s->path = path;
		s->room = room;
	}
	path = &s->path[s->paths];
	path->times = get_memory(s->env, level, sizeof(int64_t), &status);
	if (status != CRM_OK)
		return status;
	places[0] = start;
	for (int k = 1; k < level; k++)
		places[k] = first_in_time(&p->ends[k], p->from[(size_t) (k - 1) * p->size + places[k - 1]], latest);
	for (int k = 0; k < level; k++)
		path->times[k] = p->at[places[k]];
	path->period = p->period[start];
	path->level = level;
	path->label = path_label(s, p, level, places);
	s->paths++;
	return CRM_OK;
}

/* All paths of the periods that none was found for yet; such a period's starts are those not marked as done. */
static crm_status
search_depth(search *s, part *p, int depth, bool *done, uint32_t *open)
{
	uint32_t   *ends = p->ends[depth - 1].level[0];
	bool		filled = false;

	for (uint32_t i = 0; i < p->size; i++)
		ends[i] = has_step(p, i, depth) ? i : NEVER;
	for (int step = depth - 1; step >= 1; step--)
		if (!find_ends(s, p, step))
			return CRM_OK;
	ends = p->ends[0].level[0];
	for (uint32_t i = 0; i < p->size; i++)
	{
		uint32_t	latest;

		if (ends[i] == NEVER || done[i] || crm_time_between(p->at[i], p->at[ends[i]]) > s->plan->within)
			continue;
		latest = latest_end(s, p, i);
		if (!filled)
			for (int k = 1; k < depth; k++)
				fill_tree(&p->ends[k]);
		filled = true;
		CRM_TRY(add_path(s, p, depth, i, latest));
		/* A period's starts are neighbours but for instants that meet other steps. */
		for (uint32_t k = i; k-- > 0 && (!has_step(p, k, 1) || p->period[k] == p->period[i]);)
			if (has_step(p, k, 1) && !done[k])
				done[k] = true, (*open)--;
		for (uint32_t k = i; k < p->size && (!has_step(p, k, 1) || p->period[k] == p->period[i]); k++)
			if (has_step(p, k, 1) && !done[k])
				done[k] = true, (*open)--;
	}
	return CRM_OK;
}

/* The events first .. end - 1 of the list, which are in order of time. */
static crm_status
search_part(search *s, size_t first, size_t end)
{
	const crm_env *env = s->env;
	uint64_t	steps = ~UINT64_C(0) >> (CRM_MAX_CONDITIONS - s->plan->steps);
	uint64_t	all = 0;
	part		p = {0};
	crm_status	status = CRM_OK;
	uint32_t	open = 0;
	bool	   *done;
	int			most = 0;

	for (size_t i = first; i < end; i++)
	{
		all |= s->list[i]->met;
		p.size += i == first || s->list[i]->at != s->list[i - 1]->at;
	}
	all &= steps;
	while (most < s->plan->steps && (all >> most & 1) != 0)
		most++;
	if (most == 0)
		return CRM_OK;
	if ((uint64_t) p.size * most > CRM_FUNNEL_MAX_CELLS)
		return CRM_LIMIT;
	p.at = get_memory(env, p.size, sizeof(int64_t), &status);
	p.any = get_memory(env, p.size, sizeof(uint64_t), &status);
	p.period = get_memory(env, p.size, sizeof(int64_t), &status);
	p.first = get_memory(env, p.size + (uint64_t) 1, sizeof(size_t), &status);
	p.from = get_memory(env, (uint64_t) p.size * (most - 1), sizeof(uint32_t), &status);
	p.until = get_memory(env, (uint64_t) p.size * (most - 1), sizeof(uint32_t), &status);
	p.queue = get_memory(env, p.size, sizeof(uint32_t), &status);
	done = get_memory(env, p.size, sizeof(bool), &status);
	for (int k = 0; k < most && status == CRM_OK; k++)
		status = make_tree(env, &p.ends[k], p.size);
	if (status != CRM_OK)
		return status;

	p.size = 0;
	for (size_t i = first; i < end; i++)
	{
		const crm_funnel_event *event = s->list[i];

		if (i == first || event->at != s->list[i - 1]->at)
		{
			p.at[p.size] = event->at;
			p.any[p.size] = 0;
			p.period[p.size] = 0;
			p.first[p.size] = i;
			done[p.size] = false;
			p.size++;
		}
		p.any[p.size - 1] |= event->met;
		if ((event->met & 1) != 0)
			p.period[p.size - 1] = event->period;
	}
	p.first[p.size] = end;
	for (uint32_t i = 0; i < p.size; i++)
		open += has_step(&p, i, 1);
	for (int k = 0; k + 1 < most; k++)
		find_ranges(s, &p, k);
	for (int depth = most; depth >= 1 && open > 0 && status == CRM_OK; depth--)
		status = search_depth(s, &p, depth, done, &open);

	env->release(env->arg, p.at);
	env->release(env->arg, p.any);
	env->release(env->arg, p.period);
	env->release(env->arg, p.first);
	env->release(env->arg, p.from);
	env->release(env->arg, p.until);
	env->release(env->arg, p.queue);
	env->release(env->arg, done);
	for (int k = 0; k < most; k++)
		for (int level = 0; level < p.ends[k].levels; level++)
			env->release(env->arg, p.ends[k].level[level]);
	return status;
}

/* When something was excluded whatever its attribute, for each pair. */
static crm_status
find_barriers(search *s, const crm_funnel_event *events, size_t count)
{
	const crm_funnel_event **order = NULL;
	uint64_t	any = 0;
	size_t		used = 0;
	crm_status	status = CRM_OK;

	for (int k = 0; k + 1 < s->plan->steps; k++)
		any |= s->plan->pair[k].excluded_any;
	if (any == 0)
		return CRM_OK;
	order = get_memory(s->env, count, sizeof(*order), &status);
	if (status != CRM_OK)
		return status;
	for (size_t i = 0; i < count; i++)
		if ((events[i].met & any) != 0)
			order[used++] = &events[i];
	CRM_TRY(crm_sort_pointers(s->env, (const void **) order, used, time_before));
	for (int k = 0; k + 1 < s->plan->steps; k++)
	{
		uint64_t	excluded = s->plan->pair[k].excluded_any;

		if (excluded == 0)
			continue;
		if (k > 0 && excluded == s->plan->pair[k - 1].excluded_any)
		{
			s->barrier[k] = s->barrier[k - 1];
			s->barriers[k] = s->barriers[k - 1];
			continue;
		}
		s->barrier[k] = get_memory(s->env, used, sizeof(int64_t), &status);
		if (status != CRM_OK)
			return status;
		for (size_t i = 0; i < used; i++)
			if ((order[i]->met & excluded) != 0)
				s->barrier[k][s->barriers[k]++] = order[i]->at;
	}
	s->env->release(s->env->arg, order);
	return CRM_OK;
}

/* Of several paths of one period, from different values of the attribute, the best one. */
static crm_status
choose_paths(search *s)
{
	crm_status	status = CRM_OK;
	const crm_funnel_path **order = get_memory(s->env, s->paths, sizeof(*order), &status);
	crm_funnel_path *best = get_memory(s->env, s->paths, sizeof(*best), &status);
	size_t		found = 0;

	if (status != CRM_OK)
		return status;
	for (size_t i = 0; i < s->paths; i++)
		order[i] = &s->path[i];
	CRM_TRY(crm_sort_pointers(s->env, (const void **) order, s->paths, path_before));
	for (size_t i = 0; i < s->paths; i++)
		if (i == 0 || order[i]->period != order[i - 1]->period)
			best[found++] = *order[i];
		else
			s->env->release(s->env->arg, order[i]->times);
	s->env->release(s->env->arg, order);
	s->env->release(s->env->arg, s->path);
	s->path = best;
	s->paths = found;
	return CRM_OK;
}

crm_status
crm_funnel_search(const crm_env *env, const crm_funnel_plan *plan, const crm_funnel_event *events,
				 size_t count, crm_funnel_path **paths, size_t *found)
{
	search		s = {env, plan};
	crm_status	status = CRM_OK;

	*paths = NULL;
	*found = 0;
	s.list = get_memory(env, count, sizeof(*s.list), &status);
	if (status != CRM_OK)
		return status;
	/* An attribute that is not known is equal to none. */
	for (size_t i = 0; i < count; i++)
		if (!plan->hold || events[i].label != CRM_FUNNEL_NO_LABEL)
			s.list[s.count++] = &events[i];
	CRM_TRY(crm_sort_pointers(env, (const void **) s.list, s.count, plan->hold ? label_before : time_before));
	CRM_TRY(find_barriers(&s, events, count));
	for (size_t first = 0, end; first < s.count; first = end)
	{
		for (end = first + 1; end < s.count && (!plan->hold || s.list[end]->label == s.list[first]->label); end++)
			;
		CRM_TRY(search_part(&s, first, end));
	}
	if (s.paths > 0)
		CRM_TRY(choose_paths(&s));
	env->release(env->arg, s.list);
	for (int k = 0; k + 1 < plan->steps; k++)
		if (s.barrier[k] != NULL && (k == 0 || s.barrier[k] != s.barrier[k - 1]))
			env->release(env->arg, s.barrier[k]);
	*paths = s.path;
	*found = s.paths;
	return CRM_OK;
}
