/*
 * rule_program.c - building programs of rules, and their bytes.
 *
 * Many tags ask the same of the same columns: equal nodes are found by a hash
 * over their content and stand once.
 */
#include "kernel/rule_batch.h"

/* Lists of one program stay below this, so that no size computed from them overflows. */
#define MAX_ITEMS (UINT32_C(1) << 24)

#define FIRST_ROOM 32
#define FIRST_SLOTS 256

/* ---- building ---------------------------------------------------------------- */

static crm_status
make_room(const crm_env *env, void **list, uint32_t count, uint32_t *room, uint32_t more, size_t width)
{
	uint32_t	wanted = *room == 0 ? FIRST_ROOM : *room;
	void	   *grown;

	if (more > MAX_ITEMS || count > MAX_ITEMS - more)
		return CRM_LIMIT;
	if (count + more <= *room)
		return CRM_OK;
	while (wanted < count + more)
		wanted *= 2;
	grown = env->resize(env->arg, *list, width * *room, width * wanted);
	if (grown == NULL)
		return CRM_NO_MEMORY;
	*list = grown;
	*room = wanted;
	return CRM_OK;
}

#define MAKE_ROOM(program, env, list, item, more) \
	CRM_TRY(make_room(env, (void **) &(program)->list, (program)->item##_count, &(program)->item##_room, \
					  more, sizeof(*(program)->list)))

crm_status
crm_program_add_argument(crm_program *program, crm_argument_kind kind, uint32_t *argument)
{
	bool		gathered = CRM_ARGUMENT_IS_GATHERED(kind);

	if (program->argument_count >= CRM_PROGRAM_MAX_ARGUMENTS + (gathered ? CRM_ARGUMENT_GATHERED : 0))
		return CRM_LIMIT;
	program->arguments[program->argument_count] = kind;
	*argument = program->argument_count++;
	return CRM_OK;
}

crm_status
crm_program_add_column(crm_program *program, const crm_env *env, const crm_column *column, uint32_t *number)
{
	if (program->column_count >= CRM_PROGRAM_MAX_COLUMNS)
		return CRM_LIMIT;
	MAKE_ROOM(program, env, columns, column, 1);
	program->columns[program->column_count] = *column;
	*number = program->column_count++;
	return CRM_OK;
}

crm_status
crm_program_add_string(crm_program *program, const crm_env *env, const char *text, size_t length, uint32_t *number)
{
	char	   *copy;

	if (length > MAX_ITEMS)
		return CRM_LIMIT;
	MAKE_ROOM(program, env, strings, string, 1);
	copy = env->alloc(env->arg, length + 1);
	if (copy == NULL)
		return CRM_NO_MEMORY;
	memcpy(copy, text, length);
	copy[length] = '\0';
	program->strings[program->string_count].text = copy;
	program->strings[program->string_count].length = length;
	*number = program->string_count++;
	return CRM_OK;
}

crm_status
crm_program_add_arm(crm_program *program, const crm_env *env, uint32_t node, uint32_t value)
{
	MAKE_ROOM(program, env, arms, arm, 1);
	program->arms[program->arm_count++] = (crm_arm) {node, value};
	return CRM_OK;
}

crm_status
crm_program_add_rule(crm_program *program, const crm_env *env, const crm_program_rule *rule)
{
	MAKE_ROOM(program, env, rules, rule, 1);
	program->rules[program->rule_count++] = *rule;
	return CRM_OK;
}

static inline bool
has_ranges(uint8_t op)
{
	return op == CRM_NODE_IN || op == CRM_NODE_OUT;
}

static inline bool
has_children(uint8_t op)
{
	return op == CRM_NODE_AND || op == CRM_NODE_OR || op == CRM_NODE_NOT;
}

/* What a node's first and count speak of. */
static const void *
node_content(const crm_program *program, const crm_node *node, size_t *size)
{
	/* The arrays themselves may still be NULL, and no offset may be taken from that. */
	if (node->count == 0)
	{
		*size = 0;
		return "";
	}
	if (has_ranges(node->op))
	{
		*size = sizeof(crm_range) * node->count;
		return program->ranges + node->first;
	}
	*size = sizeof(uint32_t) * node->count;
	return program->children + node->first;
}

static uint64_t
node_hash(const crm_program *program, const crm_node *node)
{
	uint64_t	h = ((uint64_t) node->op << 32) ^ node->column ^ ((uint64_t) node->count << 40);
	size_t		size;
	const uint8_t *content = node_content(program, node, &size);

	for (size_t i = 0; i < size; i += 4)
	{
		uint32_t	word;

		memcpy(&word, content + i, 4);
		h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
		h ^= h >> 29;
	}
	return h * UINT64_C(0x9E3779B97F4A7C15) >> 20;
}

static bool
node_equal(const crm_program *program, const crm_node *a, const crm_node *b)
{
	size_t		size_a,
				size_b;
	const void *content_a = node_content(program, a, &size_a);
	const void *content_b = node_content(program, b, &size_b);

	return a->op == b->op && a->column == b->column && size_a == size_b &&
		(size_a == 0 || memcmp(content_a, content_b, size_a) == 0);
}

static void
fill_slots(crm_program *program)
{
	memset(program->node_slots, 0, sizeof(uint32_t) * ((size_t) program->node_mask + 1));
	for (uint32_t i = 0; i < program->node_count; i++)
	{
		uint32_t	slot = node_hash(program, &program->nodes[i]) & program->node_mask;

		while (program->node_slots[slot] != 0)
			slot = (slot + 1) & program->node_mask;
		program->node_slots[slot] = i + 1;
	}
}

static crm_status
rehash(crm_program *program, const crm_env *env)
{
	uint32_t	mask = program->node_mask == 0 ? FIRST_SLOTS - 1 : program->node_mask * 2 + 1;
	uint32_t   *slots = env->alloc(env->arg, sizeof(uint32_t) * ((size_t) mask + 1));

	if (slots == NULL)
		return CRM_NO_MEMORY;
	env->release(env->arg, program->node_slots);
	program->node_slots = slots;
	program->node_mask = mask;
	fill_slots(program);
	return CRM_OK;
}

/*
 * The node, which an equal one may already be; its content stands at the end of
 * its list, and is taken off again when there is an equal one.
 */
static crm_status
intern_node(crm_program *program, const crm_env *env, const crm_node *node, uint32_t *number)
{
	uint32_t	slot;

	if (program->node_slots == NULL || program->node_count * 2 > program->node_mask)
		CRM_TRY(rehash(program, env));
	slot = node_hash(program, node) & program->node_mask;
	for (; program->node_slots[slot] != 0; slot = (slot + 1) & program->node_mask)
		if (node_equal(program, node, &program->nodes[program->node_slots[slot] - 1]))
		{
			if (has_ranges(node->op))
				program->range_count = node->first;
			else if (has_children(node->op))
				program->child_count = node->first;
			*number = program->node_slots[slot] - 1;
			return CRM_OK;
		}
	MAKE_ROOM(program, env, nodes, node, 1);
	program->nodes[program->node_count] = *node;
	*number = program->node_count++;
	program->node_slots[slot] = program->node_count;
	return CRM_OK;
}

crm_status
crm_program_constant(crm_program *program, const crm_env *env, bool all, uint32_t *node)
{
	crm_node	constant = {all ? CRM_NODE_ALWAYS : CRM_NODE_NEVER, 0, 0, 0};

	return intern_node(program, env, &constant, node);
}

crm_status
crm_program_null(crm_program *program, const crm_env *env, uint32_t column, bool null, uint32_t *node)
{
	crm_node	test = {null ? CRM_NODE_NULL : CRM_NODE_NOT_NULL, column, 0, 0};

	return intern_node(program, env, &test, node);
}

crm_status
crm_program_ranges(crm_program *program, const crm_env *env, uint32_t column, bool inside,
				   const crm_range *ranges, uint32_t count, uint32_t *node)
{
	crm_node	test = {inside ? CRM_NODE_IN : CRM_NODE_OUT, column, program->range_count, count};

	if (count == 0)
		return inside ? crm_program_constant(program, env, false, node) :
			crm_program_null(program, env, column, false, node);
	if (count == 1 && ranges[0].low == INT64_MIN && ranges[0].high == INT64_MAX)
		return inside ? crm_program_null(program, env, column, false, node) :
			crm_program_constant(program, env, false, node);
	MAKE_ROOM(program, env, ranges, range, count);
	memcpy(program->ranges + program->range_count, ranges, sizeof(crm_range) * count);
	program->range_count += count;
	return intern_node(program, env, &test, node);
}

crm_status
crm_program_join(crm_program *program, const crm_env *env, bool all, const uint32_t *nodes,
				 uint32_t count, uint32_t *node)
{
	uint8_t		neutral = all ? CRM_NODE_ALWAYS : CRM_NODE_NEVER;
	uint8_t		absorbing = all ? CRM_NODE_NEVER : CRM_NODE_ALWAYS;
	crm_node	join = {all ? CRM_NODE_AND : CRM_NODE_OR, 0, program->child_count, 0};
	uint32_t   *children;

	MAKE_ROOM(program, env, children, child, count + 1);
	children = program->children + join.first;
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t	place = join.count;

		if (program->nodes[nodes[i]].op == neutral)
			continue;
		if (program->nodes[nodes[i]].op == absorbing)
			return crm_program_constant(program, env, !all, node);
		/* In order and each once, so that equal joins look equal; lists are short. */
		while (place > 0 && children[place - 1] > nodes[i])
			place--;
		if (place > 0 && children[place - 1] == nodes[i])
			continue;
		memmove(children + place + 1, children + place, sizeof(uint32_t) * (join.count - place));
		children[place] = nodes[i];
		join.count++;
	}
	if (join.count == 0)
		return crm_program_constant(program, env, all, node);
	if (join.count == 1)
	{
		*node = children[0];
		return CRM_OK;
	}
	program->child_count += join.count;
	return intern_node(program, env, &join, node);
}

crm_status
crm_program_not(crm_program *program, const crm_env *env, uint32_t inner, uint32_t *node)
{
	crm_node	join = {CRM_NODE_NOT, 0, program->child_count, 1};
	const crm_node *of = &program->nodes[inner];

	switch (of->op)
	{
		case CRM_NODE_NEVER:
		case CRM_NODE_ALWAYS:
			return crm_program_constant(program, env, of->op == CRM_NODE_NEVER, node);
		case CRM_NODE_NULL:
		case CRM_NODE_NOT_NULL:
			return crm_program_null(program, env, of->column, of->op == CRM_NODE_NOT_NULL, node);
		case CRM_NODE_NOT:
			*node = program->children[of->first];
			return CRM_OK;
	}
	MAKE_ROOM(program, env, children, child, 1);
	program->children[program->child_count++] = inner;
	return intern_node(program, env, &join, node);
}

void
crm_program_rewind(crm_program *program, const crm_program *copy)
{
	program->argument_count = copy->argument_count;
	program->column_count = copy->column_count;
	program->node_count = copy->node_count;
	program->range_count = copy->range_count;
	program->child_count = copy->child_count;
	program->arm_count = copy->arm_count;
	program->string_count = copy->string_count;
	program->rule_count = copy->rule_count;
	if (program->node_slots)
		fill_slots(program);
}

/* ---- bytes --------------------------------------------------------------------- */

#define PROGRAM_MAGIC UINT32_C(0x504D5243)	/* "CRMP" */
#define PROGRAM_VERSION 1

typedef struct writer
{
	uint8_t    *at;
} writer;

static inline void
put8(writer *w, uint8_t value)
{
	*w->at++ = value;
}

static inline void
put32(writer *w, uint32_t value)
{
	crm_store32(w->at, value);
	w->at += 4;
}

static inline void
put64(writer *w, uint64_t value)
{
	crm_store64(w->at, value);
	w->at += 8;
}

/* Bytes of one item on the wire. */
#define COLUMN_BYTES 12
#define NODE_BYTES 13
#define RANGE_BYTES 16
#define ARM_BYTES 8
#define RULE_BYTES 21

crm_status
crm_program_encode(const crm_program *program, const crm_env *env, uint8_t **bytes, size_t *size)
{
	size_t		total = 4 + 1 + 1 + program->argument_count + 6 * 4;
	writer		w;

	total += (size_t) program->string_count * 4;
	for (uint32_t i = 0; i < program->string_count; i++)
		total += program->strings[i].length;
	total += (size_t) program->column_count * COLUMN_BYTES + (size_t) program->range_count * RANGE_BYTES +
		(size_t) program->child_count * 4 + (size_t) program->node_count * NODE_BYTES +
		(size_t) program->arm_count * ARM_BYTES + (size_t) program->rule_count * RULE_BYTES + 4;
	w.at = *bytes = env->alloc(env->arg, total);
	if (w.at == NULL)
		return CRM_NO_MEMORY;
	*size = total;

	put32(&w, PROGRAM_MAGIC);
	put8(&w, PROGRAM_VERSION);
	put8(&w, program->argument_count);
	for (uint32_t i = 0; i < program->argument_count; i++)
		put8(&w, program->arguments[i]);
	put32(&w, program->string_count);
	for (uint32_t i = 0; i < program->string_count; i++)
	{
		put32(&w, program->strings[i].length);
		memcpy(w.at, program->strings[i].text, program->strings[i].length);
		w.at += program->strings[i].length;
	}
	put32(&w, program->column_count);
	for (uint32_t i = 0; i < program->column_count; i++)
	{
		put8(&w, program->columns[i].argument);
		put8(&w, program->columns[i].argument >> 8);
		put8(&w, program->columns[i].fraction);
		put8(&w, program->columns[i].intern);
		put32(&w, program->columns[i].value_count);
		put32(&w, program->columns[i].first_value);
	}
	put32(&w, program->range_count);
	for (uint32_t i = 0; i < program->range_count; i++)
	{
		put64(&w, program->ranges[i].low);
		put64(&w, program->ranges[i].high);
	}
	put32(&w, program->child_count);
	for (uint32_t i = 0; i < program->child_count; i++)
		put32(&w, program->children[i]);
	put32(&w, program->node_count);
	for (uint32_t i = 0; i < program->node_count; i++)
	{
		put8(&w, program->nodes[i].op);
		put32(&w, program->nodes[i].column);
		put32(&w, program->nodes[i].first);
		put32(&w, program->nodes[i].count);
	}
	put32(&w, program->arm_count);
	for (uint32_t i = 0; i < program->arm_count; i++)
	{
		put32(&w, program->arms[i].node);
		put32(&w, program->arms[i].value);
	}
	put32(&w, program->rule_count);
	for (uint32_t i = 0; i < program->rule_count; i++)
	{
		put8(&w, program->rules[i].kind);
		put32(&w, program->rules[i].name);
		put32(&w, program->rules[i].target);
		put32(&w, program->rules[i].first_arm);
		put32(&w, program->rules[i].arm_count);
		put32(&w, program->rules[i].otherwise);
	}
	return CRM_OK;
}

typedef struct reader
{
	const uint8_t *at;
	const uint8_t *end;
} reader;

static inline bool
left(const reader *r, uint64_t bytes)
{
	return (uint64_t) (r->end - r->at) >= bytes;
}

/* The next numbers; whoever calls has asked for the room before. */
static inline uint32_t
get32(reader *r)
{
	uint32_t	value = crm_load32(r->at);

	r->at += 4;
	return value;
}

static inline uint64_t
get64(reader *r)
{
	uint64_t	value = crm_load64(r->at);

	r->at += 8;
	return value;
}

/* Length of a list whose items take `width` bytes at least; its memory too. */
static crm_status
get_list(reader *r, const crm_env *env, size_t wire_width, size_t width, uint32_t *count, void **list)
{
	if (!left(r, 4))
		return CRM_CORRUPT;
	*count = get32(r);
	if (*count > MAX_ITEMS || !left(r, (uint64_t) *count * wire_width))
		return CRM_CORRUPT;
	*list = env->alloc(env->arg, (*count + (size_t) 1) * width);
	return *list == NULL ? CRM_NO_MEMORY : CRM_OK;
}

/* first ... first + count - 1 are all below total. */
static inline bool
within(uint32_t first, uint32_t count, uint32_t total)
{
	return first <= total && count <= total - first;
}

static crm_status
get_strings(reader *r, const crm_env *env, crm_program *program)
{
	CRM_TRY(get_list(r, env, 4, sizeof(crm_string), &program->string_count, (void **) &program->strings));
	for (uint32_t i = 0; i < program->string_count; i++)
	{
		uint32_t	length;
		char	   *copy;

		if (!left(r, 4))
			return CRM_CORRUPT;
		length = get32(r);
		if (!left(r, length) || memchr(r->at, '\0', length) != NULL)
			return CRM_CORRUPT;
		copy = env->alloc(env->arg, (size_t) length + 1);
		if (copy == NULL)
			return CRM_NO_MEMORY;
		memcpy(copy, r->at, length);
		copy[length] = '\0';
		r->at += length;
		program->strings[i] = (crm_string) {copy, length};
	}
	return CRM_OK;
}

static inline bool
is_text(const crm_program *program, const crm_column *column)
{
	uint8_t		kind = program->arguments[column->argument];

	return kind == CRM_ARGUMENT_TEXT || kind == CRM_ARGUMENT_BPCHAR;
}

static crm_status
get_columns(reader *r, const crm_env *env, crm_program *program)
{
	uint64_t	values = 0;

	CRM_TRY(get_list(r, env, COLUMN_BYTES, sizeof(crm_column), &program->column_count, (void **) &program->columns));
	if (program->column_count > CRM_PROGRAM_MAX_COLUMNS)
		return CRM_CORRUPT;
	for (uint32_t i = 0; i < program->column_count; i++)
	{
		crm_column *column = &program->columns[i];
		uint8_t		intern;

		column->argument = crm_load16(r->at);
		column->fraction = r->at[2];
		intern = r->at[3];
		r->at += 4;
		column->intern = intern != 0;
		column->value_count = get32(r);
		column->first_value = get32(r);
		if (column->argument >= program->argument_count ||
			CRM_ARGUMENT_IS_GATHERED(program->arguments[column->argument]) ||
			column->fraction > 3 || intern > 1 ||
			(!is_text(program, column) && (column->intern || column->value_count > 0)) ||
			!within(column->first_value, column->value_count, program->string_count))
			return CRM_CORRUPT;
		values += column->value_count;
		if (values > MAX_ITEMS)
			return CRM_CORRUPT;
	}
	return CRM_OK;
}

static crm_status
get_ranges_and_children(reader *r, const crm_env *env, crm_program *program)
{
	CRM_TRY(get_list(r, env, RANGE_BYTES, sizeof(crm_range), &program->range_count, (void **) &program->ranges));
	for (uint32_t i = 0; i < program->range_count; i++)
	{
		program->ranges[i].low = get64(r);
		program->ranges[i].high = get64(r);
		if (program->ranges[i].low > program->ranges[i].high)
			return CRM_CORRUPT;
	}
	CRM_TRY(get_list(r, env, 4, sizeof(uint32_t), &program->child_count, (void **) &program->children));
	for (uint32_t i = 0; i < program->child_count; i++)
		program->children[i] = get32(r);
	return CRM_OK;
}

static bool
valid_node(const crm_program *program, uint32_t number)
{
	const crm_node *node = &program->nodes[number];

	switch (node->op)
	{
		case CRM_NODE_NEVER:
		case CRM_NODE_ALWAYS:
			return node->column == 0;
		case CRM_NODE_NULL:
		case CRM_NODE_NOT_NULL:
			return node->column < program->column_count;
		case CRM_NODE_IN:
		case CRM_NODE_OUT:
			if (node->column >= program->column_count || node->count == 0 ||
				!within(node->first, node->count, program->range_count))
				return false;
			/* Ascending without overlap: lists are searched by halving. */
			for (uint32_t i = 1; i < node->count; i++)
				if (program->ranges[node->first + i - 1].high >= program->ranges[node->first + i].low)
					return false;
			return true;
		case CRM_NODE_AND:
		case CRM_NODE_OR:
		case CRM_NODE_NOT:
			if (node->column != 0 || node->count == 0 || (node->op == CRM_NODE_NOT && node->count != 1) ||
				!within(node->first, node->count, program->child_count))
				return false;
			for (uint32_t i = 0; i < node->count; i++)
				if (program->children[node->first + i] >= number)
					return false;
			return true;
	}
	return false;
}

static crm_status
get_nodes(reader *r, const crm_env *env, crm_program *program)
{
	/* Work that the nodes ask for; many nodes may share a list, so it is not bounded by the bytes. */
	uint64_t	work = 0;

	CRM_TRY(get_list(r, env, NODE_BYTES, sizeof(crm_node), &program->node_count, (void **) &program->nodes));
	for (uint32_t i = 0; i < program->node_count; i++)
	{
		crm_node   *node = &program->nodes[i];

		node->op = *r->at++;
		node->column = get32(r);
		node->first = get32(r);
		node->count = get32(r);
		work += has_ranges(node->op) || has_children(node->op) ? node->count : 0;
		if (work > MAX_ITEMS || !valid_node(program, i))
			return CRM_CORRUPT;
	}
	return CRM_OK;
}

static bool
valid_value(const crm_program *program, uint32_t value)
{
	return value == CRM_PROGRAM_NONE || value < program->string_count;
}

static bool
valid_rule(crm_program *program, crm_program_rule *rule)
{
	if (rule->name >= program->string_count)
		return false;
	switch (rule->kind)
	{
		case CRM_RULE_NODE:
			return rule->target < program->node_count;
		case CRM_RULE_CASE:
			return within(rule->first_arm, rule->arm_count, program->arm_count) && valid_value(program, rule->otherwise);
		case CRM_RULE_COLUMN:
			return rule->target < program->column_count && program->columns[rule->target].intern &&
				valid_value(program, rule->otherwise);
		case CRM_RULE_EXECUTOR_BOOLEAN:
			return rule->target == program->executor_booleans++;
		case CRM_RULE_EXECUTOR_TEXT:
			return rule->target == program->executor_texts++;
		case CRM_RULE_EXECUTOR_NUMBER:
			return rule->target == program->executor_numbers++;
	}
	return false;
}

static crm_status
get_rules(reader *r, const crm_env *env, crm_program *program)
{
	uint64_t	work = 0;

	CRM_TRY(get_list(r, env, ARM_BYTES, sizeof(crm_arm), &program->arm_count, (void **) &program->arms));
	for (uint32_t i = 0; i < program->arm_count; i++)
	{
		program->arms[i].node = get32(r);
		program->arms[i].value = get32(r);
		if (program->arms[i].node >= program->node_count || !valid_value(program, program->arms[i].value))
			return CRM_CORRUPT;
	}
	CRM_TRY(get_list(r, env, RULE_BYTES, sizeof(crm_program_rule), &program->rule_count, (void **) &program->rules));
	for (uint32_t i = 0; i < program->rule_count; i++)
	{
		crm_program_rule *rule = &program->rules[i];

		rule->kind = *r->at++;
		rule->name = get32(r);
		rule->target = get32(r);
		rule->first_arm = get32(r);
		rule->arm_count = get32(r);
		rule->otherwise = get32(r);
		if (!valid_rule(program, rule))
			return CRM_CORRUPT;
		work += rule->kind == CRM_RULE_CASE ? rule->arm_count : 0;
		if (work > MAX_ITEMS)
			return CRM_CORRUPT;
	}
	return CRM_OK;
}

/* What the executor evaluates arrives in one argument of each kind, which is there when it is needed. */
static bool
valid_arguments(const crm_program *program)
{
	uint32_t	booleans = 0,
				texts = 0,
				numbers = 0;

	for (uint32_t i = 0; i < program->argument_count; i++)
	{
		if (program->arguments[i] == 0 || program->arguments[i] > CRM_ARGUMENT_LAST)
			return false;
		booleans += program->arguments[i] == CRM_ARGUMENT_BOOLEANS;
		texts += program->arguments[i] == CRM_ARGUMENT_TEXTS;
		numbers += program->arguments[i] == CRM_ARGUMENT_NUMBERS;
	}
	return booleans == (program->executor_booleans > 0) && texts == (program->executor_texts > 0) &&
		numbers == (program->executor_numbers > 0);
}

crm_status
crm_program_decode(const uint8_t *bytes, size_t size, const crm_env *env, crm_program *program)
{
	reader		r = {bytes, bytes + size};

	memset(program, 0, sizeof(*program));
	if (!left(&r, 6) || get32(&r) != PROGRAM_MAGIC || *r.at++ != PROGRAM_VERSION)
		return CRM_CORRUPT;
	program->argument_count = *r.at++;
	if (program->argument_count > CRM_PROGRAM_MAX_ARGUMENTS + CRM_ARGUMENT_GATHERED || !left(&r, program->argument_count))
		return CRM_CORRUPT;
	memcpy(program->arguments, r.at, program->argument_count);
	r.at += program->argument_count;
	CRM_TRY(get_strings(&r, env, program));
	CRM_TRY(get_columns(&r, env, program));
	CRM_TRY(get_ranges_and_children(&r, env, program));
	CRM_TRY(get_nodes(&r, env, program));
	CRM_TRY(get_rules(&r, env, program));
	if (r.at != r.end || !valid_arguments(program))
		return CRM_CORRUPT;
	return CRM_OK;
}
