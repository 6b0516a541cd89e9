/*
 * test_event_partition.c - the events of each customer, in the order in which
 * they came, against a sort; with memory for all of them and for hardly any.
 */
#include "unit.h"

#include "kernel/event_partition.h"

static uint64_t seed = 88172645463325252u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545F4914F6CDD1D);
}

/* ---- memory that is counted ------------------------------------------------------ */

static size_t now;
static size_t most;

static void *
counted_alloc(void *arg, size_t size)
{
	size_t	   *p = malloc(size + 16);

	*p = size;
	now += size;
	if (now > most)
		most = now;
	return p + 2;
}

static void
counted_release(void *arg, void *ptr)
{
	if (ptr == NULL)
		return;
	now -= ((size_t *) ptr)[-2];
	free((size_t *) ptr - 2);
}

static void *
counted_resize(void *arg, void *ptr, size_t old_size, size_t new_size)
{
	void	   *larger = counted_alloc(arg, new_size);

	if (ptr != NULL)
		memcpy(larger, ptr, old_size < new_size ? old_size : new_size);
	counted_release(arg, ptr);
	return larger;
}

/* ---- storage ------------------------------------------------------------------------ */

static uint8_t *blocks;
static size_t block_count;
static size_t block_room;

static crm_status
store(void *arg, const void *block, uint64_t *place)
{
	if (block_count == block_room)
	{
		block_room = block_room * 2 + 64;
		blocks = realloc(blocks, block_room * CRM_EVENT_BLOCK);
	}
	memcpy(blocks + block_count * CRM_EVENT_BLOCK, block, CRM_EVENT_BLOCK);
	*place = block_count++;
	return CRM_OK;
}

static crm_status
fetch(void *arg, uint64_t place, void *block)
{
	CHECK(place < block_count);
	memcpy(block, blocks + place * CRM_EVENT_BLOCK, CRM_EVENT_BLOCK);
	return CRM_OK;
}

/* ---- what goes in and what is expected ------------------------------------------------ */

typedef struct given
{
	crm_event_row row;
	size_t		order;
	bool		mark;
	char		packed[64];
} given;

static given *rows;
static size_t row_count;

static int
compare_rows(const void *left, const void *right)
{
	const given *a = left;
	const given *b = right;

	if (a->row.customer != b->row.customer)
		return a->row.customer < b->row.customer ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

typedef struct check
{
	size_t		seen;			/* rows */
	size_t		customers;
	bool		may_unpack;
	size_t		failing;		/* stop with an error at this customer */
} check;

/* Packed is a number in digits and filling: unpacked the attributes are that number, the name the next. */
static crm_status
unpack(void *arg, const void *packed, size_t size, crm_timeline_event *event)
{
	check	   *c = arg;

	CHECK(c->may_unpack);
	event->attributes = (uint32_t) atoi(packed);
	event->name = event->attributes + 1;
	CHECK_EQUAL(size, strlen(packed) + 1);
	return CRM_OK;
}

static crm_status
piece(void *arg, bool packed)
{
	((check *) arg)->may_unpack = packed;
	return CRM_OK;
}

static crm_status
customer(void *arg, int64_t id, bool marked, crm_timeline_event *events, size_t count)
{
	check	   *c = arg;
	size_t		low = 0,
				high = row_count;
	bool		mark = false;
	size_t		next = 0;

	if (++c->customers == c->failing)
		return CRM_OUT_OF_RANGE;
	while (low < high)
	{
		size_t		middle = (low + high) / 2;

		if (rows[middle].row.customer < id)
			low = middle + 1;
		else
			high = middle;
	}
	CHECK(low < row_count && rows[low].row.customer == id);
	for (; low < row_count && rows[low].row.customer == id; low++)
	{
		const crm_event_row *row = &rows[low].row;
		const crm_timeline_event *event = &events[next];

		c->seen++;
		if (rows[low].mark)
		{
			mark = true;
			continue;
		}
		if (!CHECK(next < count))
			break;
		next++;
		CHECK(event->at == row->at && event->name == (row->packed ? (uint32_t) atoi(row->packed) + 1 : row->name) && event->has_value == row->has_value &&
			  (!row->has_value || event->value == row->value) &&
			  event->attributes == (row->packed ? (uint32_t) atoi(row->packed) : row->attributes));
	}
	CHECK_EQUAL(next, count);
	CHECK_EQUAL(marked, mark);
	memset(events, 0x55, count * sizeof(*events));	/* they are the visitor's */
	return CRM_OK;
}

/* kind: 0 many small customers, 1 few, 2 one huge among many, 3 one alone, 4 far numbers. */
static void
make_rows(size_t count, int kind, bool packed, bool marks)
{
	rows = malloc((count + 1) * sizeof(given));
	row_count = count;
	for (size_t i = 0; i < count; i++)
	{
		given	   *g = &rows[i];
		int64_t		id = kind == 0 ? (int64_t) (random_bits() % (count / 5 + 1)) :
			kind == 1 ? (int64_t) (random_bits() % 7) :
			kind == 2 ? (random_bits() % 3 ? 42 : (int64_t) (random_bits() % 1000)) :
			kind == 3 ? -5 :
			(int64_t) (random_bits() % 1000) * INT64_C(0x100000000000);

		memset(g, 0, sizeof(*g));
		g->order = i;
		g->mark = marks && random_bits() % 10 == 0;
		g->row = (crm_event_row) {.customer = id,.at = (int64_t) random_bits(),.name = (uint32_t) (random_bits() % CRM_TIMELINE_MAX_NAMES),
			.attributes = (uint32_t) random_bits(),.has_value = random_bits() % 2,.value = (double) (random_bits() % 1000)};
		if (packed && random_bits() % 2)
		{
			g->row.attributes = (uint32_t) snprintf(g->packed, sizeof(g->packed), "%0*u", (int) (5 + random_bits() % 50), (unsigned) (random_bits() % 1000)) + 1;
			g->row.packed = g->packed;
		}
	}
}

static void
try(size_t memory, size_t count, int kind, bool packed, bool marks, bool disk, size_t failing)
{
	crm_env		env = {counted_alloc, counted_resize, counted_release, NULL, NULL};
	crm_event_storage storage = {store, fetch, NULL};
	crm_event_partition *p;
	check		c = {0,0,false,failing};
	crm_event_visitor visitor = {piece, unpack, customer, &c};
	size_t		events = 0;

	now = most = block_count = 0;
	make_rows(count, kind, packed, marks);
	CHECK_EQUAL(crm_event_partition_new(&env, &storage, memory, &p), CRM_OK);
	for (size_t i = 0; i < count; i++)
	{
		if (rows[i].mark)
			CHECK_EQUAL(crm_event_partition_mark(p, rows[i].row.customer), CRM_OK);
		else
			CHECK_EQUAL(crm_event_partition_add(p, &rows[i].row), CRM_OK);
		events += !rows[i].mark;
	}
	/* packed texts are found again by qsort's copies */
	qsort(rows, count, sizeof(given), compare_rows);
	for (size_t i = 0; i < count; i++)
		if (rows[i].row.packed)
			rows[i].row.packed = rows[i].packed;
	CHECK_EQUAL(crm_event_partition_count(p), events);
	CHECK_EQUAL(crm_event_partition_visit(p, &visitor), failing != 0 && count > 0 ? CRM_OUT_OF_RANGE : CRM_OK);
	if (failing == 0)
		CHECK_EQUAL(c.seen, count);
	if (disk || memory > CRM_EVENT_LEAST_MEMORY)
		CHECK_EQUAL(crm_event_partition_stored(p) > 0, disk);
	/* within the memory, apart from tables of blocks and, of one customer, his events */
	if (kind == 0 || kind == 4)
	{
		if (!CHECK(most <= memory + memory / 4 + 100000))
			fprintf(stderr, "%zu %zu %d\n", most, memory, kind);
	}
	crm_event_partition_free(p);
	CHECK_EQUAL(now, 0);
	free(rows);
}

int
main(void)
{
	size_t		large = (size_t) 1 << 30,
				small = CRM_EVENT_LEAST_MEMORY;
	crm_event_row row = {.packed = "",.attributes = CRM_EVENT_MAX_PACKED + 1};
	crm_env		env = unit_env();
	crm_event_storage storage = {store, fetch, NULL};
	crm_event_partition *p;

	for (int kind = 0; kind < 5; kind++)
		for (int options = 0; options < 4; options++)
		{
			try(large, 0, kind, options & 1, options & 2, false, 0);
			try(large, 1, kind, options & 1, options & 2, false, 0);
			try(large, 1000, kind, options & 1, options & 2, false, 0);
			try(large, 20000, kind, options & 1, options & 2, false, 0);
			try(small, 1000, kind, options & 1, options & 2, false, 0);
			try(small, 60000, kind, options & 1, options & 2, true, 0);
		}
	try(small, 300000, 0, false, true, true, 0);
	try(small, 300000, 2, true, false, true, 0);
	try(small * 4, 300000, 0, false, true, true, 0);
	try(small, 100000, 0, true, true, true, 10);
	CHECK_EQUAL(crm_event_partition_new(&env, &storage, 0, &p), CRM_OK);
	CHECK_EQUAL(crm_event_partition_add(p, &row), CRM_LIMIT);
	crm_event_partition_free(p);
	free(blocks);
	return unit_done();
}
