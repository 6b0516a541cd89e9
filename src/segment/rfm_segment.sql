
-- named segments

CREATE TABLE @extschema@.rfm_segment_rule (
	map text NOT NULL,
	priority int NOT NULL,
	segment text NOT NULL,
	recency int4range NOT NULL DEFAULT '(,)' CHECK (NOT isempty(recency)),
	frequency int4range NOT NULL DEFAULT '(,)' CHECK (NOT isempty(frequency)),
	monetary int4range NOT NULL DEFAULT '(,)' CHECK (NOT isempty(monetary)),
	PRIMARY KEY (map, priority)
);
COMMENT ON TABLE @extschema@.rfm_segment_rule IS 'own maps from RFM scores to segment names (客户分群规则); rules of the map "default" replace the shipped map';
COMMENT ON COLUMN @extschema@.rfm_segment_rule.map IS 'name of the map';
COMMENT ON COLUMN @extschema@.rfm_segment_rule.priority IS 'the fitting rule with the lowest priority wins';
COMMENT ON COLUMN @extschema@.rfm_segment_rule.segment IS 'name of the segment';
COMMENT ON COLUMN @extschema@.rfm_segment_rule.recency IS 'recency scores that fit, such as [4,5]; open ends fit all';
COMMENT ON COLUMN @extschema@.rfm_segment_rule.frequency IS 'frequency scores that fit';
COMMENT ON COLUMN @extschema@.rfm_segment_rule.monetary IS 'monetary scores that fit';
SELECT pg_catalog.pg_extension_config_dump('@extschema@.rfm_segment_rule', '');
GRANT SELECT ON @extschema@.rfm_segment_rule TO PUBLIC;

CREATE FUNCTION @extschema@.rfm_segment(recency int, frequency int, monetary int) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_segment';
COMMENT ON FUNCTION @extschema@.rfm_segment(int, int, int) IS 'name of the segment of three scores 1 to 5 (客户分群)';

CREATE FUNCTION @extschema@.rfm_segment(score @extschema@.rfm_score) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_segment_score';
COMMENT ON FUNCTION @extschema@.rfm_segment(@extschema@.rfm_score) IS 'name of the segment of a customer''s scores (客户分群)';

CREATE FUNCTION @extschema@.rfm_segment(recency int, frequency int, monetary int, map text) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_segment_map';
COMMENT ON FUNCTION @extschema@.rfm_segment(int, int, int, text) IS 'name of the segment of three scores in an own map';

CREATE FUNCTION @extschema@.rfm_segment(score @extschema@.rfm_score, map text) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_segment_score_map';
COMMENT ON FUNCTION @extschema@.rfm_segment(@extschema@.rfm_score, text) IS 'name of the segment of a customer''s scores in an own map';

CREATE FUNCTION @extschema@.rfm_segment_gaps(map text, bins int DEFAULT 5)
	RETURNS TABLE (recency int, frequency int, monetary int)
	LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 250 ROWS 10
	BEGIN ATOMIC
		SELECT r, f, m
		FROM generate_series(1, bins) AS r, generate_series(1, bins) AS f, generate_series(1, bins) AS m
		WHERE @extschema@.rfm_segment(r, f, m, map) IS NULL
		ORDER BY r, f, m;
	END;
COMMENT ON FUNCTION @extschema@.rfm_segment_gaps(text, int) IS 'combinations of scores that no rule of a map names: none in a complete map';
