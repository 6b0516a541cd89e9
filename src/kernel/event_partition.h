/*
 * event_partition.h - brings the events of each customer together, however many
 * there are and in whatever order they come, in bounded memory.
 *
 * A hash table over all customers costs a miss of the cache for every event.
 * Here events are dealt out to some hundred parts by their customer's hash,
 * each written from front to back, and a part is small enough for the cache
 * when its customers are told apart.  What does not fit the memory allowed
 * waits in the caller's storage; parts that are too large are dealt out again.
 * Events of one customer keep the order in which they came.
 */
#ifndef CRM_KERNEL_EVENT_PARTITION_H
#define CRM_KERNEL_EVENT_PARTITION_H

#include "kernel/timeline_write.h"

typedef struct crm_event_partition crm_event_partition;

/* Blocks of CRM_EVENT_BLOCK bytes that wait outside of memory. */
#define CRM_EVENT_BLOCK 16384

typedef struct crm_event_storage
{
	crm_status	(*store) (void *arg, const void *block, uint64_t *place);
	crm_status	(*fetch) (void *arg, uint64_t place, void *block);
	void	   *arg;
} crm_event_storage;

/*
 * One event on its way.  Names and attributes are numbers; when the
 * dictionaries have grown too large for that, they travel with the event.
 */
typedef struct crm_event_row
{
	int64_t		customer;
	int64_t		at;
	double		value;
	const void *packed;			/* name and attributes as bytes of the caller's, or NULL */
	uint32_t	name;			/* below CRM_EVENT_NAMES */
	uint32_t	attributes;		/* their number, or how many bytes are packed: at most CRM_EVENT_MAX_PACKED */
	bool		has_value;
} crm_event_row;

#define CRM_EVENT_NAMES (UINT32_C(1) << 29)
#define CRM_EVENT_MAX_PACKED 8192

/* Who takes the events, customer after customer, in no particular order. */
typedef struct crm_event_visitor
{
	/* A piece begins: what unpack gave out before is no longer needed.  packed: it will be asked for in this piece. */
	crm_status	(*piece) (void *arg, bool packed);
	/* Sets name and attributes of an event with which they came packed. */
	crm_status	(*unpack) (void *arg, const void *packed, size_t size, crm_timeline_event *event);
	/* All events of a customer, in the order in which they came; to be changed at will. */
	crm_status	(*customer) (void *arg, int64_t customer, bool marked, crm_timeline_event *events, size_t count);
	void	   *arg;
} crm_event_visitor;

/* memory: bytes to keep within, as far as one customer's events do; at least CRM_EVENT_LEAST_MEMORY are taken. */
#define CRM_EVENT_LEAST_MEMORY (UINT64_C(1) << 20)

extern crm_status crm_event_partition_new(const crm_env *env, const crm_event_storage *storage, size_t memory,
										  crm_event_partition **partition);
extern crm_status crm_event_partition_add(crm_event_partition *partition, const crm_event_row *row);
/* Lets the customer be visited, and marked, even if he has no events. */
extern crm_status crm_event_partition_mark(crm_event_partition *partition, int64_t customer);
/* Visits all customers.  Nothing may be added afterwards. */
extern crm_status crm_event_partition_visit(crm_event_partition *partition, const crm_event_visitor *visitor);
/* After an error this need not be called: everything lies in the environment's memory. */
extern void crm_event_partition_free(crm_event_partition *partition);
/* Events added, and blocks that had to wait outside of memory. */
extern uint64_t crm_event_partition_count(const crm_event_partition *partition);
extern uint64_t crm_event_partition_stored(const crm_event_partition *partition);

#endif							/* CRM_KERNEL_EVENT_PARTITION_H */
