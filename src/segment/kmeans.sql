-- Groups of rows that are alike: k-means and k-prototypes

CREATE FUNCTION @extschema@.kmeans_fit_transfn(state @extschema@.agg_state, k int, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kmeans_fit_transfn';
COMMENT ON FUNCTION @extschema@.kmeans_fit_transfn(@extschema@.agg_state, int, float8[]) IS
	'transition of kmeans_fit';

CREATE FUNCTION @extschema@.kmeans_fit_transfn(state @extschema@.agg_state, k int, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kmeans_fit_transfn';
COMMENT ON FUNCTION @extschema@.kmeans_fit_transfn(@extschema@.agg_state, int, float8[], jsonb) IS
	'transition of kmeans_fit, with options';

CREATE FUNCTION @extschema@.kmeans_fit_transfn(state @extschema@.agg_state, k int, features float8[], weight float8, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kmeans_fit_transfn';
COMMENT ON FUNCTION @extschema@.kmeans_fit_transfn(@extschema@.agg_state, int, float8[], float8, jsonb) IS
	'transition of kmeans_fit, with weights';

CREATE FUNCTION @extschema@.kmeans_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kmeans_fit_combinefn';
COMMENT ON FUNCTION @extschema@.kmeans_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of kmeans_fit';

CREATE FUNCTION @extschema@.kmeans_fit_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_kmeans_fit_finalfn';
COMMENT ON FUNCTION @extschema@.kmeans_fit_finalfn(@extschema@.agg_state) IS
	'result of kmeans_fit';

CREATE AGGREGATE @extschema@.kmeans_fit(k int, features float8[]) (
	SFUNC = @extschema@.kmeans_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.kmeans_fit_finalfn,
	COMBINEFUNC = @extschema@.kmeans_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kmeans_fit(int, float8[]) IS
	'model of k groups of rows that are alike, by k-means (K均值聚类)';

CREATE AGGREGATE @extschema@.kmeans_fit(k int, features float8[], options jsonb) (
	SFUNC = @extschema@.kmeans_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.kmeans_fit_finalfn,
	COMBINEFUNC = @extschema@.kmeans_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kmeans_fit(int, float8[], jsonb) IS
	'model of k groups of rows that are alike, by k-means, with options (K均值聚类)';

CREATE AGGREGATE @extschema@.kmeans_fit(k int, features float8[], weight float8, options jsonb) (
	SFUNC = @extschema@.kmeans_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.kmeans_fit_finalfn,
	COMBINEFUNC = @extschema@.kmeans_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kmeans_fit(int, float8[], float8, jsonb) IS
	'model of k groups of rows that are alike, by k-means, with weights (K均值聚类)';

CREATE FUNCTION @extschema@.kprototypes_fit_transfn(state @extschema@.agg_state, k int, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kprototypes_fit_transfn';
COMMENT ON FUNCTION @extschema@.kprototypes_fit_transfn(@extschema@.agg_state, int, float8[], jsonb) IS
	'transition of kprototypes_fit, with options';

CREATE FUNCTION @extschema@.kprototypes_fit_transfn(state @extschema@.agg_state, k int, features float8[], weight float8, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kprototypes_fit_transfn';
COMMENT ON FUNCTION @extschema@.kprototypes_fit_transfn(@extschema@.agg_state, int, float8[], float8, jsonb) IS
	'transition of kprototypes_fit, with weights';

CREATE FUNCTION @extschema@.kprototypes_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kprototypes_fit_combinefn';
COMMENT ON FUNCTION @extschema@.kprototypes_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of kprototypes_fit';

CREATE FUNCTION @extschema@.kprototypes_fit_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_kprototypes_fit_finalfn';
COMMENT ON FUNCTION @extschema@.kprototypes_fit_finalfn(@extschema@.agg_state) IS
	'result of kprototypes_fit';

CREATE AGGREGATE @extschema@.kprototypes_fit(k int, features float8[], options jsonb) (
	SFUNC = @extschema@.kprototypes_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.kprototypes_fit_finalfn,
	COMBINEFUNC = @extschema@.kprototypes_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kprototypes_fit(int, float8[], jsonb) IS
	'model of k groups of rows that are alike in numbers and in categories, by k-prototypes, with options (K原型聚类)';

CREATE AGGREGATE @extschema@.kprototypes_fit(k int, features float8[], weight float8, options jsonb) (
	SFUNC = @extschema@.kprototypes_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.kprototypes_fit_finalfn,
	COMBINEFUNC = @extschema@.kprototypes_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kprototypes_fit(int, float8[], float8, jsonb) IS
	'model of k groups of rows that are alike in numbers and in categories, by k-prototypes, with weights (K原型聚类)';

CREATE FUNCTION @extschema@.kmeans_refine_transfn(state @extschema@.agg_state, m @extschema@.model, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_kmeans_refine_transfn';
COMMENT ON FUNCTION @extschema@.kmeans_refine_transfn(@extschema@.agg_state, @extschema@.model, float8[]) IS
	'transition of kmeans_refine';

CREATE FUNCTION @extschema@.kmeans_refine_transfn(state @extschema@.agg_state, m @extschema@.model, features float8[], weight float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_kmeans_refine_transfn';
COMMENT ON FUNCTION @extschema@.kmeans_refine_transfn(@extschema@.agg_state, @extschema@.model, float8[], float8) IS
	'transition of kmeans_refine, with weights';

CREATE FUNCTION @extschema@.kmeans_refine_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_kmeans_refine_combinefn';
COMMENT ON FUNCTION @extschema@.kmeans_refine_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of kmeans_refine';

CREATE FUNCTION @extschema@.kmeans_refine_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 250
	AS 'MODULE_PATHNAME', 'crm_kmeans_refine_finalfn';
COMMENT ON FUNCTION @extschema@.kmeans_refine_finalfn(@extschema@.agg_state) IS
	'result of kmeans_refine';

CREATE AGGREGATE @extschema@.kmeans_refine(m @extschema@.model, features float8[]) (
	SFUNC = @extschema@.kmeans_refine_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 2000,
	FINALFUNC = @extschema@.kmeans_refine_finalfn,
	COMBINEFUNC = @extschema@.kmeans_refine_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kmeans_refine(@extschema@.model, float8[]) IS
	'a model of k-means after one more step over any number of rows, in memory for the groups only: its centers, sizes and sums of squares are those of all of them (聚类迭代)';

CREATE AGGREGATE @extschema@.kmeans_refine(m @extschema@.model, features float8[], weight float8) (
	SFUNC = @extschema@.kmeans_refine_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 2000,
	FINALFUNC = @extschema@.kmeans_refine_finalfn,
	COMBINEFUNC = @extschema@.kmeans_refine_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kmeans_refine(@extschema@.model, float8[], float8) IS
	'a model of k-means after one more step over any number of rows, in memory for the groups only: its centers, sizes and sums of squares are those of all of them, with weights (聚类迭代)';

CREATE FUNCTION @extschema@.cluster(m @extschema@.model, features float8[]) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_cluster';
COMMENT ON FUNCTION @extschema@.cluster(@extschema@.model, float8[]) IS
	'number of the group that a row is nearest to (所属聚类)';

CREATE FUNCTION @extschema@.cluster_distance(m @extschema@.model, features float8[]) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_cluster_distance';
COMMENT ON FUNCTION @extschema@.cluster_distance(@extschema@.model, float8[]) IS
	'distance of a row from the center of its group, in the units of the training: standard deviations where it standardized (聚类距离)';

CREATE FUNCTION @extschema@.cluster_distances(m @extschema@.model, features float8[]) RETURNS float8[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_cluster_distances';
COMMENT ON FUNCTION @extschema@.cluster_distances(@extschema@.model, float8[]) IS
	'distances of a row from the centers of all groups, in order of their numbers (到各聚类的距离)';

CREATE FUNCTION @extschema@.clusters(m @extschema@.model) RETURNS TABLE (cluster int, size bigint, share float8, within float8, center float8[])
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_clusters';
COMMENT ON FUNCTION @extschema@.clusters(@extschema@.model) IS
	'groups of a model: number, rows and share of them, sum of squared distances within, center (聚类列表)';

CREATE TYPE @extschema@.cluster_choice AS (k int, inertia float8, explained float8, silhouette float8, gap float8, gap_error float8, elbow boolean, best_silhouette boolean, gap_choice boolean);
COMMENT ON TYPE @extschema@.cluster_choice IS 'what a number of groups leaves unexplained, and what speaks for it (聚类数选择)';
COMMENT ON COLUMN @extschema@.cluster_choice.k IS 'number of groups';
COMMENT ON COLUMN @extschema@.cluster_choice.inertia IS 'sum of squared distances of the rows from the centers of their groups (组内平方和)';
COMMENT ON COLUMN @extschema@.cluster_choice.explained IS 'share of the total that the groups explain, 0 ... 1';
COMMENT ON COLUMN @extschema@.cluster_choice.silhouette IS 'mean silhouette of the sample, -1 ... 1; NULL for one group (轮廓系数)';
COMMENT ON COLUMN @extschema@.cluster_choice.gap IS 'gap statistic of the sample; NULL without references (间隙统计量)';
COMMENT ON COLUMN @extschema@.cluster_choice.gap_error IS 'its standard error, simulation included';
COMMENT ON COLUMN @extschema@.cluster_choice.elbow IS 'the last group saved most, compared with what one more would save (肘部)';
COMMENT ON COLUMN @extschema@.cluster_choice.best_silhouette IS 'no other number of groups has a higher silhouette';
COMMENT ON COLUMN @extschema@.cluster_choice.gap_choice IS 'the first number whose gap is not below that of the next one by more than its error';

CREATE FUNCTION @extschema@.kmeans_choice_transfn(state @extschema@.agg_state, k_max int, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kmeans_choice_transfn';
COMMENT ON FUNCTION @extschema@.kmeans_choice_transfn(@extschema@.agg_state, int, float8[]) IS
	'transition of kmeans_choice';

CREATE FUNCTION @extschema@.kmeans_choice_transfn(state @extschema@.agg_state, k_max int, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kmeans_choice_transfn';
COMMENT ON FUNCTION @extschema@.kmeans_choice_transfn(@extschema@.agg_state, int, float8[], jsonb) IS
	'transition of kmeans_choice, with options';

CREATE FUNCTION @extschema@.kmeans_choice_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kmeans_choice_combinefn';
COMMENT ON FUNCTION @extschema@.kmeans_choice_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of kmeans_choice';

CREATE FUNCTION @extschema@.kmeans_choice_finalfn(state @extschema@.agg_state) RETURNS @extschema@.cluster_choice[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000
	AS 'MODULE_PATHNAME', 'crm_kmeans_choice_finalfn';
COMMENT ON FUNCTION @extschema@.kmeans_choice_finalfn(@extschema@.agg_state) IS
	'result of kmeans_choice';

CREATE AGGREGATE @extschema@.kmeans_choice(k_max int, features float8[]) (
	SFUNC = @extschema@.kmeans_choice_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.kmeans_choice_finalfn,
	COMBINEFUNC = @extschema@.kmeans_choice_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kmeans_choice(int, float8[]) IS
	'how many groups rows have: for each number from 1 to k_max what is left, silhouette, gap and elbow (聚类数选择)';

CREATE AGGREGATE @extschema@.kmeans_choice(k_max int, features float8[], options jsonb) (
	SFUNC = @extschema@.kmeans_choice_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.kmeans_choice_finalfn,
	COMBINEFUNC = @extschema@.kmeans_choice_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kmeans_choice(int, float8[], jsonb) IS
	'how many groups rows have: for each number from 1 to k_max what is left, silhouette, gap and elbow, with options (聚类数选择)';
