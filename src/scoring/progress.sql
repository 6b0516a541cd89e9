-- How far trainings are

CREATE FUNCTION @extschema@.training_progress_rows()
	RETURNS TABLE (pid int, datid oid, algorithm text, rows bigint, features bigint, steps bigint, steps_done bigint, started_at timestamptz)
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_training_progress_rows';
COMMENT ON FUNCTION @extschema@.training_progress_rows() IS
	'trainings at work on this server; read it as the view training_progress';

CREATE VIEW @extschema@.training_progress WITH (security_invoker = true) AS
	SELECT p.pid, d.datname::text AS database, p.algorithm, p.rows, p.features, p.steps_done, p.steps, p.started_at
	FROM @extschema@.training_progress_rows() AS p
	LEFT JOIN pg_catalog.pg_database AS d ON d.oid = p.datid;
COMMENT ON VIEW @extschema@.training_progress IS
	'trainings at work: rows, features, and how many of the steps, such as trees, are done; details of other users only for members of pg_read_all_stats (训练进度)';
GRANT SELECT ON @extschema@.training_progress TO PUBLIC;
