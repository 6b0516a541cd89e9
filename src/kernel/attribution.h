/*
 * attribution.h - which channel earned how much of the conversions: rules of
 * position, a Markov chain, Shapley's value.
 *
 * No method needs the journeys themselves, nor even the distinct paths.  What
 * each needs are sums over all journeys by a short key of channel codes, kept
 * here without rounding, so that neither the order of the rows nor their
 * division among processes matters:
 *
 *		first, last		the channel
 *		linear			the channel, the length of the path
 *		position		the channel, and what stands for its share of the path
 *		decay			the channel, its distance from the end, the length
 *		shapley			the set of the path's channels
 *		markov			the channels that the next touch depends on, and that touch
 *
 * Sources: Anderl, Becker, von Wangenheim, Schumann, "Mapping the customer
 * journey: Lessons learned from graph-based online attribution modeling",
 * International Journal of Research in Marketing 33 (2016), for the chain and
 * its removal effects; Shapley, "A value for n-person games" (1953); Zhao,
 * Mahboobi, Bagheri, "Shapley value methods for attribution modeling in online
 * advertising" (2018), for the closed form of the value.
 */
#ifndef CRM_KERNEL_ATTRIBUTION_H
#define CRM_KERNEL_ATTRIBUTION_H

#include "kernel/kernel.h"
#include "kernel/value_table.h"

#define CRM_ATTRIBUTION_MAX_ORDER 10
/* Different names of channels; a page's address instead of a channel soon goes beyond. */
#define CRM_ATTRIBUTION_MAX_CHANNELS 65536
#define CRM_ATTRIBUTION_MAX_NAME 1023	/* bytes of one */
/* Different keys, and codes in all of them: what bounds the memory, about 1 GB each. */
#define CRM_ATTRIBUTION_MAX_KEYS 8000000
#define CRM_ATTRIBUTION_MAX_CODES (UINT32_C(1) << 28)
/* Chains of more states are solved by iteration, which needs no square of memory. */
#define CRM_ATTRIBUTION_DENSE_STATES 1500
/* Sweeps of the iteration. */
#define CRM_ATTRIBUTION_MAX_SWEEPS 10000

typedef enum crm_attribution_rule
{
	CRM_ATTRIBUTION_FIRST,
	CRM_ATTRIBUTION_LAST,
	CRM_ATTRIBUTION_LINEAR,
	CRM_ATTRIBUTION_POSITION,
	CRM_ATTRIBUTION_DECAY,
	CRM_ATTRIBUTION_SHAPLEY,
	CRM_ATTRIBUTION_MARKOV
} crm_attribution_rule;

typedef struct crm_attribution_method
{
	crm_attribution_rule rule;
	uint32_t	order;			/* markov: touches that the next one depends on */
	double		factor;			/* decay: weight of a touch, the one after it being 1 */
} crm_attribution_method;

/* "markov:2", "decay:0.7" ...: CRM_CORRUPT for another name, CRM_OUT_OF_RANGE for a parameter outside its domain. */
extern crm_status crm_attribution_parse(const char *text, size_t length, crm_attribution_method *method);

/* ---- sums ------------------------------------------------------------ */

/* A sum without rounding; most are one float and need no more memory. */
typedef struct crm_exact
{
	double		first;
	double	   *more;			/* all parts, once there are several */
	uint32_t	count;
	uint32_t	room;			/* of more */
} crm_exact;

/* CRM_OUT_OF_RANGE when the sum would be beyond the floats. */
extern crm_status crm_exact_add(crm_exact *sum, const crm_env *env, double term);
extern crm_status crm_exact_merge(crm_exact *sum, const crm_env *env, const crm_exact *other);
/* Correctly rounded. */
extern double crm_exact_round(const crm_exact *sum);

enum
{
	CRM_CONVERSIONS,
	CRM_NON_CONVERSIONS,
	CRM_VALUE,
	CRM_ATTRIBUTION_SUMS
};

/* ---- the state ------------------------------------------------------- */

typedef struct crm_attribution_entry
{
	uint64_t	hash;
	size_t		at;				/* of the key in codes */
	uint32_t	length;
	crm_exact	sums[CRM_ATTRIBUTION_SUMS];
} crm_attribution_entry;

typedef struct crm_attribution
{
	crm_env		env;
	crm_attribution_method method;
	crm_value_table channels;	/* codes 1, 2 ... in the order of arrival */
	crm_exact	totals[CRM_ATTRIBUTION_SUMS];	/* of all journeys */
	crm_exact	untouched[CRM_ATTRIBUTION_SUMS];	/* of those without any touch */
	crm_attribution_entry *entries;
	uint32_t	count;
	uint32_t	room;
	uint32_t   *slots;			/* numbers of entries from 1, 0 for an empty slot */
	uint32_t	mask;
	uint32_t   *codes;
	size_t		codes_used;
	size_t		codes_room;
	uint32_t   *scratch;
	size_t		scratch_room;
} crm_attribution;

extern void crm_attribution_init(crm_attribution *state, const crm_env *env, const crm_attribution_method *method);

/* The code of a channel; CRM_LIMIT beyond the greatest number or length. */
extern crm_status crm_attribution_channel(crm_attribution *state, const char *name, size_t length, uint32_t *code);

/*
 * So many journeys along one path, its touches given by their codes.  The
 * numbers must be finite and not negative, and the value 0 where there are no
 * conversions.  CRM_LIMIT beyond the greatest number of keys.
 */
extern crm_status crm_attribution_add(crm_attribution *state, const uint32_t *path, uint32_t length,
									  double conversions, double non_conversions, double value);

/* The state as bytes, little-endian; and such bytes, which are not trusted, added to a state of the same method. */
extern size_t crm_attribution_size(const crm_attribution *state);
extern void crm_attribution_write(const crm_attribution *state, uint8_t *out);
extern crm_status crm_attribution_read(crm_attribution *state, const uint8_t *data, size_t size);

/* ---- answers --------------------------------------------------------- */

/*
 * One channel's part.  name is NULL for the journeys without any touch.  The
 * two effects are shares of all conversions and of all value that would be
 * lost without the channel; they are those of a Markov chain only.
 */
typedef struct crm_channel_credit
{
	const char *name;
	uint32_t	length;
	double		conversions;
	double		value;
	double		conversion_effect;
	double		value_effect;
} crm_channel_credit;

/*
 * Credits of all channels in the order of their bytes, then, if there are any,
 * those of journeys without a touch.  They are multiples of the last place of
 * their total, so that adding them up in any order rounds nothing and gives
 * the total; none differs by more than that last place from its share.
 *
 * CRM_CORRUPT for a state that contradicts itself; CRM_LIMIT for a chain whose
 * iteration does not come to rest.  Memory is env's and is not given back.
 */
extern crm_status crm_attribution_credits(const crm_attribution *state, const crm_env *env,
										  crm_channel_credit **credits, uint32_t *count);

/* From what was touched before, oldest first, to the next touch. */
typedef struct crm_attribution_transition
{
	const uint32_t *history;	/* codes; none at the start */
	uint32_t	history_length;
	uint32_t	next;			/* a code; 0 with converts for the end of the journey */
	bool		converts;
	double		journeys;
	double		probability;	/* among those with this history */
} crm_attribution_transition;

/* The transitions of a Markov chain, by history and next touch in the order of the channels' bytes. */
extern crm_status crm_attribution_transitions(const crm_attribution *state, const crm_env *env,
											  crm_attribution_transition **transitions, uint32_t *count);

#endif							/* CRM_KERNEL_ATTRIBUTION_H */
