-- How far long commands are

CREATE FUNCTION @extschema@.progress_rows()
	RETURNS TABLE (pid int, datid oid, usesysid oid, command text, target text, phase text, part int, parts int, done bigint, total bigint,
		unit text, started_at timestamptz)
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_progress_rows';
COMMENT ON FUNCTION @extschema@.progress_rows() IS
	'long commands at work on this server; read it as the view progress';

CREATE VIEW @extschema@.progress WITH (security_invoker = true) AS
	SELECT p.pid, d.datname::text AS database, r.rolname::text AS role, p.command, p.target, p.phase, p.part, p.parts, p.done, p.total,
		p.unit, LEAST(p.done::float8 / p.total, 1) AS share, p.started_at
	FROM @extschema@.progress_rows() AS p
	LEFT JOIN pg_catalog.pg_database AS d ON d.oid = p.datid
	LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = p.usesysid;
COMMENT ON VIEW @extschema@.progress IS
	'refreshes, folds, trainings, timelines and reports at work: what they are doing, and how much of this phase is done; details of other users only for members of pg_read_all_stats (进度)';
GRANT SELECT ON @extschema@.progress TO PUBLIC;

CREATE FUNCTION @extschema@.show_progress(phase text, done bigint, total bigint, command text DEFAULT 'report', target text DEFAULT NULL)
	RETURNS void
	LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1
	AS 'MODULE_PATHNAME', 'crm_show_progress';
COMMENT ON FUNCTION @extschema@.show_progress(text, bigint, bigint, text, text) IS
	'shows in the view progress what this session is doing: a step of so many, under the name of a command; done = total ends it, and so does the end of the transaction (显示进度)';
