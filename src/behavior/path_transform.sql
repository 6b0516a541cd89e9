
-- cleaning up paths of touches before attribution

CREATE FUNCTION @extschema@.path_keep_last(path text[], touches int) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'crm_path_keep_last';
COMMENT ON FUNCTION @extschema@.path_keep_last(text[], int) IS 'the last touches of a path, at most so many (路径截取)';

CREATE FUNCTION @extschema@.path_exposure(path text[]) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'crm_path_exposure';
COMMENT ON FUNCTION @extschema@.path_exposure(text[]) IS 'a path with each run of one channel as one touch (路径去重)';

CREATE FUNCTION @extschema@.path_first(path text[]) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'crm_path_first';
COMMENT ON FUNCTION @extschema@.path_first(text[]) IS 'the first touch of each channel of a path (首次触点)';

CREATE FUNCTION @extschema@.path_frequency(path text[]) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'crm_path_frequency';
COMMENT ON FUNCTION @extschema@.path_frequency(text[]) IS 'each channel of a path once, with how often it was touched: a(2) (触点频次)';

CREATE FUNCTION @extschema@.path_drop_unless_all(path text[], channel text) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'crm_path_drop_unless_all';
COMMENT ON FUNCTION @extschema@.path_drop_unless_all(text[], text) IS 'a path without one channel, such as direct visits, unless it is all that was touched (剔除直接访问)';

CREATE FUNCTION @extschema@.path_drop_trailing_unless_all(path text[], channel text) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'crm_path_drop_trailing_unless_all';
COMMENT ON FUNCTION @extschema@.path_drop_trailing_unless_all(text[], text) IS
	'a path without one channel at its end, unless it is all that was touched (剔除末尾直接访问)';
