-- Groups by name: whose they are, what they are like, and numbers that stay

CREATE FUNCTION @extschema@.cluster(name text, customer record) RETURNS int
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_cluster_record';
COMMENT ON FUNCTION @extschema@.cluster(text, record) IS
	'number of the group of a row by a model''s name: its columns are found by their names, in any order, among others (按名聚类)';

CREATE FUNCTION @extschema@.cluster(name text, customer jsonb) RETURNS int
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_cluster_jsonb';
COMMENT ON FUNCTION @extschema@.cluster(text, jsonb) IS
	'number of the group of a customer given as a jsonb object by a model''s name (按名聚类)';

CREATE FUNCTION @extschema@.match_clusters(old_model @extschema@.model, new_model @extschema@.model) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250
	AS 'MODULE_PATHNAME', 'crm_match_clusters';
COMMENT ON FUNCTION @extschema@.match_clusters(@extschema@.model, @extschema@.model) IS
	'the new model, whose groups have the numbers of those of the old one whose centers are nearest, all pairs together; further groups get numbers that no group had (聚类编号匹配)';

CREATE FUNCTION @extschema@.personas(name text, query text DEFAULT NULL, key text DEFAULT NULL, lang text DEFAULT 'en', words jsonb DEFAULT '{}',
		fdr float8 DEFAULT 0.05, most int DEFAULT 10)
	RETURNS TABLE (cluster int, persona text, size bigint, share float8, typical_key text, typical jsonb, distance float8, traits jsonb)
	LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_personas';
COMMENT ON FUNCTION @extschema@.personas(text, text, text, text, jsonb, float8, int) IS
	'what the groups of a model are like, by the rows of its query or of another: size, the member nearest to the center, traits that are more or less frequent than elsewhere with index and q value, and a name made of them in English or Chinese (客户画像分群)';
