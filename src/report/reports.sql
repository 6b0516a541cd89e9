-- Stored reports: what BI tools read.
--
-- A BI tool knows SELECT and nothing else, and asks often: so funnels, cohorts and the like are defined once, counted by
-- refresh_reports, and read from where they were stored.  A report is counted as its owner (in a security-restricted
-- operation, as a tag's rule), and its numbers are shown to those who may read whole sets of the population, each scope's to
-- those who may read that.  Groups that are too small are left out before anything is stored: nobody can read them.

CREATE SEQUENCE @extschema@.report_definition_report_id_seq AS int;
CREATE TABLE @extschema@.report_definition (
	report_id		int PRIMARY KEY DEFAULT pg_catalog.nextval('@extschema@.report_definition_report_id_seq'::pg_catalog.regclass),
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	name			text NOT NULL CHECK (name <> ''),
	kind			text NOT NULL CHECK (kind IN ('sizes', 'coverage', 'rfm', 'funnel', 'retention', 'life_cycle', 'channels', 'app', 'portrait', 'model')),
	options			jsonb NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(options) = 'object'),
	owner			regrole NOT NULL,
	description		text,
	created_at		timestamptz NOT NULL DEFAULT pg_catalog.now(),
	-- of the last time that it was counted: when, how long it took, and why it could not be
	refreshed_at	timestamptz,
	seconds			float8,
	problem			text,
	UNIQUE (population_id, name)
);
ALTER SEQUENCE @extschema@.report_definition_report_id_seq OWNED BY @extschema@.report_definition.report_id;
COMMENT ON TABLE @extschema@.report_definition IS 'stored reports (报表): what is to be counted of a population, and how fresh it is; written by define_report and refresh_reports';

-- scope_no NULL: of all scopes together.  Of sizes a set for each day is kept, of the others the last one.
CREATE TABLE @extschema@.report_result (
	report_id		int NOT NULL REFERENCES @extschema@.report_definition ON DELETE CASCADE,
	scope_no		int,
	as_of			timestamptz NOT NULL,
	refreshed_at	timestamptz NOT NULL,
	minimum_group	int NOT NULL,
	results			jsonb NOT NULL CHECK (pg_catalog.jsonb_typeof(results) = 'array'),
	UNIQUE NULLS NOT DISTINCT (report_id, scope_no, as_of)
);
COMMENT ON TABLE @extschema@.report_result IS 'what stored reports (报表) counted: one row for each scope and moment, an array of objects without groups below the minimum size';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.report_definition_report_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.report_definition', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.report_result', '');

ALTER TABLE @extschema@.report_definition ENABLE ROW LEVEL SECURITY;
CREATE POLICY report_definition_visible ON @extschema@.report_definition FOR SELECT
	USING (@extschema@.can_see_population(population_id));
ALTER TABLE @extschema@.report_result ENABLE ROW LEVEL SECURITY;
CREATE POLICY report_result_visible ON @extschema@.report_result FOR SELECT
	-- No scope has number -1: all of them are asked for.
	USING (EXISTS (SELECT FROM @extschema@.report_definition d
		WHERE d.report_id = report_result.report_id AND @extschema@.can_read_sets(d.population_id, coalesce(report_result.scope_no, -1))));
GRANT SELECT ON @extschema@.report_definition, @extschema@.report_result TO PUBLIC;

CREATE FUNCTION @extschema@.minimum_group_size() RETURNS int
	AS 'MODULE_PATHNAME', 'crm_minimum_group_size' LANGUAGE C STABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.minimum_group_size() IS
	'the setting crm_analytics.minimum_group_size (最小群体人数): groups of fewer customers are left out of reports';

CREATE FUNCTION @extschema@.define_report(name text, kind text, options jsonb DEFAULT '{}', population text DEFAULT NULL,
	description text DEFAULT NULL, replace boolean DEFAULT false) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_define_report' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.define_report(text, text, jsonb, text, text, boolean) IS
	'defines a stored report (报表) of a population: sizes, coverage, rfm, funnel, retention, life_cycle, channels, app, portrait or model, with its options; refresh_reports counts it, as the caller, who owns it. Needs the right to define tags. Errors: 42710 the name is taken and replace is false, 22023 unknown kind or option, 55000 no stored timelines where they are needed';

CREATE FUNCTION @extschema@.drop_report(name text, population text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_drop_report' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.drop_report(text, text) IS
	'drops a stored report (报表) with what it counted. For its owner and the population''s';

CREATE FUNCTION @extschema@.refresh_reports(population text DEFAULT NULL, name text DEFAULT NULL, as_of timestamptz DEFAULT now())
	RETURNS TABLE (report text, kind text, results bigint, seconds float8, problem text)
	AS 'MODULE_PATHNAME', 'crm_refresh_reports' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 10;
COMMENT ON FUNCTION @extschema@.refresh_reports(text, text, timestamptz) IS
	'counts the stored reports (报表) of a population anew, or the one named, from stored sets and timelines, each as its owner; one that fails keeps its earlier results and says why in problem, one that was named is an error. For owners of reports and who may define tags';

-- The members of an option that is an array of texts.
CREATE FUNCTION @extschema@.report_texts(options jsonb, option text) RETURNS text[]
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 100 SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF jsonb_typeof(options -> option) IS DISTINCT FROM 'array' OR jsonb_array_length(options -> option) = 0
		OR (SELECT bool_or(jsonb_typeof(e) <> 'string') FROM jsonb_array_elements(options -> option) AS e) THEN
		RAISE EXCEPTION 'option "%" must be an array of texts', option
			USING ERRCODE = 'invalid_parameter_value', HINT = format('Write as in {"%s": ["view", "order"]}.', option);
	END IF;
	RETURN ARRAY(SELECT e FROM jsonb_array_elements_text(options -> option) AS e);
END
$$;
COMMENT ON FUNCTION @extschema@.report_texts(jsonb, text) IS 'an option of a stored report that is an array of texts (报表选项). Errors: 22023';

-- The options that kinds of reports know; those that must be given come first.
CREATE FUNCTION @extschema@.report_kinds() RETURNS TABLE (kind text, required text[], optional text[], timelines boolean)
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10 ROWS 10
	BEGIN ATOMIC
		VALUES ('sizes', '{}'::text[], '{keep}'::text[], false),
			('coverage', '{}', '{}', false),
			('rfm', '{}', '{event,bins,recency,frequency,monetary}', false),
			('funnel', '{steps}', '{within,mode,names}', true),
			('retention', '{}', '{period,periods,zone,start,back}', true),
			('life_cycle', '{}', '{period,zone,start,back}', true),
			('channels', '{channels,conversion}', '{method,lookback}', true),
			('app', '{}', '{zone,gap,crash}', true),
			('portrait', '{segment}', '{base}', false),
			('model', '{model}', '{}', false);
	END;
COMMENT ON FUNCTION @extschema@.report_kinds() IS 'the kinds of stored reports (报表种类), the options that they need and know, and whether they read stored timelines';
