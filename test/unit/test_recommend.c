/*
 * test_recommend.c - recommending models against plain computation: likeness by
 * looking at all pairs, vectors by the equations that they must solve.
 */
#include "unit.h"

#include <math.h>

#include "kernel/als.h"
#include "kernel/recommend.h"

#define CUSTOMERS 60
#define ITEMS 14
#define MANY (SIZE_MAX / 4)

static uint64_t seed = 7;

static uint32_t
draw(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) ((seed >> 33) % below);
}

static double has[CUSTOMERS][ITEMS];

/* Items "i00" ... in two groups that go together; everybody has at least one. */
static void
fill(crm_baskets *b, const crm_env *env, bool weighted, bool backwards)
{
	crm_baskets_init(b, env, false, weighted, MANY);
	for (int k = 0; k < CUSTOMERS * ITEMS; k++)
	{
		int			place = backwards ? CUSTOMERS * ITEMS - 1 - k : k;
		int			u = place / ITEMS;
		int			i = place % ITEMS;
		char		name[8];

		if (has[u][i] == 0)
			continue;
		snprintf(name, sizeof(name), "i%02d", i);
		CHECK(crm_baskets_add(b, u, name, 3, weighted ? has[u][i] : 1) == CRM_OK);
	}
}

static void
draw_rows(void)
{
	for (int u = 0; u < CUSTOMERS; u++)
		for (int i = 0; i < ITEMS; i++)
			has[u][i] = draw(100) < (i % 2 == u % 2 ? 45 : 8) || i == u % ITEMS ? 0.5 * (1 + draw(6)) : 0;
}

static uint8_t *
written(const crm_model *m, const crm_env *env, size_t *size)
{
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;
	uint8_t    *bytes;

	if (!CHECK(crm_model_check(m, env, room, &problem) == CRM_OK))
		fprintf(stderr, "%s\n", problem);
	*size = crm_model_size(m);
	bytes = env->alloc(env->arg, *size);
	crm_model_write(m, bytes);
	return bytes;
}

static double
common(int a, int b)
{
	double		n = 0;

	for (int u = 0; u < CUSTOMERS; u++)
		n += has[u][a] > 0 && has[u][b] > 0;
	return n;
}

static double
likeness(int a, int b, crm_similarity similarity, double shrinkage, bool weighted)
{
	double		both = common(a, b);
	double		product = 0;
	double		of_a = 0;
	double		of_b = 0;

	for (int u = 0; u < CUSTOMERS; u++)
	{
		double		x = weighted ? has[u][a] : has[u][a] > 0;
		double		y = weighted ? has[u][b] : has[u][b] > 0;

		product += x * y;
		of_a += x * x;
		of_b += y * y;
	}
	switch (similarity)
	{
		case CRM_SIMILARITY_COSINE:
			product /= sqrt(of_a) * sqrt(of_b);
			break;
		case CRM_SIMILARITY_JACCARD:
			product = both / (common(a, a) + common(b, b) - both);
			break;
		default:
			product = both / common(a, a);
	}
	return both > 0 ? product * both / (both + shrinkage) : 0;
}

/* Whatever is recommended: nothing owned or suppressed, in order, complete. */
static void
check_list(const crm_recommendation *list, uint32_t count, const uint32_t *owned, uint32_t owned_count, const uint32_t *suppressed, uint32_t suppressed_count)
{
	for (uint32_t i = 0; i < count; i++)
	{
		CHECK(i == 0 || list[i - 1].score > list[i].score ||
			  (list[i - 1].score == list[i].score && common(list[i - 1].item, list[i - 1].item) >= common(list[i].item, list[i].item)));
		for (uint32_t k = 0; k < owned_count; k++)
			CHECK(list[i].item != owned[k]);
		for (uint32_t k = 0; k < suppressed_count; k++)
			CHECK(list[i].item != suppressed[k]);
		for (uint32_t k = 0; k < list[i].reasons; k++)
			CHECK(list[i].parts[k] > 0 && (k == 0 || list[i].parts[k - 1] >= list[i].parts[k]));
	}
}

static void
test_item_item(crm_similarity similarity, double shrinkage, bool weighted, uint32_t neighbours)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_baskets b;
	crm_baskets other;
	crm_basket_index index;
	crm_basket_index other_index;
	crm_item_item_options options = {similarity, neighbours, shrinkage};
	crm_model	m;
	crm_model	again;
	crm_scorer	scorer;
	size_t		size;
	size_t		other_size;
	uint8_t    *bytes;
	uint8_t    *other_bytes;
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;

	fill(&b, &env, weighted, false);
	fill(&other, &env, weighted, true);
	CHECK(crm_baskets_index(&b, &env, true, &index) == CRM_OK);
	CHECK(crm_baskets_index(&other, &env, true, &other_index) == CRM_OK);
	CHECK(crm_item_item_fit(&env, &index, &options, MANY, &m) == CRM_OK);
	bytes = written(&m, &env, &size);
	CHECK(crm_item_item_fit(&env, &other_index, &options, MANY, &again) == CRM_OK);
	other_bytes = written(&again, &env, &other_size);
	CHECK(size == other_size && memcmp(bytes, other_bytes, size) == 0);
	CHECK(crm_item_item_fit(&env, &index, &options, 100, &again) == CRM_LIMIT);

	/* Weights are those of all pairs; those kept are the greatest. */
	for (int i = 0, k = 0; i < ITEMS; i++)
	{
		int64_t		count = crm_model_get(&m, CRM_ITEM_ITEM_COUNTS)->integers[i];
		double		last = INFINITY;
		int			greater = 0;

		CHECK(count <= neighbours);
		for (int64_t n = 0; n < count; n++, k++)
		{
			int			neighbour = (int) crm_model_get(&m, CRM_ITEM_ITEM_NEIGHBOURS)->integers[k] - 1;
			double		weight = crm_model_get(&m, CRM_ITEM_ITEM_WEIGHTS)->numbers[k];

			CHECK(fabs(weight - likeness(i, neighbour, similarity, shrinkage, weighted)) < 1e-12);
			CHECK(weight <= last);
			last = weight;
		}
		for (int j = 0; j < ITEMS; j++)
			greater += j != i && likeness(i, j, similarity, shrinkage, weighted) > last + 1e-12;
		CHECK(greater < (int) count || count < (int) neighbours);
	}

	/* Scores, through the bytes. */
	CHECK(crm_model_read(&again, &env, bytes, size, room, &problem) == CRM_OK);
	CHECK(crm_scorer_open(&scorer, &again, &env) == CRM_OK);
	for (int round = 0; round < 20; round++)
	{
		uint32_t	owned[4] = {draw(ITEMS), draw(ITEMS), draw(ITEMS), CRM_RECOMMEND_UNKNOWN};
		uint32_t	suppressed[2] = {draw(ITEMS), CRM_RECOMMEND_UNKNOWN};
		crm_recommendation *list;
		uint32_t	count;
		uint32_t	n = draw(ITEMS + 3);

		CHECK(crm_recommend(scorer.prepared, &env, owned, 4, suppressed, 2, n, &list, &count) == CRM_OK);
		check_list(list, count, owned, 4, suppressed, 2);
		for (uint32_t k = 0; k < count && neighbours >= ITEMS; k++)
		{
			double		sum = 0;

			for (uint32_t i = 0; i < ITEMS; i++)
				if (i == owned[0] || i == owned[1] || i == owned[2])
					sum += likeness((int) i, (int) list[k].item, similarity, shrinkage, weighted);
			CHECK(fabs(sum - list[k].score) < 1e-12);
		}
	}
	unit_pool_free(&pool);
}

static void
test_als(bool weighted, uint32_t factors)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_baskets b;
	crm_baskets other;
	crm_basket_index index;
	crm_basket_index other_index;
	crm_als_options options = {factors, 1, 0.05, 3, 5};
	crm_model	m;
	crm_model	again;
	crm_scorer	scorer;
	double		last = INFINITY;
	size_t		size;
	size_t		other_size;
	uint8_t    *bytes;
	uint8_t    *other_bytes;

	fill(&b, &env, weighted, false);
	fill(&other, &env, weighted, true);
	CHECK(crm_baskets_index(&b, &env, true, &index) == CRM_OK);
	CHECK(crm_baskets_index(&other, &env, true, &other_index) == CRM_OK);
	for (options.iterations = 1; options.iterations <= 40; options.iterations += 3)
	{
		double		loss;

		CHECK(crm_als_fit(&env, &index, &options, MANY, &m) == CRM_OK);
		loss = crm_model_get(&m, CRM_ALS_LOSS)->number;
		CHECK(loss <= last * (1 + 1e-12) && loss > 0);
		last = loss;
	}
	bytes = written(&m, &env, &size);
	options.iterations -= 3;
	CHECK(crm_als_fit(&env, &other_index, &options, MANY, &again) == CRM_OK);
	other_bytes = written(&again, &env, &other_size);
	CHECK(size == other_size && memcmp(bytes, other_bytes, size) == 0);
	CHECK(crm_als_fit(&env, &index, &options, 1000, &again) == CRM_LIMIT);

	/* The loss by its definition, each customer's vector being the one of his items. */
	{
		const double *y = crm_model_get(&m, CRM_ALS_VECTORS)->numbers;
		double	   *gram = env.alloc(env.arg, sizeof(double) * factors * factors);
		double	   *work = env.alloc(env.arg, sizeof(double) * factors * factors);
		double	   *x = env.alloc(env.arg, sizeof(double) * factors);
		double		loss = 0;
		double		penalty = crm_model_get(&m, CRM_ALS_PENALTY)->number;

		crm_als_gram(&env, y, ITEMS, factors, penalty, gram);
		for (int u = 0; u < CUSTOMERS; u++)
		{
			uint32_t	items[ITEMS];
			double		weights[ITEMS];
			uint32_t	count = 0;

			for (uint32_t i = 0; i < ITEMS; i++)
				if (has[u][i] > 0)
				{
					items[count] = i;
					weights[count++] = weighted ? has[u][i] : 1;
				}
			CHECK(crm_als_fold_in(&env, gram, y, factors, options.alpha, items, weights, count, work, x));
			/* the gradient is 0 */
			for (uint32_t k = 0; k < factors; k++)
			{
				double		slope = penalty * x[k];

				for (uint32_t i = 0; i < ITEMS; i++)
				{
					double		c = 1 + (has[u][i] > 0 ? options.alpha * (weighted ? has[u][i] : 1) : 0);

					slope += c * (crm_als_dot(x, y + i * factors, factors) - (has[u][i] > 0)) * y[i * factors + k];
				}
				CHECK(fabs(slope) < 1e-9);
			}
			for (uint32_t i = 0; i < ITEMS; i++)
			{
				double		error = (has[u][i] > 0) - crm_als_dot(x, y + i * factors, factors);

				loss += (1 + (has[u][i] > 0 ? options.alpha * (weighted ? has[u][i] : 1) : 0)) * error * error;
			}
			loss += penalty * crm_als_dot(x, x, factors);
		}
		for (uint32_t i = 0; i < ITEMS * factors; i++)
			loss += penalty * y[i] * y[i];
		/* better by half a step than the trainer's, whose customers are of the items before the last step */
		CHECK(loss <= last * (1 + 1e-9) && loss > last * 0.9);
	}

	/* Parts add up: with few enough items all of them are reasons, or negative. */
	CHECK(crm_scorer_open(&scorer, &m, &env) == CRM_OK);
	for (int round = 0; round < 20; round++)
	{
		uint32_t	owned[3] = {draw(ITEMS), draw(ITEMS), draw(ITEMS)};
		crm_recommendation *list;
		uint32_t	count;

		CHECK(crm_recommend(scorer.prepared, &env, owned, 3, NULL, 0, ITEMS, &list, &count) == CRM_OK);
		check_list(list, count, owned, 3, NULL, 0);
		for (uint32_t k = 0; k < count; k++)
		{
			double		sum = 0;
			uint32_t	different = owned[0] == owned[1] ? (owned[1] == owned[2] ? 1 : 2) : (owned[2] == owned[0] || owned[2] == owned[1] ? 2 : 3);

			for (uint32_t i = 0; i < list[k].reasons; i++)
				sum += list[k].parts[i];
			CHECK(list[k].reasons < different || fabs(sum - list[k].score) < 1e-9);
		}
	}
	{
		crm_recommendation *list;
		uint32_t	count;

		/* nobody's items: the popular ones */
		CHECK(crm_recommend(scorer.prepared, &env, NULL, 0, NULL, 0, 3, &list, &count) == CRM_OK);
		CHECK(count == 3 && list[0].score == 0 && list[0].reasons == 0);
		check_list(list, count, NULL, 0, NULL, 0);
	}
	unit_pool_free(&pool);
}

/* Two groups of items that go together: what is recommended is of the customer's group. */
static void
test_planted(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_baskets b;
	crm_basket_index index;
	crm_model	m[2];

	fill(&b, &env, false, false);
	CHECK(crm_baskets_index(&b, &env, true, &index) == CRM_OK);
	CHECK(crm_item_item_fit(&env, &index, &(crm_item_item_options) {CRM_SIMILARITY_COSINE, 20, 5}, MANY, &m[0]) == CRM_OK);
	CHECK(crm_als_fit(&env, &index, &(crm_als_options) {3, 20, 0.2, 5, 1}, MANY, &m[1]) == CRM_OK);
	for (int k = 0; k < 2; k++)
	{
		crm_scorer	scorer;
		int			right = 0;

		CHECK(crm_scorer_open(&scorer, &m[k], &env) == CRM_OK);
		for (uint32_t i = 0; i + 4 < ITEMS; i++)
		{
			uint32_t	owned[2] = {i, i + 2};
			crm_recommendation *list;
			uint32_t	count;

			CHECK(crm_recommend(scorer.prepared, &env, owned, 2, NULL, 0, 3, &list, &count) == CRM_OK);
			CHECK_EQUAL(crm_recommend_item_count(scorer.prepared), ITEMS);
			CHECK_EQUAL(crm_recommend_item(scorer.prepared, crm_recommend_text(scorer.prepared, i).bytes, 3), i);
			for (uint32_t n = 0; n < count; n++)
				right += list[n].item % 2 == i % 2;
		}
		CHECK(right >= 24);
	}
	unit_pool_free(&pool);
}

/* What a check refuses. */
static void
test_checks(void)
{
	unit_pool	pool = {{0}};
	crm_env		env = unit_pool_env(&pool);
	crm_baskets b;
	crm_basket_index index;
	crm_model	m;
	char		room[CRM_MODEL_PROBLEM];
	const char *problem;
	size_t		size;
	uint8_t    *bytes;
	crm_model	again;

#define REFUSED(words) \
	CHECK(crm_model_check(&m, &env, room, &problem) == CRM_CORRUPT && strstr(problem, words) != NULL)

	fill(&b, &env, false, false);
	CHECK(crm_baskets_index(&b, &env, true, &index) == CRM_OK);
	CHECK(crm_item_item_fit(&env, &index, &(crm_item_item_options) {CRM_SIMILARITY_JACCARD, 3, 5}, MANY, &m) == CRM_OK);
	bytes = written(&m, &env, &size);
	for (size_t i = 0; i < size * 8; i++)
	{
		bytes[i / 8] ^= (uint8_t) (1 << (i % 8));
		crm_store64(bytes + CRM_MODEL_FINGERPRINT, crm_model_fingerprint(bytes, size));
		if (crm_model_read(&again, &env, bytes, size, room, &problem) == CRM_OK)
		{
			crm_scorer	scorer;
			uint32_t	owned[2] = {0, 5};
			crm_recommendation *list;
			uint32_t	count;

			CHECK(crm_scorer_open(&scorer, &again, &env) == CRM_OK);
			if (again.kind == &crm_model_item_item)
				CHECK(crm_recommend(scorer.prepared, &env, owned, 2, NULL, 0, 5, &list, &count) == CRM_OK);
		}
		bytes[i / 8] ^= (uint8_t) (1 << (i % 8));
	}
	((int64_t *) crm_model_get(&m, CRM_ITEM_ITEM_NEIGHBOURS)->integers)[0] = 1;
	REFUSED("A neighbour is no other item");
	((int64_t *) crm_model_get(&m, CRM_ITEM_ITEM_COUNTS)->integers)[0] = 2;
	((int64_t *) crm_model_get(&m, CRM_ITEM_ITEM_NEIGHBOURS)->integers)[0] = 2;
	REFUSED("neighbour_counts");
	((int64_t *) crm_model_get(&m, CRM_RECOMMEND_ITEM_CUSTOMERS)->integers)[3] = CUSTOMERS + 1;
	REFUSED("more customers than there are");
	m.features = 1;
	REFUSED("no features");
	CHECK(crm_als_fit(&env, &index, &(crm_als_options) {2, 1, 1, 1, 1}, MANY, &m) == CRM_OK);
	crm_model_set_integer(&m, CRM_ALS_FACTORS, 3);
	REFUSED("\"vectors\"");
	crm_model_set_integer(&m, CRM_ALS_FACTORS, 0);
	REFUSED("\"factors\"");
	unit_pool_free(&pool);
}

int
main(void)
{
	for (int round = 0; round < 3; round++)
	{
		draw_rows();
		for (int similarity = 0; similarity < CRM_SIMILARITIES; similarity++)
		{
			test_item_item((crm_similarity) similarity, 0, false, ITEMS);
			test_item_item((crm_similarity) similarity, 4, true, ITEMS);
			test_item_item((crm_similarity) similarity, 4, false, 3);
		}
		test_als(false, 2);
		test_als(true, 5);
		test_als(true, 20);
		test_planted();
	}
	test_checks();
	return unit_done();
}
