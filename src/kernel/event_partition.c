/*
 * event_partition.c - brings the events of each customer together.
 */
#include "kernel/event_partition.h"

/*
 * A part's blocks grow up to the size in which they may leave memory, so that a
 * handful of events costs little.
 */
#define FIRST_BLOCK 1024
#define MOST_BITS 8				/* 256 parts at first, if their last blocks fit half of the memory ... */
#define NEXT_BITS 5				/* ... each dealt out to 32 when it is too large */
#define HASH_BITS 64

/* A record: this, then the value if there is one, then name and attributes if they are packed, padded to eight bytes. */
typedef struct record
{
	int64_t		customer;
	int64_t		at;
	uint32_t	name;			/* and the flags below */
	uint32_t	attributes;
} record;

#define NAME_MASK (CRM_EVENT_NAMES - 1)
#define HAS_VALUE (UINT32_C(1) << 29)
#define IS_PACKED (UINT32_C(1) << 30)
#define IS_MARK (UINT32_C(1) << 31)

/* A full block of a part: in memory, or in storage. */
typedef struct block
{
	uint8_t    *bytes;			/* NULL: in storage */
	uint64_t	place;
	size_t		used;
} block;

typedef struct part
{
	uint8_t    *tail;			/* the block that is being filled */
	size_t		used;
	size_t		room;
	int64_t		customer;		/* of the first record */
	bool		mixed;			/* another customer is here, too */
	bool		packed;			/* some names and attributes are */
	uint32_t	blocks_room;
	uint32_t	block_count;
	uint64_t	count;
	block	   *blocks;			/* full ones, in the order in which they were filled */
} part;

/* The customers of a piece. */
typedef struct group
{
	int64_t		customer;
	size_t		count;
	size_t		next;			/* where his next event goes */
	bool		marked;
} group;

struct crm_event_partition
{
	const crm_env *env;
	crm_env		environment;
	crm_event_storage storage;
	size_t		keep;			/* bytes of full blocks that may stay in memory */
	size_t		work;			/* bytes that a piece may take while its customers are told apart */
	size_t		kept;
	uint8_t    *spare;			/* list of empty blocks, each of which points to the next */
	uint64_t	count;
	uint64_t	stored;
	unsigned	bits;			/* of the hash that tell the parts apart */
	part		parts[1 << MOST_BITS];

	/* for the piece at hand */
	uint32_t   *group_of;		/* the group of each record, in order */
	size_t		group_of_room;
	crm_timeline_event *events;
	size_t		events_room;
	group	   *groups;
	size_t		group_count;
	size_t		groups_room;
	uint32_t   *slots;			/* open hashing: a group's number + 1 */
	uint32_t	mask;
};

/* One to one, so that different customers part at some bit. */
static inline uint64_t
hash_customer(int64_t customer)
{
	uint64_t	h = (uint64_t) customer;

	h ^= h >> 32;
	h *= UINT64_C(0x9E3779B97F4A7C15);
	h ^= h >> 29;
	h *= UINT64_C(0xBF58476D1CE4E5B9);
	return h ^ h >> 32;
}

static inline size_t
record_size(const record *r)
{
	return sizeof(record) + (r->name & HAS_VALUE ? sizeof(double) : 0) +
		(r->name & IS_PACKED ? ((size_t) r->attributes + 7) / 8 * 8 : 0);
}

static void *
allocate(crm_event_partition *p, size_t size)
{
	return p->env->alloc(p->env->arg, size);
}

static void
release(crm_event_partition *p, void *ptr)
{
	p->env->release(p->env->arg, ptr);
}

/* ---- blocks -------------------------------------------------------------------- */

static uint8_t *
take_block(crm_event_partition *p)
{
	uint8_t    *bytes = p->spare;

	if (bytes == NULL)
		return allocate(p, CRM_EVENT_BLOCK);
	memcpy(&p->spare, bytes, sizeof(uint8_t *));
	return bytes;
}

static void
give_block(crm_event_partition *p, uint8_t *bytes)
{
	memcpy(bytes, &p->spare, sizeof(uint8_t *));
	p->spare = bytes;
}

/* Puts the full tail away: it stays in memory, or goes to storage and is filled anew. */
static crm_status
put_away(crm_event_partition *p, part *to)
{
	block	   *full;

	if (to->block_count == to->blocks_room)
	{
		uint32_t	room = to->blocks_room == 0 ? 8 : to->blocks_room * 2;
		block	   *blocks = p->env->resize(p->env->arg, to->blocks, sizeof(block) * to->blocks_room, sizeof(block) * room);

		if (blocks == NULL)
			return CRM_NO_MEMORY;
		to->blocks = blocks;
		to->blocks_room = room;
	}
	full = &to->blocks[to->block_count];
	full->used = to->used;
	if (p->kept + CRM_EVENT_BLOCK <= p->keep)
	{
		full->bytes = to->tail;
		p->kept += CRM_EVENT_BLOCK;
		to->tail = take_block(p);
		if (to->tail == NULL)
			return CRM_NO_MEMORY;
	}
	else
	{
		/* storage keeps whole blocks: what is behind the records must be something */
		memset(to->tail + to->used, 0, CRM_EVENT_BLOCK - to->used);
		full->bytes = NULL;
		CRM_TRY(p->storage.store(p->storage.arg, to->tail, &full->place));
		p->stored++;
	}
	to->block_count++;
	to->used = 0;
	return CRM_OK;
}

/* Makes room in the tail. */
static crm_status
make_room(crm_event_partition *p, part *to, size_t size)
{
	size_t		room = to->room == 0 ? FIRST_BLOCK : to->room;
	uint8_t    *tail;

	if (to->room == CRM_EVENT_BLOCK)
		return put_away(p, to);
	while (room < to->used + size && room < CRM_EVENT_BLOCK)
		room *= 2;
	if (room == CRM_EVENT_BLOCK)
		tail = take_block(p);
	else
		tail = allocate(p, room);
	if (tail == NULL)
		return CRM_NO_MEMORY;
	if (to->used > 0)
		memcpy(tail, to->tail, to->used);
	release(p, to->tail);
	to->tail = tail;
	to->room = room;
	return to->used + size <= room ? CRM_OK : put_away(p, to);
}

/* Place for a record of a customer at the end of a part. */
static inline crm_status
append(crm_event_partition *p, part *to, int64_t customer, size_t size, uint8_t **at)
{
	if (to->used + size > to->room)
		CRM_TRY(make_room(p, to, size));
	if (to->count++ == 0)
		to->customer = customer;
	else if (to->customer != customer)
		to->mixed = true;
	*at = to->tail + to->used;
	to->used += size;
	return CRM_OK;
}

/* ---- adding ---------------------------------------------------------------------- */

crm_status
crm_event_partition_new(const crm_env *env, const crm_event_storage *storage, size_t memory, crm_event_partition **partition)
{
	crm_event_partition *p = env->alloc(env->arg, sizeof(crm_event_partition));

	if (p == NULL)
		return CRM_NO_MEMORY;
	memset(p, 0, sizeof(*p));
	p->environment = *env;
	p->env = &p->environment;
	p->storage = *storage;
	if (memory < CRM_EVENT_LEAST_MEMORY)
		memory = CRM_EVENT_LEAST_MEMORY;
	for (p->bits = MOST_BITS; (size_t) CRM_EVENT_BLOCK << p->bits > memory / 2;)
		p->bits--;
	p->work = memory / 2;
	p->keep = memory / 2 - ((size_t) CRM_EVENT_BLOCK << p->bits);
	*partition = p;
	return CRM_OK;
}

crm_status
crm_event_partition_add(crm_event_partition *p, const crm_event_row *row)
{
	part	   *to = &p->parts[hash_customer(row->customer) >> (HASH_BITS - p->bits)];
	record		r = {row->customer, row->at, row->name, row->attributes};
	uint8_t    *at;

	if (row->has_value)
		r.name |= HAS_VALUE;
	if (row->name >= CRM_EVENT_NAMES)
		return CRM_LIMIT;
	if (row->packed != NULL)
	{
		if (row->attributes > CRM_EVENT_MAX_PACKED)
			return CRM_LIMIT;
		r.name |= IS_PACKED;
		to->packed = true;
	}
	CRM_TRY(append(p, to, row->customer, record_size(&r), &at));
	memcpy(at, &r, sizeof(record));
	at += sizeof(record);
	if (row->has_value)
	{
		memcpy(at, &row->value, sizeof(double));
		at += sizeof(double);
	}
	if (row->packed != NULL)
	{
		size_t		padded = ((size_t) row->attributes + 7) / 8 * 8;

		memcpy(at, row->packed, row->attributes);
		memset(at + row->attributes, 0, padded - row->attributes);
	}
	p->count++;
	return CRM_OK;
}

crm_status
crm_event_partition_mark(crm_event_partition *p, int64_t customer)
{
	part	   *to = &p->parts[hash_customer(customer) >> (HASH_BITS - p->bits)];
	record		r = {customer, 0, IS_MARK, 0};
	uint8_t    *at;

	CRM_TRY(append(p, to, customer, sizeof(record), &at));
	memcpy(at, &r, sizeof(record));
	return CRM_OK;
}

uint64_t
crm_event_partition_count(const crm_event_partition *p)
{
	return p->count;
}

uint64_t
crm_event_partition_stored(const crm_event_partition *p)
{
	return p->stored;
}

/* ---- reading a part, block after block ----------------------------------------------- */

/* The bytes of a block of a part; the tail comes last.  Blocks from storage come into `into`. */
static crm_status
read_block(crm_event_partition *p, const part *from, uint32_t number, uint8_t *into, const uint8_t **bytes, size_t *used)
{
	const block *b;

	if (number == from->block_count)
	{
		*bytes = from->tail;
		*used = from->used;
		return CRM_OK;
	}
	b = &from->blocks[number];
	*used = b->used;
	*bytes = b->bytes;
	if (b->bytes != NULL)
		return CRM_OK;
	*bytes = into;
	return p->storage.fetch(p->storage.arg, b->place, into);
}

/* A block's memory is needed no more. */
static void
drop_block(crm_event_partition *p, part *from, uint32_t number)
{
	if (number == from->block_count)
	{
		if (from->room == CRM_EVENT_BLOCK)
			give_block(p, from->tail);
		else
			release(p, from->tail);
		from->tail = NULL;
		from->room = from->used = 0;
	}
	else if (from->blocks[number].bytes != NULL)
	{
		give_block(p, from->blocks[number].bytes);
		from->blocks[number].bytes = NULL;
		p->kept -= CRM_EVENT_BLOCK;
	}
}

static void
drop_blocks(crm_event_partition *p, part *from)
{
	for (uint32_t b = 0; b <= from->block_count; b++)
		drop_block(p, from, b);
	release(p, from->blocks);
	memset(from, 0, sizeof(*from));
}

/* Full blocks come into memory to stay there until the part is done. */
static crm_status
load_blocks(crm_event_partition *p, part *from)
{
	for (uint32_t i = 0; i < from->block_count; i++)
	{
		block	   *b = &from->blocks[i];
		uint8_t    *bytes;

		if (b->bytes != NULL)
			continue;
		bytes = take_block(p);
		if (bytes == NULL)
			return CRM_NO_MEMORY;
		b->bytes = bytes;
		p->kept += CRM_EVENT_BLOCK;
		CRM_TRY(p->storage.fetch(p->storage.arg, b->place, bytes));
	}
	return CRM_OK;
}

/* ---- telling customers apart ------------------------------------------------------------ */

/* Room for `needed` elements; what is there is lost. */
static crm_status
reserve(crm_event_partition *p, void **array, size_t *room, size_t needed, size_t width)
{
	if (needed <= *room)
		return CRM_OK;
	needed += needed / 8;		/* the next piece is larger by little */
	release(p, *array);
	*room = 0;
	*array = allocate(p, needed * width);
	if (*array == NULL)
		return CRM_NO_MEMORY;
	*room = needed;
	return CRM_OK;
}

/* An event from its record. */
static inline crm_status
read_event(const crm_event_visitor *visitor, const uint8_t *at, const record *r, crm_timeline_event *event)
{
	const uint8_t *rest = at + sizeof(record);

	event->at = r->at;
	event->name = r->name & NAME_MASK;
	event->attributes = r->attributes;
	event->has_value = (r->name & HAS_VALUE) != 0;
	event->value = 0;
	if (event->has_value)
	{
		memcpy(&event->value, rest, sizeof(double));
		rest += sizeof(double);
	}
	if (r->name & IS_PACKED)
		return visitor->unpack(visitor->arg, rest, r->attributes, event);
	return CRM_OK;
}

static crm_status
grow_slots(crm_event_partition *p)
{
	uint32_t	mask = p->mask * 2 + 1;
	uint32_t   *slots = allocate(p, ((size_t) mask + 1) * sizeof(uint32_t));

	if (slots == NULL)
		return CRM_NO_MEMORY;
	memset(slots, 0, ((size_t) mask + 1) * sizeof(uint32_t));
	for (size_t g = 0; g < p->group_count; g++)
	{
		uint32_t	slot = (uint32_t) hash_customer(p->groups[g].customer) & mask;

		while (slots[slot] != 0)
			slot = (slot + 1) & mask;
		slots[slot] = (uint32_t) g + 1;
	}
	release(p, p->slots);
	p->slots = slots;
	p->mask = mask;
	return CRM_OK;
}

/* The number of a customer's group; the low bits of the hash serve, the high ones being the same in a part. */
static crm_status
find_group(crm_event_partition *p, int64_t customer, uint32_t *number)
{
	uint32_t	slot = (uint32_t) hash_customer(customer) & p->mask;
	group	   *g;

	for (; p->slots[slot] != 0; slot = (slot + 1) & p->mask)
		if (p->groups[p->slots[slot] - 1].customer == customer)
		{
			*number = p->slots[slot] - 1;
			return CRM_OK;
		}
	if (p->group_count == p->groups_room)
	{
		size_t		room = p->groups_room == 0 ? 1024 : p->groups_room * 2;

		g = p->env->resize(p->env->arg, p->groups, sizeof(group) * p->groups_room, sizeof(group) * room);
		if (g == NULL)
			return CRM_NO_MEMORY;
		p->groups = g;
		p->groups_room = room;
	}
	*number = (uint32_t) p->group_count;
	p->groups[p->group_count++] = (group) {customer, 0, 0, false};
	p->slots[slot] = *number + 1;
	if (p->group_count * 2 > p->mask)
		return grow_slots(p);
	return CRM_OK;
}

/* Counts each customer's events, and notes whose each record is. */
static crm_status
count_events(crm_event_partition *p, const part *from)
{
	uint32_t   *group_of = p->group_of;
	int64_t		last = from->customer;
	uint32_t	number;

	p->group_count = 0;
	if (p->slots == NULL)
	{
		p->mask = 4095;
		p->slots = allocate(p, ((size_t) p->mask + 1) * sizeof(uint32_t));
		if (p->slots == NULL)
			return CRM_NO_MEMORY;
	}
	memset(p->slots, 0, ((size_t) p->mask + 1) * sizeof(uint32_t));
	CRM_TRY(find_group(p, last, &number));
	for (uint32_t b = 0; b <= from->block_count; b++)
	{
		const uint8_t *at = b < from->block_count ? from->blocks[b].bytes : from->tail;
		const uint8_t *end = at + (b < from->block_count ? from->blocks[b].used : from->used);

		while (at < end)
		{
			record		r;

			memcpy(&r, at, sizeof(record));
			if (r.customer != last)
			{
				CRM_TRY(find_group(p, r.customer, &number));
				last = r.customer;
			}
			*group_of++ = number;
			if (r.name & IS_MARK)
				p->groups[number].marked = true;
			else
				p->groups[number].count++;
			at += record_size(&r);
		}
		crm_progress(p->env);
	}
	return CRM_OK;
}

/* Puts each customer's events side by side. */
static crm_status
place_events(crm_event_partition *p, const part *from, const crm_event_visitor *visitor)
{
	const uint32_t *group_of = p->group_of;
	size_t		next = 0;

	for (size_t g = 0; g < p->group_count; g++)
	{
		p->groups[g].next = next;
		next += p->groups[g].count;
	}
	for (uint32_t b = 0; b <= from->block_count; b++)
	{
		const uint8_t *at = b < from->block_count ? from->blocks[b].bytes : from->tail;
		const uint8_t *end = at + (b < from->block_count ? from->blocks[b].used : from->used);

		while (at < end)
		{
			group	   *g = &p->groups[*group_of++];
			record		r;

			memcpy(&r, at, sizeof(record));
			if (!(r.name & IS_MARK))
				CRM_TRY(read_event(visitor, at, &r, &p->events[g->next++]));
			at += record_size(&r);
		}
		crm_progress(p->env);
	}
	return CRM_OK;
}

static crm_status
visit_piece(crm_event_partition *p, part *from, const crm_event_visitor *visitor)
{
	size_t		first = 0;

	CRM_TRY(visitor->piece(visitor->arg, from->packed));
	CRM_TRY(load_blocks(p, from));
	CRM_TRY(reserve(p, (void **) &p->group_of, &p->group_of_room, from->count, sizeof(uint32_t)));
	CRM_TRY(reserve(p, (void **) &p->events, &p->events_room, from->count, sizeof(crm_timeline_event)));
	CRM_TRY(count_events(p, from));
	CRM_TRY(place_events(p, from, visitor));
	drop_blocks(p, from);
	for (size_t i = 0; i < p->group_count; i++)
	{
		/* the visitor may take long, but holds no group */
		group	   *g = &p->groups[i];
		size_t		count = g->count;

		CRM_TRY(visitor->customer(visitor->arg, g->customer, g->marked, p->events + first, count));
		first += count;
		if (i % 64 == 0)
			crm_progress(p->env);
	}
	return CRM_OK;
}

/* A part of one customer need not be told apart, only read. */
static crm_status
visit_one(crm_event_partition *p, part *from, const crm_event_visitor *visitor)
{
	int64_t		customer = from->customer;
	crm_timeline_event *events;
	uint8_t    *buffer;
	size_t		count = 0;
	bool		marked = false;

	if (from->count > CRM_TIMELINE_MAX_EVENTS)
		return CRM_LIMIT;
	CRM_TRY(visitor->piece(visitor->arg, from->packed));
	events = allocate(p, from->count * sizeof(crm_timeline_event));
	buffer = take_block(p);
	if (events == NULL || buffer == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t b = 0; b <= from->block_count; b++)
	{
		const uint8_t *at;
		size_t		used;

		CRM_TRY(read_block(p, from, b, buffer, &at, &used));
		for (const uint8_t *end = at + used; at < end;)
		{
			record		r;

			memcpy(&r, at, sizeof(record));
			if (r.name & IS_MARK)
				marked = true;
			else
				CRM_TRY(read_event(visitor, at, &r, &events[count++]));
			at += record_size(&r);
		}
		drop_block(p, from, b);
		crm_progress(p->env);
	}
	give_block(p, buffer);
	drop_blocks(p, from);
	CRM_TRY(visitor->customer(visitor->arg, customer, marked, events, count));
	release(p, events);
	return CRM_OK;
}

/* ---- parts that are too large ---------------------------------------------------------------- */

static crm_status visit_part(crm_event_partition *p, part *from, unsigned bits, const crm_event_visitor *visitor);

/* Deals a part out by the next bits of the hash. */
static crm_status
deal_out(crm_event_partition *p, part *from, unsigned bits, const crm_event_visitor *visitor)
{
	unsigned	more = HASH_BITS - bits < NEXT_BITS ? HASH_BITS - bits : NEXT_BITS;
	size_t		parts_size = ((size_t) 1 << more) * sizeof(part);
	part	   *parts = allocate(p, parts_size);
	uint8_t    *buffer = take_block(p);

	if (parts == NULL || buffer == NULL)
		return CRM_NO_MEMORY;
	memset(parts, 0, parts_size);
	for (uint32_t b = 0; b <= from->block_count; b++)
	{
		const uint8_t *at;
		size_t		used;

		CRM_TRY(read_block(p, from, b, buffer, &at, &used));
		for (const uint8_t *end = at + used; at < end;)
		{
			record		r;
			size_t		size;
			part	   *to;
			uint8_t    *place;

			memcpy(&r, at, sizeof(record));
			size = record_size(&r);
			to = &parts[hash_customer(r.customer) << bits >> (HASH_BITS - more)];
			if (r.name & IS_PACKED)
				to->packed = true;
			CRM_TRY(append(p, to, r.customer, size, &place));
			memcpy(place, at, size);
			at += size;
		}
		drop_block(p, from, b);
		crm_progress(p->env);
	}
	give_block(p, buffer);
	drop_blocks(p, from);
	for (uint32_t i = 0; i < UINT32_C(1) << more; i++)
		CRM_TRY(visit_part(p, &parts[i], bits + more, visitor));
	release(p, parts);
	return CRM_OK;
}

/* bits of the hash are the same for all of the part. */
static crm_status
visit_part(crm_event_partition *p, part *from, unsigned bits, const crm_event_visitor *visitor)
{
	size_t		bytes = (size_t) from->block_count * CRM_EVENT_BLOCK + from->used;
	bool		large = bytes > p->work ||
		from->count > (p->work - bytes) / (sizeof(crm_timeline_event) + sizeof(uint32_t));

	if (from->count == 0)
		return CRM_OK;
	if (large && !from->mixed)
		return visit_one(p, from, visitor);
	if (large && bits < HASH_BITS)
		return deal_out(p, from, bits, visitor);
	return visit_piece(p, from, visitor);
}

crm_status
crm_event_partition_visit(crm_event_partition *p, const crm_event_visitor *visitor)
{
	for (uint32_t i = 0; i < UINT32_C(1) << p->bits; i++)
		CRM_TRY(visit_part(p, &p->parts[i], p->bits, visitor));
	return CRM_OK;
}

void
crm_event_partition_free(crm_event_partition *p)
{
	for (uint32_t i = 0; i < UINT32_C(1) << p->bits; i++)
		drop_blocks(p, &p->parts[i]);
	while (p->spare != NULL)
		release(p, take_block(p));
	release(p, p->group_of);
	release(p, p->events);
	release(p, p->groups);
	release(p, p->slots);
	p->environment.release(p->environment.arg, p);
}
