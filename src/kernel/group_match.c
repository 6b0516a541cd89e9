/*
 * group_match.c - matching of groups, and their numbers.
 */
#include "kernel/group_match.h"

#include <math.h>
#include <stdlib.h>

/* ---- assignment ------------------------------------------------------------- */

/* Pairs each of the fewer (rows <= columns) with one of the more; cost of i and j at costs[i * of_row + j * of_column]. */
static crm_status
assign_fewer(const crm_env *env, const double *costs, size_t of_row, size_t of_column, uint32_t rows, uint32_t columns, uint32_t *row_of_column)
{
	double	   *row_potential = env->alloc(env->arg, sizeof(double) * ((size_t) rows + 1));
	double	   *column_potential = env->alloc(env->arg, sizeof(double) * ((size_t) columns + 1));
	double	   *least = env->alloc(env->arg, sizeof(double) * ((size_t) columns + 1));
	uint32_t   *row_at = env->alloc(env->arg, sizeof(uint32_t) * ((size_t) columns + 1));
	uint32_t   *before = env->alloc(env->arg, sizeof(uint32_t) * ((size_t) columns + 1));
	uint8_t    *used = env->alloc(env->arg, (size_t) columns + 1);

	if (row_potential == NULL || column_potential == NULL || least == NULL || row_at == NULL || before == NULL || used == NULL)
		return CRM_NO_MEMORY;
	/* rows and columns count from 1 here; column 0 holds the row to be placed */
	memset(row_potential, 0, sizeof(double) * ((size_t) rows + 1));
	memset(column_potential, 0, sizeof(double) * ((size_t) columns + 1));
	memset(row_at, 0, sizeof(uint32_t) * ((size_t) columns + 1));
	for (uint32_t row = 1; row <= rows; row++)
	{
		uint32_t	column = 0;

		row_at[0] = row;
		for (uint32_t j = 0; j <= columns; j++)
		{
			least[j] = INFINITY;
			used[j] = 0;
		}
		do
		{
			uint32_t	i = row_at[column];
			uint32_t	next = 0;
			double		delta = INFINITY;

			crm_progress(env);
			used[column] = 1;
			for (uint32_t j = 1; j <= columns; j++)
			{
				double		reduced;

				if (used[j])
					continue;
				reduced = costs[(i - 1) * of_row + (j - 1) * of_column] - row_potential[i] - column_potential[j];
				if (reduced < least[j])
				{
					least[j] = reduced;
					before[j] = column;
				}
				if (least[j] < delta)
				{
					delta = least[j];
					next = j;
				}
			}
			for (uint32_t j = 0; j <= columns; j++)
				if (used[j])
				{
					row_potential[row_at[j]] += delta;
					column_potential[j] -= delta;
				}
				else
					least[j] -= delta;
			column = next;
		} while (row_at[column] != 0);
		while (column != 0)
		{
			row_at[column] = row_at[before[column]];
			column = before[column];
		}
	}
	for (uint32_t j = 0; j < columns; j++)
		row_of_column[j] = row_at[j + 1] == 0 ? CRM_MATCH_NONE : row_at[j + 1] - 1;
	env->release(env->arg, row_potential);
	env->release(env->arg, column_potential);
	env->release(env->arg, least);
	env->release(env->arg, row_at);
	env->release(env->arg, before);
	env->release(env->arg, used);
	return CRM_OK;
}

size_t
crm_match_bytes(uint32_t rows, uint32_t columns)
{
	size_t		fewer = rows < columns ? rows : columns;
	size_t		more = rows < columns ? columns : rows;

	/* costs, potentials, and of each column its least, two places and a mark */
	return sizeof(double) * ((size_t) rows * columns + fewer + 2 * more + 3) + (2 * sizeof(uint32_t) + 1) * (more + 1);
}

crm_status
crm_assign_least(const crm_env *env, const double *costs, uint32_t rows, uint32_t columns, uint32_t *matched)
{
	uint32_t   *found;

	for (uint32_t i = 0; i < rows; i++)
		matched[i] = CRM_MATCH_NONE;
	if (rows > columns)
		/* what pairs with a column is a row: the other way round that is the answer itself */
		return assign_fewer(env, costs, 1, columns, columns, rows, matched);
	found = env->alloc(env->arg, sizeof(uint32_t) * ((size_t) columns + 1));
	if (found == NULL)
		return CRM_NO_MEMORY;
	CRM_TRY(assign_fewer(env, costs, columns, 1, rows, columns, found));
	for (uint32_t j = 0; j < columns; j++)
		if (found[j] != CRM_MATCH_NONE)
			matched[found[j]] = j;
	env->release(env->arg, found);
	return CRM_OK;
}

/* ---- models -------------------------------------------------------------------- */

crm_status
crm_center_distances(const crm_env *env, const crm_model *old, const crm_model *new_model, double *distances)
{
	void	   *prepared;
	const crm_kmeans_scorer *scorer;
	uint32_t	groups = crm_model_groups(new_model);

	CRM_TRY(new_model->kind->prepare(new_model, env, &prepared));
	scorer = prepared;
	for (uint32_t i = 0; i < crm_model_groups(old); i++)
	{
		crm_progress(env);
		(void) crm_kmeans_score(scorer, crm_model_get(old, CRM_KMEANS_CENTERS)->numbers + (size_t) i * old->features);
		for (uint32_t j = 0; j < groups; j++)
			if (!isfinite(scorer->distances[j]))
				return CRM_OUT_OF_RANGE;
		memcpy(distances + (size_t) i * groups, scorer->distances, sizeof(double) * groups);
	}
	return CRM_OK;
}

typedef struct numbered
{
	int64_t		number;
	uint32_t	group;
} numbered;

static int
compare_numbered(const void *a, const void *b)
{
	int64_t		x = ((const numbered *) a)->number;
	int64_t		y = ((const numbered *) b)->number;

	return x < y ? -1 : x > y;
}

/* Elements of a field in another order, each of so many numbers; nothing where it is absent. */
static crm_status
permute(const crm_env *env, const crm_model *from, crm_model *to, int field, const numbered *order, uint32_t groups, uint32_t width)
{
	const crm_model_value *value = crm_model_get(from, field);

	if (!value->present)
		return CRM_OK;
	if (value->integers != NULL)
	{
		int64_t    *integers = env->alloc(env->arg, sizeof(int64_t) * groups);

		if (integers == NULL)
			return CRM_NO_MEMORY;
		for (uint32_t c = 0; c < groups; c++)
			integers[c] = value->integers[order[c].group];
		crm_model_set_integers(to, field, integers, groups);
	}
	else
	{
		double	   *numbers = env->alloc(env->arg, sizeof(double) * groups * width);

		if (numbers == NULL)
			return CRM_NO_MEMORY;
		for (uint32_t c = 0; c < groups; c++)
			memcpy(numbers + (size_t) c * width, value->numbers + (size_t) order[c].group * width, sizeof(double) * width);
		crm_model_set_numbers(to, field, numbers, groups * width);
	}
	return CRM_OK;
}

crm_status
crm_renumber_groups(const crm_env *env, const crm_model *old, const crm_model *new_model, const uint32_t *matched, crm_model *result)
{
	uint32_t	old_groups = crm_model_groups(old);
	uint32_t	groups = crm_model_groups(new_model);
	numbered   *order = env->alloc(env->arg, sizeof(numbered) * groups);
	int64_t    *numbers = env->alloc(env->arg, sizeof(int64_t) * groups);
	const crm_model_value *used = crm_model_get(old, CRM_KMEANS_NUMBERS_USED);
	int64_t		highest = used->present ? used->integer : crm_model_group_number(old, old_groups - 1);
	bool		plain = true;

	if (order == NULL || numbers == NULL)
		return CRM_NO_MEMORY;
	for (uint32_t c = 0; c < groups; c++)
		order[c] = (numbered) {0, c};
	for (uint32_t i = 0; i < old_groups; i++)
		if (matched[i] != CRM_MATCH_NONE)
			order[matched[i]].number = crm_model_group_number(old, i);
	for (uint32_t c = 0; c < groups; c++)
		if (order[c].number == 0)
			order[c].number = ++highest;
	qsort(order, groups, sizeof(numbered), compare_numbered);
	*result = *new_model;
	CRM_TRY(permute(env, new_model, result, CRM_KMEANS_CENTERS, order, groups, new_model->features));
	CRM_TRY(permute(env, new_model, result, CRM_KMEANS_SIZES, order, groups, 1));
	CRM_TRY(permute(env, new_model, result, CRM_KMEANS_WITHIN, order, groups, 1));
	CRM_TRY(permute(env, new_model, result, CRM_KMEANS_WEIGHTS, order, groups, 1));
	for (uint32_t c = 0; c < groups; c++)
	{
		numbers[c] = order[c].number;
		plain = plain && numbers[c] == (int64_t) c + 1;
	}
	crm_model_put(result, CRM_KMEANS_NUMBERS)->present = !plain;
	if (!plain)
		crm_model_set_integers(result, CRM_KMEANS_NUMBERS, numbers, groups);
	crm_model_put(result, CRM_KMEANS_NUMBERS_USED)->present = highest > numbers[groups - 1];
	if (highest > numbers[groups - 1])
		crm_model_set_integer(result, CRM_KMEANS_NUMBERS_USED, highest);
	return CRM_OK;
}
