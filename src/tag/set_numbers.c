/*
 * set_numbers.c - what the catalogue keeps beside the sets of a refresh: the
 * numbers of scopes and values, and the sizes of sets.
 */
#include "common/crm.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "tag/set_numbers.h"
#include "utils/array.h"

/* ---- numbers of scopes and values ---------------------------------------------------------- */

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * The number of each scope of the state; new ones are added to the catalogue,
 * in byte order, so that the order of rows does not show.
 */
int32 *
crm_number_scopes(const crm_population *population, crm_scan_state *state)
{
	int32	   *numbers = palloc((state->scope_count + 1) * sizeof(int32));
	const char **names = palloc((state->scope_count + 1) * sizeof(char *));
	int			count = 0;
	crm_catalogue_session session;

	for (uint32 i = 0; i < state->scope_count; i++)
		if (state->scope_names[i] != NULL)
			names[count++] = state->scope_names[i];
	qsort(names, count, sizeof(char *), compare_strings);
	if (state->null_scope != UINT32_MAX)
		names[count++] = NULL;

	crm_catalogue_begin(&session);
	for (int i = 0; i < count; i++)
	{
		Datum		scope = names[i] == NULL ? (Datum) 0 : CStringGetTextDatum(names[i]);
		uint32		index;

		if (names[i] != NULL && strlen(names[i]) > 2000)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("scope in population \"%s\" is too long: \"%.*s...\"", population->name,
							pg_mbcliplen(names[i], strlen(names[i]), 60), names[i]),
					 errdetail("A scope has at most 2000 bytes.")));
		if (crm_catalogue_write("SELECT scope_no FROM @.population_scope WHERE population_id = $1 AND scope IS NOT DISTINCT FROM $2",
								2, INT4OID, Int32GetDatum(population->id), false,
								TEXTOID, scope, names[i] == NULL) == 0)
			(void) crm_catalogue_write("INSERT INTO @.population_scope "
									   "SELECT $1, coalesce(max(scope_no) + 1, 0), $2 FROM @.population_scope WHERE population_id = $1 "
									   "RETURNING scope_no",
									   2, INT4OID, Int32GetDatum(population->id), false,
									   TEXTOID, scope, names[i] == NULL);
		index = crm_scan_state_scope(state, names[i], names[i] == NULL ? 0 : strlen(names[i]));
		numbers[index] = crm_catalogue_place(0, 1);
	}
	crm_catalogue_end(&session);
	return numbers;
}

static Datum
text_array(char **values, int count)
{
	Datum	   *elements = palloc((count + 1) * sizeof(Datum));

	for (int i = 0; i < count; i++)
		elements[i] = CStringGetTextDatum(values[i]);
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* The value number of each code of a text rule; new values are added in byte order. */
int32 *
crm_number_values(const crm_tag *tag, const crm_scan_state *state, int rule, int *highest)
{
	int			count = crm_scan_value_count(state->scan, rule);
	int32	   *numbers = palloc0((count + 1) * sizeof(int32));
	char	  **values = palloc((count + 1) * sizeof(char *));
	crm_catalogue_session session;
	Datum		array;
	uint64		n;

	*highest = 0;
	for (int code = 1; code <= count; code++)
		values[code - 1] = pstrdup(crm_scan_value(state->scan, rule, code));
	qsort(values, count, sizeof(char *), compare_strings);
	array = text_array(values, count);

	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("INSERT INTO @.tag_value "
							   "SELECT $1, (SELECT coalesce(max(value_no), 0) FROM @.tag_value WHERE tag_id = $1) + row_number() OVER (ORDER BY n), v "
							   "FROM unnest($2) WITH ORDINALITY AS u (v, n) "
							   "WHERE NOT EXISTS (SELECT FROM @.tag_value o WHERE o.tag_id = $1 AND o.value = v)",
							   2, INT4OID, Int32GetDatum(tag->id), false, TEXTARRAYOID, array, false);
	n = crm_catalogue_write("SELECT value_no, value FROM @.tag_value WHERE tag_id = $1",
							1, INT4OID, Int32GetDatum(tag->id), false);
	for (uint64 row = 0; row < n; row++)
	{
		int32		number = crm_catalogue_place(row, 1);
		char	   *value = crm_catalogue_required(&session, row, 2);

		*highest = Max(*highest, number);
		/* only values met so far have a code; the table of codes is asked by its own hash */
		if (bsearch(&value, values, count, sizeof(char *), compare_strings) != NULL)
			numbers[crm_scan_value_code(state->scan, rule, value)] = number;
	}
	crm_catalogue_end(&session);
	return numbers;
}

/*
 * A scale, once there, stays: a customer with many decimals who comes and goes
 * must not have all chunks written each time.
 */
void
crm_number_slices(const crm_tag *tag, crm_scan_state *state, int rule)
{
	crm_catalogue_session session;
	uint32_t	scale;
	int			slices = 0;

	crm_scan_check_numbers(state, rule, crm_tag_sets_same_scale(state->sets, rule, (uint32) tag->number_scale, &scale));
	for (int chunk = 0; chunk < crm_tag_sets_chunks(state->sets); chunk++)
		slices = Max(slices, crm_tag_sets_slices(state->sets, chunk, rule));
	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("UPDATE @.tag_definition SET number_scale = $2, number_slices = $3 WHERE tag_id = $1",
							   3, INT4OID, Int32GetDatum(tag->id), false,
							   INT4OID, Int32GetDatum((int32) scale), false,
							   INT4OID, Int32GetDatum(slices), false);
	crm_catalogue_end(&session);
}

/* ---- sizes of sets ------------------------------------------------------------------------------ */

/*
 * Members by tag, value and scope, counted while chunks are written.  A hash:
 * most values do not occur in most branches.
 */
typedef struct set_size
{
	int32		tag_id;			/* the first three are the key */
	int32		value_no;
	int32		scope_no;
	uint64		members;
} set_size;

HTAB *
crm_sizes_new(void)
{
	HASHCTL		control = {0};

	control.keysize = offsetof(set_size, scope_no) + sizeof(int32);
	control.entrysize = sizeof(set_size);
	control.hcxt = CurrentMemoryContext;
	return hash_create("sizes of stored sets", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void
crm_sizes_count(void *arg, int32 tag_id, int32 value_no, int32 scope_no, uint32 members)
{
	set_size	key = {.tag_id = tag_id,.value_no = value_no,.scope_no = scope_no};
	bool		found;
	set_size   *size = hash_search(arg, &key, HASH_ENTER, &found);

	size->members = (found ? size->members : 0) + members;
}

void
crm_sizes_count_delta(void *arg, int32 tag_id, int32 value_no, int32 scope_no, int64 delta)
{
	set_size	key = {.tag_id = tag_id,.value_no = value_no,.scope_no = scope_no};
	bool		found;
	set_size   *size = hash_search(arg, &key, HASH_ENTER, &found);

	/* below zero it wraps around, and is negative again as a bigint */
	size->members = (found ? size->members : 0) + (uint64) delta;
}

/* So many rows go into one statement: arrays stay small. */
#define SIZES_AT_ONCE 100000

/* Runs a statement with the sizes as its arguments, the population first. */
static void
write_sizes(const crm_population *population, HTAB *sizes, const char *statement)
{
	static const Oid types[4] = {INT4OID, INT4OID, INT4OID, INT8OID};
	Datum	   *columns[4];
	int			n = 0;
	HASH_SEQ_STATUS status;
	set_size   *size;

	for (int c = 0; c < 4; c++)
		columns[c] = palloc(SIZES_AT_ONCE * sizeof(Datum));
	hash_seq_init(&status, sizes);
	do
	{
		size = hash_seq_search(&status);
		if (size != NULL)
		{
			columns[0][n] = Int32GetDatum(size->tag_id);
			columns[1][n] = Int32GetDatum(size->value_no);
			columns[2][n] = Int32GetDatum(size->scope_no);
			columns[3][n++] = Int64GetDatum((int64) size->members);
		}
		if (n == SIZES_AT_ONCE || (size == NULL && n > 0))
		{
			ArrayType  *arrays[4];

			for (int c = 0; c < 4; c++)
				arrays[c] = construct_array(columns[c], n, types[c], c < 3 ? 4 : 8, c < 3 ? true : FLOAT8PASSBYVAL,
											c < 3 ? TYPALIGN_INT : TYPALIGN_DOUBLE);
			(void) crm_catalogue_write(statement,
									   5, INT4OID, Int32GetDatum(population->id), false,
									   INT4ARRAYOID, PointerGetDatum(arrays[0]), false,
									   INT4ARRAYOID, PointerGetDatum(arrays[1]), false,
									   INT4ARRAYOID, PointerGetDatum(arrays[2]), false,
									   INT8ARRAYOID, PointerGetDatum(arrays[3]), false);
			for (int c = 0; c < 4; c++)
				pfree(arrays[c]);
			n = 0;
		}
	} while (size != NULL);
}

void
crm_sizes_store(const crm_population *population, const crm_store_change *change, HTAB *sizes)
{
	crm_catalogue_session session;
	Datum	   *tags = palloc(change->tag_count * sizeof(Datum));

	for (int t = 0; t < change->tag_count; t++)
		tags[t] = Int32GetDatum(change->tags[t].tag_id);
	crm_catalogue_begin(&session);
	(void) crm_catalogue_write("DELETE FROM @.tag_size WHERE tag_id = ANY ($1)", 1, INT4ARRAYOID,
							   PointerGetDatum(construct_array(tags, change->tag_count, INT4OID, 4, true, TYPALIGN_INT)), false);
	write_sizes(population, sizes, "INSERT INTO @.tag_size SELECT $1, t, v, s, m FROM unnest($2, $3, $4, $5) AS u (t, v, s, m)");
	crm_catalogue_end(&session);
}

void
crm_sizes_add(const crm_population *population, HTAB *sizes)
{
	crm_catalogue_session session;

	crm_catalogue_begin(&session);
	write_sizes(population, sizes,
				"INSERT INTO @.tag_size AS z SELECT $1, t, v, s, m FROM unnest($2, $3, $4, $5) AS u (t, v, s, m) WHERE m <> 0 "
				"ON CONFLICT (tag_id, value_no, scope_no) DO UPDATE SET members = z.members + excluded.members");
	(void) crm_catalogue_write("DELETE FROM @.tag_size WHERE population_id = $1 AND members = 0",
							   1, INT4OID, Int32GetDatum(population->id), false);
	crm_catalogue_end(&session);
}
