/*
 * timeline_state.c - one customer's history in the making, as a log.
 */
#include "behavior/timeline_state.h"

#include <math.h>

#include "common/bridge.h"
#include "common/hashfn.h"
#include "utils/timestamp.h"

#define TIMELINE_STATE_VERSION 1
#define FIRST_SIZE 128			/* of a state, a whole chunk of PostgreSQL's allocator */
#define FIRST_SLOTS 4

#define MAX_VARINT 10

/* Low bits of a record's first number. */
enum
{
	RECORD_EVENT,
	RECORD_NAME,
	RECORD_ATTRIBUTES,
	RECORD_PIECE,
	RECORD_KINDS = 4
};

/* Behind them, for an event. */
#define EVENT_VALUE 0x04
#define EVENT_ATTRIBUTES 0x08
#define EVENT_SHIFT 4

/* ---- head ---------------------------------------------------------------- */

static inline uint8 *
state_log(const timeline_state *state)
{
	return (uint8 *) (state->slot + state->slots);
}

static inline Size
log_room(const timeline_state *state)
{
	return VARSIZE(state) - offsetof(timeline_state, slot) - state->slots * sizeof(uint32);
}

static void
damaged(void)
{
	crm_agg_state_damaged("A state of events is not what an aggregate wrote.");
}

timeline_state *
timeline_state_argument(FunctionCallInfo fcinfo, int argument)
{
	timeline_state *state;

	if (PG_ARGISNULL(argument))
		return NULL;
	state = (timeline_state *) crm_agg_state_fetch(PG_GETARG_DATUM(argument), CRM_STATE_TIMELINE, TIMELINE_STATE_VERSION,
												   offsetof(timeline_state, slot));
	if (state->events > CRM_TIMELINE_MAX_EVENTS || state->texts > state->slots || (state->slots & (state->slots - 1)) != 0 ||
		state->slots > (VARSIZE(state) - offsetof(timeline_state, slot)) / sizeof(uint32) ||
		state->used > log_room(state))
		damaged();
	return state;
}

static timeline_state *
new_state(Size size, uint32 slots)
{
	timeline_state *state;

	crm_check_size(size, "crm.agg_state");
	state = palloc0(size);
	crm_agg_state_init(state, size, CRM_STATE_TIMELINE, TIMELINE_STATE_VERSION);
	state->slots = slots;
	return state;
}

/* ---- numbers and texts ------------------------------------------------------ */

static inline uint8 *
write_varint(uint8 *p, uint64 value)
{
	while (value >= 0x80)
	{
		*p++ = (uint8) value | 0x80;
		value >>= 7;
	}
	*p++ = (uint8) value;
	return p;
}

static inline Size
varint_size(uint64 value)
{
	Size		size = 1;

	while (value >= 0x80)
	{
		value >>= 7;
		size++;
	}
	return size;
}

/* False unless a number of at most 64 bits ends before the end. */
static inline bool
read_varint(const uint8 **p, const uint8 *end, uint64 *value)
{
	uint64		result = 0;

	for (unsigned shift = 0; shift < 64 && *p < end; shift += 7)
	{
		uint8		byte = *(*p)++;

		result |= (uint64) (byte & 0x7F) << shift;
		if (byte < 0x80)
		{
			*value = result;
			return true;
		}
	}
	return false;
}

static inline bool
read_bytes(const uint8 **p, const uint8 *end, crm_text *text)
{
	uint64		size;

	if (!read_varint(p, end, &size) || size > end - *p)
		return false;
	*text = (crm_text) {(const char *) *p, size};
	*p += size;
	return true;
}

static inline uint64
zigzag(int64 earlier, int64 later)
{
	uint64		gap = (uint64) later - (uint64) earlier;

	return gap << 1 ^ (0 - (gap >> 63));
}

static inline int64
unzigzag(int64 earlier, uint64 zigzag)
{
	return (int64) ((uint64) earlier + (zigzag >> 1 ^ (0 - (zigzag & 1))));
}

/* A record of the log. */
typedef struct record
{
	unsigned	kind;
	crm_text	text;			/* of all but events */
	uint64		number;			/* of a text; of an event's name */
	uint64		attributes;		/* of an event: their number + 1, or 0 */
	int64		at;
	bool		has_value;
	double		value;
} record;

/* Reads the record at *p, which lies before the end; false when it is none. */
static bool
read_record(const uint8 **p, const uint8 *end, int64 last, record *r)
{
	uint64		first;
	uint64		gap;
	uint64		word;

	if (!read_varint(p, end, &first))
		return false;
	r->kind = first % RECORD_KINDS;
	if (r->kind != RECORD_EVENT)
	{
		r->number = first / RECORD_KINDS;
		return read_bytes(p, end, &r->text);
	}
	r->number = first >> EVENT_SHIFT;
	r->has_value = (first & EVENT_VALUE) != 0;
	r->attributes = 0;
	if (!read_varint(p, end, &gap))
		return false;
	r->at = unzigzag(last, gap);
	if (r->has_value)
	{
		if (end - *p < sizeof(word))
			return false;
		word = crm_load64(*p);
		*p += sizeof(word);
		memcpy(&r->value, &word, sizeof(word));
	}
	if (first & EVENT_ATTRIBUTES)
	{
		if (!read_varint(p, end, &r->attributes))
			return false;
		r->attributes++;
	}
	return true;
}

/*
 * Looks a text up.  Sets its number and returns true, or returns false with
 * the free slot that is its own (if there are any slots).
 */
static bool
find_text(const timeline_state *state, unsigned kind, crm_text text, uint32 hash, uint32 *number, uint32 *slot)
{
	const uint8 *log = state_log(state);
	const uint8 *end = log + state->used;
	record		r;

	for (uint32 i = 0; i < state->slots; i++)
	{
		const uint8 *p;

		*slot = (hash + i) & (state->slots - 1);
		if (state->slot[*slot] == 0)
			return false;
		p = log + (state->slot[*slot] - 1);
		if (p >= end || !read_record(&p, end, 0, &r))
			damaged();
		if (r.kind == kind && r.text.size == text.size && memcmp(r.text.data, text.data, text.size) == 0)
		{
			*number = r.number;
			return true;
		}
	}
	if (state->slots > 0)
		damaged();
	return false;
}

static inline uint32
hash_text(crm_text text)
{
	return hash_bytes((const unsigned char *) text.data, text.size);
}

/* ---- appending ---------------------------------------------------------------- */

/*
 * The state with room in its log for so many bytes, and in its table for so
 * many texts.  A larger one is made in short-lived memory: the executor copies
 * it and frees the old one.
 */
static timeline_state *
make_room(timeline_state *state, Size bytes, uint32 texts)
{
	uint32		slots = state == NULL ? 0 : state->slots;
	Size		size;
	Size		needed;
	timeline_state *larger;
	const uint8 *p;
	const uint8 *end;

	if (texts > 0)
	{
		uint64		filled = (uint64) (state == NULL ? 0 : state->texts) + texts;

		if (slots == 0)
			slots = FIRST_SLOTS;
		while (filled * 4 > (uint64) slots * 3)
			slots *= 2;
	}
	if (state != NULL && slots == state->slots && bytes <= log_room(state) - state->used)
		return state;

	size = state == NULL ? FIRST_SIZE : VARSIZE(state);
	needed = offsetof(timeline_state, slot) + slots * sizeof(uint32) + (state == NULL ? 0 : state->used) + bytes;
	while (size < needed)
		size *= 2;
	/* Doubled beyond the limit, it takes what there is. */
	if (size > MaxAllocSize && needed <= MaxAllocSize)
		size = MaxAllocSize;
	larger = new_state(size, slots);
	if (state == NULL)
		return larger;
	larger->last = state->last;
	larger->events = state->events;
	larger->texts = state->texts;
	larger->used = state->used;
	memcpy(state_log(larger), state_log(state), state->used);
	if (slots == state->slots)
	{
		memcpy(larger->slot, state->slot, slots * sizeof(uint32));
		return larger;
	}

	/* Each text takes its place in a larger table. */
	end = state_log(larger) + larger->used;
	for (uint32 i = 0; i < state->slots; i++)
	{
		record		r;
		uint32		slot;

		if (state->slot[i] == 0)
			continue;
		p = state_log(larger) + (state->slot[i] - 1);
		if (p >= end || !read_record(&p, end, 0, &r) || r.kind == RECORD_EVENT)
			damaged();
		slot = hash_text(r.text) & (slots - 1);
		while (larger->slot[slot] != 0)
			slot = (slot + 1) & (slots - 1);
		larger->slot[slot] = state->slot[i];
	}
	return larger;
}

static void
check_events(const timeline_state *state, uint64 more)
{
	if (more > CRM_TIMELINE_MAX_EVENTS - (state == NULL ? 0 : state->events))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many events in one group"),
				 errdetail("A group holds at most %d events.", CRM_TIMELINE_MAX_EVENTS)));
}

/* The number of a text, which is written unless it is there. */
static timeline_state *
intern(timeline_state *state, unsigned kind, crm_text text, uint32 *number)
{
	uint32		hash = hash_text(text);
	uint32		slot = 0;
	uint64		first;
	uint8	   *p;

	if (state != NULL && find_text(state, kind, text, hash, number, &slot))
		return state;
	*number = state == NULL ? 0 : state->texts;
	first = (uint64) *number * RECORD_KINDS + kind;
	state = make_room(state, varint_size(first) + varint_size(text.size) + text.size, 1);
	if (find_text(state, kind, text, hash, number, &slot))
		damaged();				/* it was not there before */
	state->texts++;
	state->slot[slot] = state->used + 1;
	p = state_log(state) + state->used;
	p = write_varint(p, first);
	p = write_varint(p, text.size);
	memcpy(p, text.data, text.size);
	state->used = p + text.size - state_log(state);
	return state;
}

timeline_state *
timeline_state_add(timeline_state *state, const timeline_row *row)
{
	uint32		name;
	uint32		attributes = 0;
	uint64		gap;
	uint64		first;
	Size		size;
	uint8	   *p;

	check_events(state, 1);
	/* The end of a long log is cold: it comes while the name is looked up. */
	if (state != NULL)
		__builtin_prefetch(state_log(state) + state->used, 1);
	state = intern(state, RECORD_NAME, row->name, &name);
	first = (uint64) name << EVENT_SHIFT | RECORD_EVENT;
	gap = zigzag(state->last, row->at);
	if (row->has_value)
		first |= EVENT_VALUE;
	if (row->attributes.size > 0)
	{
		state = intern(state, RECORD_ATTRIBUTES, row->attributes, &attributes);
		first |= EVENT_ATTRIBUTES;
	}

	size = varint_size(first) + varint_size(gap) + (row->has_value ? sizeof(uint64) : 0) +
		(row->attributes.size > 0 ? varint_size(attributes) : 0);
	state = make_room(state, size, 0);
	p = state_log(state) + state->used;
	p = write_varint(p, first);
	p = write_varint(p, gap);
	if (row->has_value)
	{
		uint64		word;

		memcpy(&word, &row->value, sizeof(word));
		crm_store64(p, word);
		p += sizeof(word);
	}
	if (row->attributes.size > 0)
		write_varint(p, attributes);
	state->used += size;
	state->last = row->at;
	state->events++;
	return state;
}

timeline_state *
timeline_state_add_piece(timeline_state *state, const crm_timeline *piece)
{
	uint8	   *p;

	check_events(state, piece->count);
	state = make_room(state, 2 * MAX_VARINT + piece->size, 0);
	p = state_log(state) + state->used;
	p = write_varint(p, RECORD_PIECE);
	p = write_varint(p, piece->size);
	memcpy(p, piece->bytes, piece->size);
	state->used = p + piece->size - state_log(state);
	state->events += piece->count;
	return state;
}

/* ---- reading ------------------------------------------------------------------- */

void
timeline_state_attributes(StringInfo out, const crm_attribute *attributes, int count)
{
	for (int i = 0; i < count; i++)
	{
		const crm_attribute *a = &attributes[i];
		uint8	   *p;

		enlargeStringInfo(out, 2 * MAX_VARINT + 1 + a->name.size + a->value.text.size);
		p = (uint8 *) out->data + out->len;
		p = write_varint(p, a->name.size);
		memcpy(p, a->name.data, a->name.size);
		p += a->name.size;
		*p++ = a->value.kind;
		p = write_varint(p, a->value.text.size);
		if (a->value.text.size > 0)
			memcpy(p, a->value.text.data, a->value.text.size);
		out->len = (char *) p + a->value.text.size - out->data;
	}
}

/* How many attributes there are, read into an array with room for CRM_TIMELINE_MAX_CHANNELS; -1 for what are none. */
static int
read_attributes(crm_text text, crm_attribute *attributes)
{
	const uint8 *p = (const uint8 *) text.data;
	const uint8 *end = p + text.size;
	int			count = 0;

	for (; p < end; count++)
	{
		crm_attribute *a = &attributes[count];

		if (count == CRM_TIMELINE_MAX_CHANNELS || !read_bytes(&p, end, &a->name) || p >= end || *p > CRM_ATTRIBUTE_TEXT)
			return -1;
		a->value.kind = *p++;
		if (!read_bytes(&p, end, &a->value.text))
			return -1;
	}
	return count;
}

/* Checks a text of a state from outside. */
static void
check_text(unsigned kind, crm_text text)
{
	crm_attribute attributes[CRM_TIMELINE_MAX_CHANNELS];
	int			count;

	if (kind == RECORD_NAME)
	{
		if (!behavior_name_is_valid(text))
			damaged();
		return;
	}
	count = read_attributes(text, attributes);
	if (count < 1)
		damaged();
	for (int i = 0; i < count; i++)
	{
		if (!behavior_name_is_valid(attributes[i].name) || !behavior_attribute_is_valid(&attributes[i].value))
			damaged();
		for (int other = 0; other < i; other++)
			if (attributes[other].name.size == attributes[i].name.size &&
				memcmp(attributes[other].name.data, attributes[i].name.data, attributes[i].name.size) == 0)
				damaged();
	}
}

/* Walks over a log, giving its texts by number. */
typedef struct walk
{
	const uint8 *p;
	const uint8 *end;
	int64		last;
	uint32		texts;			/* read so far */
	uint32		room;
	record		r;
} walk;

static void
begin_walk(walk *w, const timeline_state *state)
{
	w->p = state_log(state);
	w->end = w->p + state->used;
	w->last = 0;
	w->texts = 0;
	w->room = state->texts;
}

/* The next record, its numbers being those of texts before it; false at the end. */
static bool
next_record(walk *w)
{
	if (w->p >= w->end)
		return false;
	if (!read_record(&w->p, w->end, w->last, &w->r))
		damaged();
	switch (w->r.kind)
	{
		case RECORD_EVENT:
			if (w->r.number >= w->texts || w->r.attributes > w->texts || !IS_VALID_TIMESTAMP(w->r.at) ||
				(w->r.has_value && !isfinite(w->r.value)))
				damaged();
			w->last = w->r.at;
			break;
		case RECORD_PIECE:
			break;
		default:
			if (w->r.number != w->texts || w->texts >= w->room)
				damaged();
			w->texts++;
	}
	return true;
}

/* A text by its number, and its kind. */
typedef struct numbered
{
	unsigned	kind;
	crm_text	text;
	uint32		number;			/* elsewhere */
} numbered;

timeline_state *
timeline_state_append(timeline_state *state, const timeline_state *other)
{
	numbered   *texts = palloc(Max(other->texts, 1) * sizeof(numbered));
	walk		w;

	check_events(state, other->events);
	state = make_room(state, other->used, 0);
	begin_walk(&w, other);
	while (next_record(&w))
	{
		if (w.r.kind == RECORD_EVENT)
		{
			timeline_row row = {.at = w.r.at,.has_value = w.r.has_value,.value = w.r.value};

			if (texts[w.r.number].kind != RECORD_NAME)
				damaged();
			row.name = texts[w.r.number].text;
			if (w.r.attributes > 0)
			{
				if (texts[w.r.attributes - 1].kind != RECORD_ATTRIBUTES)
					damaged();
				row.attributes = texts[w.r.attributes - 1].text;
			}
			state = timeline_state_add(state, &row);
		}
		else if (w.r.kind == RECORD_PIECE)
		{
			crm_timeline piece;

			crm_check(crm_timeline_open((const uint8_t *) w.r.text.data, w.r.text.size, &piece), CRM_TIMELINE_TYPE, false);
			if (!behavior_texts_are_valid(&piece))
				damaged();
			state = timeline_state_add_piece(state, &piece);
		}
		else
		{
			check_text(w.r.kind, w.r.text);
			texts[w.r.number] = (numbered) {w.r.kind, w.r.text, 0};
		}
		CHECK_FOR_INTERRUPTS();
	}
	pfree(texts);
	return state;
}

Datum
timeline_state_pack(const timeline_state *state, crm_timeline_writer *writer, bool distinct)
{
	Size		room = state == NULL ? 0 : state->events;
	crm_timeline_event *events = MemoryContextAllocHuge(CurrentMemoryContext, Max(room, 1) * sizeof(crm_timeline_event));
	Size		count = 0;
	numbered   *texts;
	walk		w;
	Datum		result;

	texts = palloc(Max(state == NULL ? 0 : state->texts, 1) * sizeof(numbered));
	if (state != NULL)
	{
		begin_walk(&w, state);
		while (next_record(&w))
		{
			if (w.r.kind == RECORD_EVENT)
			{
				crm_timeline_event *event;

				if (count == room || texts[w.r.number].kind != RECORD_NAME ||
					(w.r.attributes > 0 && texts[w.r.attributes - 1].kind != RECORD_ATTRIBUTES))
					damaged();
				event = &events[count++];
				event->at = w.r.at;
				event->name = texts[w.r.number].number;
				event->attributes = w.r.attributes == 0 ? 0 : texts[w.r.attributes - 1].number;
				event->has_value = w.r.has_value;
				event->value = w.r.has_value ? w.r.value : 0;
			}
			else if (w.r.kind == RECORD_PIECE)
			{
				crm_timeline piece;
				size_t		loaded;

				crm_check(crm_timeline_open((const uint8_t *) w.r.text.data, w.r.text.size, &piece), CRM_TIMELINE_TYPE, false);
				if (piece.count > room - count)
					damaged();
				crm_check(crm_timeline_load(writer, &piece, PG_INT64_MIN, PG_INT64_MAX, events + count, &loaded),
						  CRM_TIMELINE_TYPE, false);
				count += loaded;
			}
			else
			{
				numbered   *text = &texts[w.r.number];

				text->kind = w.r.kind;
				if (w.r.kind == RECORD_NAME)
					crm_check(crm_timeline_writer_name(writer, w.r.text, &text->number), CRM_TIMELINE_TYPE, false);
				else
				{
					crm_attribute attributes[CRM_TIMELINE_MAX_CHANNELS];
					int			attribute_count = read_attributes(w.r.text, attributes);

					if (attribute_count < 0)
						damaged();
					crm_check(crm_timeline_writer_attributes(writer, attributes, attribute_count, &text->number),
							  CRM_TIMELINE_TYPE, false);
				}
			}
			CHECK_FOR_INTERRUPTS();
		}
	}
	result = behavior_timeline_write(writer, events, count, distinct);
	pfree(texts);
	pfree(events);
	return result;
}
