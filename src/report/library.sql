-- The library that draws the charts of a page.
--
-- It is fetched once, outside of the server (make report-assets), and kept in a table: nothing reads the server's files,
-- a server without a file system to reach will do, and a dump takes it along.  A page inlines what the table holds only
-- when its checksum is the one stated here.

CREATE TABLE @extschema@.report_library (
	name			text PRIMARY KEY CHECK (name = 'echarts'),
	version			text NOT NULL,
	source			text NOT NULL,
	stored_at		timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE @extschema@.report_library IS 'the chart library (图表库) that pages inline; written by store_report_library';
SELECT pg_catalog.pg_extension_config_dump('@extschema@.report_library', '');
GRANT SELECT ON @extschema@.report_library TO PUBLIC;

-- test/report_assets.sh reads version and sum from the line of this function: they are stated once.
CREATE FUNCTION @extschema@.report_library_pin(OUT name text, OUT version text, OUT sha256 text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
BEGIN ATOMIC
	SELECT 'echarts', '6.1.0', 'b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0';
END;
COMMENT ON FUNCTION @extschema@.report_library_pin() IS
	'name, version and SHA-256 of the one chart library that pages inline: dist/echarts.min.js of the npm package';

CREATE FUNCTION @extschema@.store_report_library(source text) RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	pin constant record := @extschema@.report_library_pin();
	found constant text := encode(sha256(convert_to(source, 'UTF8')), 'hex');
BEGIN
	IF found IS DISTINCT FROM pin.sha256 THEN
		RAISE EXCEPTION 'this is not % %', pin.name, pin.version
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('Its SHA-256 is %s, that of the file expected %s.', coalesce(found, 'NULL'), pin.sha256),
				HINT = format('Pass dist/echarts.min.js of the npm package %s@%s; make report-assets fetches it.', pin.name, pin.version);
	END IF;
	INSERT INTO @extschema@.report_library AS l (name, version, source) VALUES (pin.name, pin.version, store_report_library.source)
	ON CONFLICT ON CONSTRAINT report_library_pkey DO UPDATE SET version = excluded.version, source = excluded.source, stored_at = now();
	RETURN pin.name || ' ' || pin.version;
END
$$;
COMMENT ON FUNCTION @extschema@.store_report_library(text) IS
	'keeps the text of the chart library (图表库), so that report and customer_page draw their charts; returns name and version. 22023 when it is another file or version than the one pinned. For the owner of the catalogue, once; make report-assets writes the statement';

-- The library as it may stand in a page, and its sum as a page's policy names it; no row when it is absent or has been changed.
CREATE FUNCTION @extschema@.report_library_source(OUT source text, OUT digest text)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE COST 10000 ROWS 1
BEGIN ATOMIC
	SELECT l.source, pg_catalog.encode(s.sum, 'base64')
	FROM @extschema@.report_library_pin() p
	JOIN @extschema@.report_library l ON l.name = p.name
	CROSS JOIN LATERAL (SELECT pg_catalog.sha256(pg_catalog.convert_to(l.source, 'UTF8')) AS sum OFFSET 0) s
	WHERE pg_catalog.encode(s.sum, 'hex') = p.sha256;
END;
COMMENT ON FUNCTION @extschema@.report_library_source() IS
	'the text of the chart library and its SHA-256 in base64, when it is stored and unchanged; no row otherwise';
