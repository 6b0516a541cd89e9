/*
 * funnel.c - how far a customer went through a funnel.
 *
 * One pass over the instants in order of time.  Of all chains that meet
 * conditions 1 .. n so far, only the one that began last matters: whatever
 * extends another extends it, too.  So there is one number per condition, and
 * the pass is exact with a cost of events times conditions.
 *
 * Events of one instant have no order of their own.  A chain may use them in
 * any order; where a mode has the search stopped by an event, the events of an
 * instant count as coming in the order of the conditions that they meet, those
 * that meet none before the others.
 */
#include "kernel/funnel.h"

#define PROGRESS_STEP 4096

typedef struct funnel
{
	int			conditions;
	uint64_t	within;
	unsigned	mode;
	int			level;			/* conditions 1 .. level have been met by some chain */
	int64_t		first[CRM_MAX_CONDITIONS + 1];	/* by condition: when the latest such chain began */
} funnel;

/* The events of one instant. */
typedef struct instant
{
	int64_t		at;
	const crm_event *events;
	size_t		count;
	uint64_t	any;			/* conditions that some event meets */
	uint64_t	several;		/* conditions that at least two events meet */
	bool		other;			/* an event meets none */
} instant;

/*
 * Mode strict_once, several events at one instant: which conditions can they
 * fill together, each event one?  A bipartite matching of the conditions
 * lowest .. highest, grown at one end and shrunk at the other.  A condition
 * needs no more candidates than there are conditions: one of them stays free
 * however the others are filled.
 */
typedef struct matching
{
	int8_t	   *owner;			/* by event of the instant: the condition that it fills, or -1 */
	int			lowest;
	uint64_t	tried;
	int			candidates[CRM_MAX_CONDITIONS + 1];
	size_t		candidate[CRM_MAX_CONDITIONS + 1][CRM_MAX_CONDITIONS];
} matching;

static inline uint64_t
condition_bit(int condition)
{
	return UINT64_C(1) << (condition - 1);
}

static void
matching_begin(matching *m, const instant *now)
{
	memset(m->candidates, 0, sizeof(m->candidates));
	memset(m->owner, -1, now->count);
	m->lowest = 0;
	for (size_t i = 0; i < now->count; i++)
		for (uint64_t rest = now->events[i].met & now->any; rest != 0; rest &= rest - 1)
		{
			int			condition = crm_ctz64(rest) + 1;

			if (m->candidates[condition] < CRM_MAX_CONDITIONS)
				m->candidate[condition][m->candidates[condition]++] = i;
		}
}

/* Finds an event for the condition, moving others to other events where that helps. */
static bool
matching_fill(matching *m, int condition)
{
	m->tried |= condition_bit(condition);
	for (int i = 0; i < m->candidates[condition]; i++)
		if (m->owner[m->candidate[condition][i]] < 0)
		{
			m->owner[m->candidate[condition][i]] = (int8_t) condition;
			return true;
		}
	for (int i = 0; i < m->candidates[condition]; i++)
	{
		size_t		event = m->candidate[condition][i];

		if ((m->tried & condition_bit(m->owner[event])) == 0 && matching_fill(m, m->owner[event]))
		{
			m->owner[event] = (int8_t) condition;
			return true;
		}
	}
	return false;
}

static void
matching_drop(matching *m, int condition)
{
	for (int i = 0; i < m->candidates[condition]; i++)
		if (m->owner[m->candidate[condition][i]] == condition)
			m->owner[m->candidate[condition][i]] = -1;
}

/* Adds a condition, and answers the lowest one from which on all up to it can be filled. */
static int
matching_add(matching *m, const instant *now, int condition)
{
	if (condition == 1 || m->lowest == 0 || (now->any & condition_bit(condition - 1)) == 0)
	{
		/* The conditions before it are not met at this instant. */
		for (int c = m->lowest; c > 0 && c < condition; c++)
			matching_drop(m, c);
		m->lowest = condition;
	}
	for (;;)
	{
		m->tried = 0;
		if (condition - m->lowest < now->count && matching_fill(m, condition))
			return m->lowest;
		matching_drop(m, m->lowest++);
	}
}

/* The events of one instant; true when the search is over. */
static bool
meet_instant(funnel *f, const instant *now, matching *m)
{
	int64_t		kept[CRM_MAX_CONDITIONS + 1];
	const int64_t *before = f->first;
	int			before_level = f->level;
	bool		distinct = (f->mode & (CRM_FUNNEL_INCREASE | CRM_FUNNEL_ONCE)) != 0;
	bool		match = (f->mode & (CRM_FUNNEL_INCREASE | CRM_FUNNEL_ONCE)) == CRM_FUNNEL_ONCE && now->count > 1;

	if ((f->mode & CRM_FUNNEL_ORDER) && now->other && f->level > 0)
		return true;

	/* Where no event may be used twice, steps are taken from the chains before this instant. */
	if (distinct && (now->any & now->any << 1) != 0)
	{
		memcpy(kept, f->first, sizeof(kept[0]) * (f->level + 1));
		before = kept;
	}
	if (match)
		matching_begin(m, now);

	for (uint64_t rest = now->any; rest != 0; rest &= rest - 1)
	{
		int			condition = crm_ctz64(rest) + 1;
		int			from = condition - 1;	/* the condition that the chain to extend ends with */
		int64_t		first;

		if (condition > 1)
		{
			if ((f->mode & CRM_FUNNEL_DEDUPLICATION) && f->level >= condition)
				return true;
			if ((f->mode & CRM_FUNNEL_ORDER) && f->level > 0 && f->level < condition - 1)
			{
				if (f->mode & CRM_FUNNEL_REENTRY)
					continue;
				return true;
			}
		}
		if (match)
			from = matching_add(m, now, condition) - 1;
		if (from == 0)
			first = now->at;
		else if ((distinct ? before_level : f->level) >= from && crm_time_between(before[from], now->at) <= f->within)
			first = before[from];
		else
			continue;
		if (f->level < condition)
			f->level = condition;
		else if (first < f->first[condition])
			first = f->first[condition];
		f->first[condition] = first;
		if (condition == f->conditions)
			return true;
		if (condition > 1 && (f->mode & CRM_FUNNEL_DEDUPLICATION) && (now->several & condition_bit(condition)))
			return true;
	}
	return false;
}

crm_status
crm_funnel_level(const crm_env *env, const crm_event *events, size_t count,
				 int conditions, uint64_t within, unsigned mode, int *level)
{
	funnel		f;
	matching   *m = NULL;
	uint64_t	valid = ~UINT64_C(0) >> (CRM_MAX_CONDITIONS - conditions);
	size_t		i = 0,
				until_progress = PROGRESS_STEP;

	f.conditions = conditions;
	f.within = within;
	f.mode = mode;
	f.level = 0;
	while (i < count)
	{
		instant		now = {events[i].at, &events[i], 0, 0, 0, false};

		for (; i < count && events[i].at == now.at; i++)
		{
			uint64_t	met = events[i].met & valid;

			now.several |= now.any & met;
			now.any |= met;
			now.other |= met == 0;
			now.count++;
		}
		if (m == NULL && now.count > 1 && (mode & CRM_FUNNEL_ONCE))
		{
			m = env->alloc(env->arg, sizeof(matching) + count);
			if (m == NULL)
				return CRM_NO_MEMORY;
			m->owner = (int8_t *) (m + 1);
		}
		if (meet_instant(&f, &now, m))
			break;
		if (now.count >= until_progress)
		{
			crm_progress(env);
			until_progress = PROGRESS_STEP;
		}
		else
			until_progress -= now.count;
	}
	if (m != NULL)
		env->release(env->arg, m);
	*level = f.level;
	return CRM_OK;
}

int
crm_funnel_level_packed(const crm_env *env, const uint64_t *packed, size_t count, int conditions, uint64_t within)
{
	crm_funnel_walk walk = {0, within};
	uint64_t	valid = ~UINT64_C(0) >> (CRM_MAX_CONDITIONS - conditions);
	size_t		until_progress = PROGRESS_STEP;

	for (size_t i = 0; i < count && walk.level < conditions;)
	{
		crm_event	now = crm_event_unpack(packed[i++]);

		for (; i < count && (packed[i] ^ packed[i - 1]) <= CRM_PACKED_MASK; i++)
			now.met |= crm_event_unpack(packed[i]).met;
		crm_funnel_instant(&walk, now.at, now.met & valid);
		if (i >= until_progress)
		{
			crm_progress(env);
			until_progress = i + PROGRESS_STEP;
		}
	}
	return walk.level;
}
