-- Stored timelines: one row for each customer and period, the newest apart from the older ones.
--
-- A customer whose events lie in one period, as most do, is one row: reading all
-- customers is a plain parallel scan of customer_timeline.  What came before the
-- newest period lies in timeline_archive and is fetched for those who have some.

CREATE TABLE @extschema@.timeline_store (
	population_id	int PRIMARY KEY REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	period			text NOT NULL CHECK (period IN ('month', 'quarter', 'year')),
	lateness		interval NOT NULL,
	arrival			name,
	zone			text NOT NULL,
	watermark		timestamptz,
	kept_from		timestamptz,
	refreshed_at	timestamptz NOT NULL
);
COMMENT ON TABLE @extschema@.timeline_store IS 'populations whose timelines (时间线) are stored: how, and up to when';

CREATE TABLE @extschema@.customer_timeline (
	customer_id		bigint NOT NULL,
	last_at			timestamptz NOT NULL,
	population_id	int NOT NULL,
	archived		boolean NOT NULL,
	events			@extschema@.timeline NOT NULL,
	-- the customer first: who reads a population reads the table, and no index misleads the planner
	PRIMARY KEY (customer_id, population_id)
) WITH (fillfactor = 95);
COMMENT ON TABLE @extschema@.customer_timeline IS 'the newest period of each customer''s stored timeline (doc/formats.md); written only by refresh_timelines, and by folding and refreshing a tracked population';

CREATE TABLE @extschema@.timeline_archive (
	customer_id		bigint NOT NULL,
	period_start	timestamptz NOT NULL,
	population_id	int NOT NULL,
	events			@extschema@.timeline NOT NULL,
	PRIMARY KEY (customer_id, population_id, period_start)
);
COMMENT ON TABLE @extschema@.timeline_archive IS 'older periods of customers'' stored timelines; written only by refresh_timelines, and by folding and refreshing a tracked population';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.timeline_store', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.customer_timeline', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.timeline_archive', '');

CREATE FUNCTION @extschema@.refresh_timelines(population text DEFAULT NULL, rebuild boolean DEFAULT false,
	period text DEFAULT NULL, lateness interval DEFAULT NULL, arrival name DEFAULT NULL)
	RETURNS TABLE (population_name text, since timestamptz, events bigint, customers bigint, changed bigint)
	AS 'MODULE_PATHNAME', 'crm_refresh_timelines' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 1;
COMMENT ON FUNCTION @extschema@.refresh_timelines(text, boolean, text, interval, name) IS
	'stores the timelines (时间线) of a population''s customers: all of them the first time and with rebuild, later what is new. Events from the newest one stored back to lateness (3 days) before are read again and replace what was stored of that time; with arrival, the column that says when a row came, customers with rows that came later still are read anew. period: month, quarter or year. Errors: 55000 no mapping of events, 42501 no right to define tags';

CREATE FUNCTION @extschema@.erase_events(population text, key text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_erase_events_text' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.erase_events(text, text) IS
	'removes a customer''s stored timeline; false when there was none. What stays in the relation of events comes back with a rebuild. Owner of the population only';
CREATE FUNCTION @extschema@.erase_events(population text, key bigint) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_erase_events_bigint' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.erase_events(text, bigint) IS
	'removes a customer''s stored timeline; false when there was none. What stays in the relation of events comes back with a rebuild. Owner of the population only';
CREATE FUNCTION @extschema@.erase_events(population text, key uuid) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_erase_events_uuid' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.erase_events(text, uuid) IS
	'removes a customer''s stored timeline; false when there was none. What stays in the relation of events comes back with a rebuild. Owner of the population only';

CREATE FUNCTION @extschema@.drop_timelines(population text, before timestamptz) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'crm_drop_timelines' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION @extschema@.drop_timelines(text, timestamptz) IS
	'drops the periods of stored timelines that end at or before a time, and keeps them out from then on; returns the beginning of the first period kept. Owner of the population only';

-- Asked once for a query (the sub-select below is an InitPlan), not for every row.
CREATE FUNCTION @extschema@.readable_timelines() RETURNS int[]
	AS 'MODULE_PATHNAME', 'crm_readable_timelines' LANGUAGE C STABLE PARALLEL SAFE COST 5000;
COMMENT ON FUNCTION @extschema@.readable_timelines() IS
	'numbers of the populations of whose customers the current user may read all stored timelines';

CREATE FUNCTION @extschema@.whole_timeline(population_id int, customer_id bigint, events @extschema@.timeline) RETURNS @extschema@.timeline
	AS 'MODULE_PATHNAME', 'crm_whole_timeline' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 5000;
COMMENT ON FUNCTION @extschema@.whole_timeline(int, bigint, @extschema@.timeline) IS
	'the newest period of a stored timeline together with the older ones';

CREATE FUNCTION @extschema@.timeline_of(key text, population text DEFAULT NULL) RETURNS @extschema@.timeline
	AS 'MODULE_PATHNAME', 'crm_timeline_of_text' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000;
COMMENT ON FUNCTION @extschema@.timeline_of(text, text) IS
	'the stored timeline (时间线) of one customer; NULL when there is none, or when the caller may not see the customer''s row';
CREATE FUNCTION @extschema@.timeline_of(key bigint, population text DEFAULT NULL) RETURNS @extschema@.timeline
	AS 'MODULE_PATHNAME', 'crm_timeline_of_bigint' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000;
COMMENT ON FUNCTION @extschema@.timeline_of(bigint, text) IS
	'the stored timeline (时间线) of one customer; NULL when there is none, or when the caller may not see the customer''s row';
CREATE FUNCTION @extschema@.timeline_of(key uuid, population text DEFAULT NULL) RETURNS @extschema@.timeline
	AS 'MODULE_PATHNAME', 'crm_timeline_of_uuid' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000;
COMMENT ON FUNCTION @extschema@.timeline_of(uuid, text) IS
	'the stored timeline (时间线) of one customer; NULL when there is none, or when the caller may not see the customer''s row';

ALTER TABLE @extschema@.timeline_store ENABLE ROW LEVEL SECURITY;
CREATE POLICY timeline_store_visible ON @extschema@.timeline_store FOR SELECT
	USING (@extschema@.can_see_population(population_id));
ALTER TABLE @extschema@.customer_timeline ENABLE ROW LEVEL SECURITY;
CREATE POLICY customer_timeline_visible ON @extschema@.customer_timeline FOR SELECT
	USING (population_id = ANY ((SELECT @extschema@.readable_timelines())::int[]));
ALTER TABLE @extschema@.timeline_archive ENABLE ROW LEVEL SECURITY;
CREATE POLICY timeline_archive_visible ON @extschema@.timeline_archive FOR SELECT
	USING (population_id = ANY ((SELECT @extschema@.readable_timelines())::int[]));
GRANT SELECT ON @extschema@.timeline_store, @extschema@.customer_timeline, @extschema@.timeline_archive TO PUBLIC;

CREATE VIEW @extschema@.customer_timelines WITH (security_invoker = true) AS
	SELECT p.name AS population, t.customer_id,
		CASE WHEN t.archived THEN @extschema@.whole_timeline(t.population_id, t.customer_id, t.events) ELSE t.events END AS timeline,
		t.last_at
	FROM @extschema@.customer_timeline t
	JOIN @extschema@.population_definition p ON p.population_id = t.population_id;
COMMENT ON VIEW @extschema@.customer_timelines IS 'the stored timelines (时间线), one row for each customer; needs SELECT on the columns of events, without row-level security, or a grant on the population';
COMMENT ON COLUMN @extschema@.customer_timelines.population IS 'name of the population';
COMMENT ON COLUMN @extschema@.customer_timelines.customer_id IS 'id of the customer in audiences: an integer key that is not negative is its own';
COMMENT ON COLUMN @extschema@.customer_timelines.timeline IS 'all events of the customer';
COMMENT ON COLUMN @extschema@.customer_timelines.last_at IS 'when the last of them was';
GRANT SELECT ON @extschema@.customer_timelines TO PUBLIC;
