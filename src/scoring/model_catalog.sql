-- Models at a glance

CREATE VIEW @extschema@.model_catalog WITH (security_invoker = true) AS
	SELECT d.name, d.owner::text AS owner, d.champion AS version, d.versions, v.algorithm, v.label,
		CASE WHEN v.state OPERATOR(pg_catalog.=) 'approved' AND v.stale_since IS NOT NULL THEN 'stale' ELSE v.state END AS status,
		v.stale_since, v.stale_cause, v.drift_checked_at, d.approval AS needs_approval,
		(SELECT pg_catalog.count(*) FROM @extschema@.model_version AS w WHERE w.name OPERATOR(pg_catalog.=) d.name AND w.state OPERATOR(pg_catalog.=) 'draft') AS drafts,
		v.rows, v.metrics, v.created_at AS trained_at, v.created_by::text AS trained_by, v.approved_at, v.approved_by::text AS approved_by
	FROM @extschema@.model_definition AS d
	LEFT JOIN @extschema@.model_version AS v ON v.name OPERATOR(pg_catalog.=) d.name AND v.version OPERATOR(pg_catalog.=) d.champion;
COMMENT ON VIEW @extschema@.model_catalog IS
	'one''s own models with the version in use (模型目录): status draft (草稿), approved (已批准), stale (已过期: rows have drifted away from those of the training since stale_since, as stale_cause says) or retired (已停用); who trained and who approved it';
GRANT SELECT ON @extschema@.model_catalog TO PUBLIC;
