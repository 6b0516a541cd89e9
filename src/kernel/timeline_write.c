/*
 * timeline_write.c - making timelines: dictionaries, and taking apart what is
 * packed already.  timeline_sort.c puts the events in order, timeline_pack.c
 * the bytes together.
 */
#include "kernel/timeline_writer.h"

/* Ranks are kept for this many names; with more, an event's name is rarely met again. */
#define MAX_RANKED 4096
/* Sorted by insertion; longer lists are merged. */
#define SHORT_RUN 24

/* ---- memory -------------------------------------------------------------------- */

crm_status
crm_buffer_reserve(const crm_env *env, crm_buffer *buffer, size_t more)
{
	size_t		room = buffer->room;
	uint8_t    *data;

	if (more <= room - buffer->size)
		return CRM_OK;
	if (more > SIZE_MAX / 4 - buffer->size)
		return CRM_LIMIT;
	room = room < 128 ? 256 : room * 2;
	if (room < buffer->size + more)
		room = buffer->size + more;
	data = env->resize(env->arg, buffer->data, buffer->room, room);
	if (data == NULL)
		return CRM_NO_MEMORY;
	buffer->data = data;
	buffer->room = room;
	return CRM_OK;
}

static void
buffer_free(const crm_env *env, crm_buffer *buffer)
{
	if (buffer->data)
		env->release(env->arg, buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}

/* An array of so many elements anew, what it held kept. */
static crm_status
grow_array(const crm_env *env, void **array, size_t element, size_t from, size_t to)
{
	void	   *grown = env->resize(env->arg, *array, element * from, element * to);

	if (grown == NULL)
		return CRM_NO_MEMORY;
	memset((char *) grown + element * from, 0, element * (to - from));
	*array = grown;
	return CRM_OK;
}

/* ---- dictionaries -------------------------------------------------------------- */

/* The number of a text, added when it is new. */
static crm_status
dictionary_add(const crm_env *env, crm_dictionary *dictionary, const void *text, size_t size, uint32_t *number, bool *added)
{
	crm_value_table *table = &dictionary->table;
	uint32_t	code;
	void	   *array;

	if (size == 0)
		text = "";
	code = crm_value_find(table, text, size);
	*added = code == 0;
	if (code == 0)
	{
		/* Room in the arrays beside the table first: a failure leaves nothing half done. */
		if (table->count >= dictionary->marks_room)
		{
			uint32_t	from = dictionary->marks_room,
						to = from == 0 ? 16 : from * 2;

			array = dictionary->used;
			CRM_TRY(grow_array(env, &array, sizeof(uint32_t), from, to));
			dictionary->used = array;
			array = dictionary->marks;
			CRM_TRY(grow_array(env, &array, sizeof(crm_mark), from, to));
			dictionary->marks = array;
			dictionary->marks_room = to;
		}
		CRM_TRY(crm_value_add(table, env, text, size, UINT32_MAX, &code));
		dictionary->texts += size + 1;
	}
	*number = code - 1;
	return CRM_OK;
}

static void
dictionary_free(const crm_env *env, crm_dictionary *dictionary)
{
	crm_value_clear(&dictionary->table, env);
	if (dictionary->marks)
		env->release(env->arg, dictionary->marks);
	if (dictionary->used)
		env->release(env->arg, dictionary->used);
	memset(dictionary, 0, sizeof(*dictionary));
}

/* A block's own overhead is taken for 16 bytes. */
static size_t
dictionary_memory(const crm_dictionary *dictionary)
{
	return dictionary->texts + dictionary->table.count * (size_t) 16 +
		dictionary->table.capacity * (sizeof(crm_value_entry) + 2 * sizeof(uint32_t)) +
		dictionary->marks_room * (sizeof(crm_mark) + sizeof(uint32_t));
}

void
crm_dictionary_begin(crm_dictionary *dictionary)
{
	dictionary->used_count = 0;
	if (++dictionary->round == 0)
	{
		memset(dictionary->marks, 0, sizeof(crm_mark) * dictionary->marks_room);
		dictionary->round = 1;
	}
}

/* ---- the order of names, texts and sets ------------------------------------------ */

typedef int (*compare_numbers) (const crm_timeline_writer *writer, const crm_dictionary *dictionary, uint32_t a, uint32_t b);

static int
compare_texts(const crm_timeline_writer *writer, const crm_dictionary *dictionary, uint32_t a, uint32_t b)
{
	return a == b ? 0 : crm_text_compare(crm_dictionary_text(dictionary, a), crm_dictionary_text(dictionary, b));
}

static int
compare_names(const crm_timeline_writer *writer, const crm_dictionary *dictionary, uint32_t a, uint32_t b)
{
	if (a < writer->ranked && b < writer->ranked)
		return (writer->rank[a] > writer->rank[b]) - (writer->rank[a] < writer->rank[b]);
	return compare_texts(writer, dictionary, a, b);
}

/*
 * Channel after channel, absent before all values: where two sets part, the
 * one that goes on with the lesser channel has a value that the other lacks.
 */
static int
compare_sets(const crm_timeline_writer *writer, const crm_dictionary *dictionary, uint32_t a, uint32_t b)
{
	uint32_t	count_a,
				count_b;
	const crm_attribute_pair *pair_a = crm_set_pairs(writer, a, &count_a);
	const crm_attribute_pair *pair_b = crm_set_pairs(writer, b, &count_b);

	for (uint32_t i = 0; i < count_a && i < count_b; i++)
	{
		if (pair_a[i].channel != pair_b[i].channel)
			return compare_texts(writer, &writer->channels, pair_b[i].channel, pair_a[i].channel);
		if (pair_a[i].value != pair_b[i].value)
			return compare_texts(writer, &writer->values, pair_a[i].value, pair_b[i].value);
	}
	return (count_a > count_b) - (count_a < count_b);
}

/* Sorts numbers: by insertion, or merging sorted halves of ever greater pieces. */
static crm_status
sort_numbers(crm_timeline_writer *writer, const crm_dictionary *dictionary, compare_numbers compare, uint32_t *numbers, size_t count)
{
	uint32_t   *from = numbers,
			   *to;

	for (size_t start = 0; start < count; start += SHORT_RUN)
	{
		size_t		end = count - start < SHORT_RUN ? count : start + SHORT_RUN;

		for (size_t i = start + 1; i < end; i++)
		{
			uint32_t	number = numbers[i];
			size_t		j = i;

			for (; j > start && compare(writer, dictionary, numbers[j - 1], number) > 0; j--)
				numbers[j] = numbers[j - 1];
			numbers[j] = number;
		}
	}
	if (count <= SHORT_RUN)
		return CRM_OK;

	writer->more.size = 0;
	CRM_TRY(crm_buffer_reserve(&writer->env, &writer->more, count * sizeof(uint32_t)));
	to = (uint32_t *) (void *) writer->more.data;
	for (size_t width = SHORT_RUN; width < count; width *= 2)
	{
		uint32_t   *swap = from;

		for (size_t start = 0; start < count; start += 2 * width)
		{
			size_t		middle = count - start < width ? count : start + width,
						end = count - middle < width ? count : middle + width,
						left = start,
						right = middle;

			for (size_t i = start; i < end; i++)
			{
				if (left < middle && (right >= end || compare(writer, dictionary, from[left], from[right]) <= 0))
					to[i] = from[left++];
				else
					to[i] = from[right++];
				if (i % CRM_TIMELINE_PROGRESS == 0)
					crm_progress(&writer->env);
			}
		}
		from = to;
		to = swap;
	}
	if (from != numbers)
		memcpy(numbers, from, count * sizeof(uint32_t));
	return CRM_OK;
}

static crm_status
code_used(crm_timeline_writer *writer, crm_dictionary *dictionary, compare_numbers compare, uint32_t first)
{
	CRM_TRY(sort_numbers(writer, dictionary, compare, dictionary->used, dictionary->used_count));
	for (uint32_t i = 0; i < dictionary->used_count; i++)
		dictionary->marks[dictionary->used[i]].code = first + i;
	return CRM_OK;
}

crm_status
crm_timeline_code_texts(crm_timeline_writer *writer, crm_dictionary *dictionary)
{
	return code_used(writer, dictionary, compare_texts, 0);
}

crm_status
crm_timeline_code_sets(crm_timeline_writer *writer)
{
	return code_used(writer, &writer->sets, compare_sets, 1);
}

/*
 * Ranks all names there are.  Done when a quarter of them has no rank, so that
 * over many timelines every name is ranked a few times at most.
 */
static crm_status
rank_names(crm_timeline_writer *writer)
{
	uint32_t	count = writer->names.table.count;
	uint32_t   *order = writer->env.alloc(writer->env.arg, sizeof(uint32_t) * count);

	if (order == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	CRM_TRY(sort_numbers(writer, &writer->names, compare_names, order, count));
	for (uint32_t i = 0; i < count; i++)
		writer->rank[order[i]] = i;
	writer->ranked = count;
	writer->env.release(writer->env.arg, order);
	return CRM_OK;
}

crm_status
crm_timeline_code_names(crm_timeline_writer *writer)
{
	uint32_t	count = writer->names.table.count;

	if (count <= MAX_RANKED && count - writer->ranked > writer->ranked / 4)
		CRM_TRY(rank_names(writer));
	return code_used(writer, &writer->names, compare_names, 0);
}

/* ---- the writer ------------------------------------------------------------------ */

crm_status
crm_timeline_writer_new(const crm_env *env, crm_timeline_writer **writer)
{
	*writer = env->alloc(env->arg, sizeof(crm_timeline_writer));
	if (*writer == NULL)
		return CRM_NO_MEMORY;
	memset(*writer, 0, sizeof(crm_timeline_writer));
	(*writer)->env = *env;
	return CRM_OK;
}

void
crm_timeline_writer_reset(crm_timeline_writer *writer)
{
	const crm_env *env = &writer->env;

	for (uint32_t i = 0; i < writer->sets.table.count; i++)
		env->release(env->arg, (void *) writer->lists[i].attributes);
	if (writer->lists)
		env->release(env->arg, writer->lists);
	if (writer->known)
		env->release(env->arg, writer->known);
	if (writer->rank)
		env->release(env->arg, writer->rank);
	writer->lists = NULL;
	writer->known = NULL;
	writer->rank = NULL;
	writer->lists_room = writer->names_room = writer->ranked = 0;
	writer->lists_size = 0;
	dictionary_free(env, &writer->names);
	dictionary_free(env, &writer->channels);
	dictionary_free(env, &writer->values);
	dictionary_free(env, &writer->sets);
}

void
crm_timeline_writer_free(crm_timeline_writer *writer)
{
	crm_env		env = writer->env;

	crm_timeline_writer_reset(writer);
	buffer_free(&env, &writer->out);
	buffer_free(&env, &writer->dictionary);
	buffer_free(&env, &writer->codes);
	buffer_free(&env, &writer->numbers);
	buffer_free(&env, &writer->more);
	env.release(env.arg, writer);
}

size_t
crm_timeline_writer_memory(const crm_timeline_writer *writer)
{
	return dictionary_memory(&writer->names) + dictionary_memory(&writer->channels) +
		dictionary_memory(&writer->values) + dictionary_memory(&writer->sets) +
		writer->names_room * (sizeof(uint32_t) + 1) + writer->lists_room * sizeof(crm_attribute_set) + writer->lists_size;
}

crm_status
crm_timeline_writer_name(crm_timeline_writer *writer, crm_text name, uint32_t *number)
{
	bool		added;
	void	   *array;
	int			known;

	if (name.size > CRM_TIMELINE_MAX_NAME)
		return CRM_LIMIT;
	if (writer->names.table.count >= writer->names_room)
	{
		uint32_t	from = writer->names_room,
					to = from == 0 ? 16 : from * 2;

		array = writer->rank;
		CRM_TRY(grow_array(&writer->env, &array, sizeof(uint32_t), from, to));
		writer->rank = array;
		array = writer->known;
		CRM_TRY(grow_array(&writer->env, &array, 1, from, to));
		writer->known = array;
		writer->names_room = to;
	}
	CRM_TRY(dictionary_add(&writer->env, &writer->names, name.data, name.size, number, &added));
	if (added)
	{
		known = crm_timeline_known_name(name);
		writer->known[*number] = known < 0 ? 0 : (uint8_t) (CRM_NAME_KNOWN | known);
	}
	return CRM_OK;
}

/* The number of a value of an attribute. */
static crm_status
add_attribute_value(crm_timeline_writer *writer, const crm_attribute_value *value, uint32_t *number)
{
	size_t		size = value->kind < CRM_ATTRIBUTE_NUMBER ? 0 : value->text.size;
	bool		added;

	if (size >= UINT32_MAX / 2)
		return CRM_LIMIT;
	writer->more.size = 0;
	CRM_TRY(crm_buffer_reserve(&writer->env, &writer->more, size + 1));
	writer->more.data[0] = (uint8_t) value->kind;
	if (size > 0)
		memcpy(writer->more.data + 1, value->text.data, size);
	return dictionary_add(&writer->env, &writer->values, writer->more.data, size + 1, number, &added);
}

static crm_status
add_channel(crm_timeline_writer *writer, crm_text name, uint32_t *number)
{
	bool		added;

	if (name.size > CRM_TIMELINE_MAX_NAME)
		return CRM_LIMIT;
	return dictionary_add(&writer->env, &writer->channels, name.data, name.size, number, &added);
}

/* The number of a set, of pairs in the order of the channels' names. */
static crm_status
add_set(crm_timeline_writer *writer, const crm_attribute_pair *pairs, uint32_t count, uint32_t *number)
{
	const crm_env *env = &writer->env;
	crm_attribute *attributes;
	uint32_t	set;
	bool		added;
	void	   *array;

	if (count == 0)
	{
		*number = 0;
		return CRM_OK;
	}
	set = crm_value_find(&writer->sets.table, (const char *) pairs, count * sizeof(*pairs));
	if (set != 0)
	{
		*number = set;
		return CRM_OK;
	}
	if (writer->sets.table.count >= writer->lists_room)
	{
		uint32_t	from = writer->lists_room,
					to = from == 0 ? 16 : from * 2;

		array = writer->lists;
		CRM_TRY(grow_array(env, &array, sizeof(crm_attribute_set), from, to));
		writer->lists = array;
		writer->lists_room = to;
	}
	attributes = env->alloc(env->arg, sizeof(crm_attribute) * count);
	if (attributes == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++)
	{
		crm_text	value = crm_dictionary_text(&writer->values, pairs[i].value);

		attributes[i].name = crm_dictionary_text(&writer->channels, pairs[i].channel);
		attributes[i].value.kind = (crm_attribute_kind) value.data[0];
		attributes[i].value.text.data = value.data + 1;
		attributes[i].value.text.size = value.size - 1;
	}
	CRM_TRY(dictionary_add(env, &writer->sets, pairs, count * sizeof(*pairs), &set, &added));
	writer->lists[set].attributes = attributes;
	writer->lists[set].count = count;
	writer->lists_size += sizeof(crm_attribute) * count + 16;
	*number = set + 1;
	return CRM_OK;
}

crm_status
crm_timeline_writer_attributes(crm_timeline_writer *writer, const crm_attribute *attributes, size_t count, uint32_t *number)
{
	crm_attribute_pair pairs[CRM_TIMELINE_MAX_CHANNELS];

	if (count > CRM_TIMELINE_MAX_CHANNELS)
		return CRM_LIMIT;
	for (size_t i = 0; i < count; i++)
	{
		crm_attribute_pair pair;
		size_t		j = i;

		CRM_TRY(add_channel(writer, attributes[i].name, &pair.channel));
		CRM_TRY(add_attribute_value(writer, &attributes[i].value, &pair.value));
		while (j > 0)
		{
			int			order = compare_texts(writer, &writer->channels, pairs[j - 1].channel, pair.channel);

			if (order == 0)
				return CRM_OUT_OF_RANGE;
			if (order < 0)
				break;
			pairs[j] = pairs[j - 1];
			j--;
		}
		pairs[j] = pair;
	}
	return add_set(writer, pairs, (uint32_t) count, number);
}

crm_text
crm_timeline_writer_name_text(const crm_timeline_writer *writer, uint32_t number)
{
	return crm_dictionary_text(&writer->names, number);
}

const crm_attribute *
crm_timeline_writer_attribute_list(const crm_timeline_writer *writer, uint32_t number, size_t *count)
{
	*count = number == 0 ? 0 : writer->lists[number - 1].count;
	return number == 0 ? NULL : writer->lists[number - 1].attributes;
}

/* ---- writing ---------------------------------------------------------------------- */

crm_status
crm_timeline_write(crm_timeline_writer *writer, crm_timeline_event *events, size_t count, bool distinct,
				   size_t head, uint8_t **bytes, size_t *size)
{
	bool		ascending = true,
				attributes = false;

	if (count > 0)
	{
		crm_dictionary_begin(&writer->names);
		crm_dictionary_begin(&writer->sets);
		for (size_t i = 0; i < count; i++)
		{
			crm_dictionary_use(&writer->names, events[i].name);
			if (events[i].attributes != 0)
			{
				crm_dictionary_use(&writer->sets, events[i].attributes - 1);
				attributes = true;
			}
			ascending &= i == 0 || events[i - 1].at < events[i].at;
			if (i % CRM_TIMELINE_PROGRESS == 0)
				crm_progress(&writer->env);
		}
		if (writer->names.used_count > CRM_TIMELINE_MAX_NAMES)
			return CRM_LIMIT;
		CRM_TRY(crm_timeline_code_names(writer));
		if (attributes)
			CRM_TRY(crm_timeline_code_sets(writer));
		if (!ascending)
		{
			CRM_TRY(crm_timeline_sort(writer, events, count));
			if (distinct)
				count = crm_timeline_drop_equal(writer, events, count);
		}
		if (count > CRM_TIMELINE_MAX_EVENTS)
			return CRM_LIMIT;
		if (events[0].at < CRM_TIMELINE_MIN_TIME || events[count - 1].at >= CRM_TIMELINE_END_TIME)
			return CRM_OUT_OF_RANGE;
	}
	CRM_TRY(crm_timeline_pack(writer, events, count, head));
	*bytes = writer->out.data;
	*size = writer->out.size;
	return CRM_OK;
}

/* ---- taking apart ---------------------------------------------------------------- */

/* The numbers of a timeline's names, channels and values, by the codes it has for them. */
typedef struct loader
{
	uint32_t	channel[CRM_TIMELINE_MAX_CHANNELS];
	size_t		first[CRM_TIMELINE_MAX_CHANNELS];	/* value 0 of a channel in `numbers` */
	crm_timeline_channel channels[CRM_TIMELINE_MAX_CHANNELS];
} loader;

static crm_status
load_channels(crm_timeline_writer *writer, const crm_timeline *timeline, loader *l)
{
	size_t		place = timeline->names;

	crm_timeline_channels(timeline, l->channels);
	for (uint32_t c = 0; c < timeline->channels; c++)
	{
		const crm_timeline_channel *channel = &l->channels[c];
		size_t		at = channel->values_at;

		if (c > 0 && crm_text_compare(l->channels[c - 1].name, channel->name) >= 0)
			return CRM_CORRUPT;
		CRM_TRY(add_channel(writer, channel->name, &l->channel[c]));
		l->first[c] = place;
		writer->numbers.size = place * sizeof(uint32_t);
		CRM_TRY(crm_buffer_reserve(&writer->env, &writer->numbers, channel->values * sizeof(uint32_t)));
		for (uint32_t v = 0; v < channel->values; v++)
		{
			crm_attribute_value value;

			if (!crm_read_attribute(timeline->bytes, timeline->events_at, &at, &value))
				return CRM_CORRUPT;
			CRM_TRY(add_attribute_value(writer, &value, (uint32_t *) (void *) writer->numbers.data + place++));
		}
	}
	return CRM_OK;
}

crm_status
crm_timeline_load(crm_timeline_writer *writer, const crm_timeline *timeline, int64_t since, int64_t until,
				  crm_timeline_event *events, size_t *count)
{
	loader		l;
	crm_timeline_cursor cursor;
	crm_timeline_values values;
	crm_attribute_pair pairs[CRM_TIMELINE_MAX_CHANNELS];
	size_t		at = timeline->names_at,
				loaded = 0;
	const uint32_t *numbers;

	*count = 0;
	writer->numbers.size = 0;
	CRM_TRY(crm_buffer_reserve(&writer->env, &writer->numbers, (timeline->names + (size_t) 1) * sizeof(uint32_t)));
	for (uint32_t i = 0; i < timeline->names; i++)
		CRM_TRY(crm_timeline_writer_name(writer, crm_timeline_next_name(timeline, &at),
										 (uint32_t *) (void *) writer->numbers.data + i));
	if (timeline->channels > 0)
		CRM_TRY(load_channels(writer, timeline, &l));
	numbers = (const uint32_t *) (const void *) writer->numbers.data;

	crm_timeline_begin(timeline, &cursor);
	crm_timeline_values_begin(timeline, &values);
	while (crm_timeline_next(&cursor) && cursor.at < until)
	{
		crm_timeline_event *event = &events[loaded];

		if (cursor.index % CRM_TIMELINE_PROGRESS == 0)
			crm_progress(&writer->env);
		if (cursor.at < since)
			continue;
		event->at = cursor.at;
		event->name = numbers[cursor.code];
		event->attributes = 0;
		event->value = 0;
		event->has_value = crm_timeline_value(&values, cursor.index, &event->value);
		if (timeline->channels > 0)
		{
			uint32_t	present = 0;

			for (uint32_t c = 0; c < timeline->channels; c++)
			{
				uint32_t	code = crm_timeline_channel_code(&l.channels[c], cursor.index);

				if (code == 0)
					continue;
				pairs[present].channel = l.channel[c];
				pairs[present++].value = numbers[l.first[c] + code - 1];
			}
			CRM_TRY(add_set(writer, pairs, present, &event->attributes));
		}
		loaded++;
	}
	*count = loaded;
	return CRM_OK;
}
