/*
 * attribution_private.h - what the files of the attribution kernel share.
 */
#ifndef CRM_KERNEL_ATTRIBUTION_PRIVATE_H
#define CRM_KERNEL_ATTRIBUTION_PRIVATE_H

#include "kernel/attribution.h"

/* Classes of a touch in the position method; a middle one has the number of touches of its path. */
#define CRM_POSITION_WHOLE 0
#define CRM_POSITION_HALF 1
#define CRM_POSITION_END 2

/* In place of a key's last code: the journey ends. */
#define CRM_JOURNEY_ENDS 0

/* The entry of a key, made if it is new. */
extern crm_status crm_attribution_entry_of(crm_attribution *state, const uint32_t *key, uint32_t length,
										   crm_attribution_entry **entry);

/* Room for so many codes in state->scratch. */
extern crm_status crm_attribution_scratch(crm_attribution *state, size_t count);

/* Sorts codes and drops repeated ones; the number that is left. */
extern uint32_t crm_attribution_set(uint32_t *codes, uint32_t count);

/* A channel among all, by the bytes of the names. */
typedef struct crm_attribution_name
{
	const char *text;
	uint32_t	length;
	uint32_t	code;
} crm_attribution_name;

/* The channels in order, and the place from 1 of each code in it (element 0 is 0). */
extern crm_status crm_attribution_order(const crm_attribution *state, const crm_env *env,
										crm_attribution_name **names, uint32_t **ranks);

/* A chain: its states in order, each with its transitions. */
typedef struct crm_chain_state
{
	const uint32_t *history;	/* ranks */
	uint32_t	length;
	uint32_t	from;			/* of its transitions; they end where those of the next state begin */
	double		journeys;
	double		leaves;			/* those of them that do not come back at once */
	double		converts;		/* probability of converting next */
	double		value;			/* value that is converted next, per journey */
} crm_chain_state;

typedef struct crm_chain_step
{
	uint32_t	next;			/* rank */
	uint32_t	to;				/* state */
	double		journeys;
	double		probability;
} crm_chain_step;

typedef struct crm_chain
{
	crm_chain_state *states;	/* one more than count, for the end of the last one's transitions */
	uint32_t	count;
	crm_chain_step *steps;
	uint32_t	step_count;
} crm_chain;

extern crm_status crm_chain_build(const crm_attribution *state, const crm_env *env, const uint32_t *ranks,
								  crm_chain *chain);

/*
 * Conversions and value that a journey may expect (element 0), and how much of
 * that is lost when whoever would touch a channel is gone instead (element
 * rank, up to the number of channels).
 */
extern crm_status crm_chain_solve(const crm_env *env, const crm_chain *chain, uint32_t channels,
								  double *conversions, double *value);
/* The two ways to do so: by elimination, and by iteration. */
extern crm_status crm_chain_eliminate(const crm_env *env, const crm_chain *chain, uint32_t channels,
									  double *conversions, double *value);
extern crm_status crm_chain_iterate(const crm_env *env, const crm_chain *chain, uint32_t channels,
									double *conversions, double *value);

#endif							/* CRM_KERNEL_ATTRIBUTION_PRIVATE_H */
