
-- operating an app: daily figures, versions, channels, alerts

CREATE FUNCTION @extschema@.alerts(days date[], observed float8[], noise float8[] DEFAULT NULL, weeks int DEFAULT 8, threshold float8 DEFAULT 6,
	least_share float8 DEFAULT 0.02)
	RETURNS TABLE (started date, ended date, bad_days int, expected float8, measured float8, severity float8)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 3
	AS 'MODULE_PATHNAME', 'crm_alerts';
COMMENT ON FUNCTION @extschema@.alerts(date[], float8[], float8[], int, float8, float8) IS
	'runs of days on which a daily number lies far from the median of the same weekdays before, in robust deviations: one row for each outage (异常告警)';

CREATE FUNCTION @extschema@.app_daily(query text, zone text DEFAULT 'UTC', gap interval DEFAULT '30 minutes', crash text DEFAULT 'crash')
	RETURNS TABLE (day date, active bigint, weekly bigint, monthly bigint, new bigint, retained_1 bigint, retained_7 bigint, retained_30 bigint,
		sessions bigint, session_seconds float8, session_seconds_error float8, crash_sessions bigint, crash_customers bigint,
		crash_session_share float8, crash_customer_share float8)
	LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 400
BEGIN ATOMIC
	WITH one AS MATERIALIZED (
		SELECT t.timeline, @extschema@.activity(t.timeline, 'day', zone) AS a, @extschema@.timeline_only(t.timeline, crash) AS crashes
		FROM @extschema@.timelines(query) AS t
	), users AS (
		SELECT u.* FROM (SELECT @extschema@.active_users(one.a) AS rows FROM one) AS x, unnest(x.rows) AS u
	), kept AS (
		SELECT r.cohort, max(r.customers) FILTER (WHERE r.period = 1) AS day_1, max(r.customers) FILTER (WHERE r.period = 7) AS day_7,
			max(r.customers) FILTER (WHERE r.period = 30) AS day_30
		FROM (SELECT @extschema@.retention_table(30, one.a) AS rows FROM one) AS x, unnest(x.rows) AS r
		GROUP BY r.cohort
	), session AS (
		SELECT (s.started AT TIME ZONE zone)::date AS day, count(*) AS sessions,
			(sum(extract(epoch FROM s.ended - s.started)) / count(*))::float8 AS seconds,
			(stddev_samp(extract(epoch FROM s.ended - s.started)) / sqrt(count(*)::numeric))::float8 AS error,
			count(*) FILTER (WHERE @extschema@.event_count(one.crashes, NULL, s.started, s.ended + interval '1 microsecond') > 0) AS crashed
		FROM one, @extschema@.sessions(one.timeline, gap) AS s
		GROUP BY 1
	), crashed AS (
		SELECT u.day, u.daily FROM (SELECT @extschema@.active_users(@extschema@.activity(one.crashes, 'day', zone)) AS rows FROM one) AS x, unnest(x.rows) AS u
	)
	SELECT users.day, users.daily, users.weekly, users.monthly, users.new, kept.day_1, kept.day_7, kept.day_30,
		coalesce(session.sessions, 0), session.seconds, session.error, coalesce(session.crashed, 0), coalesce(crashed.daily, 0),
		session.crashed::float8 / session.sessions, coalesce(crashed.daily, 0)::float8 / nullif(users.daily, 0)
	FROM users
	LEFT JOIN kept ON kept.cohort = users.day
	LEFT JOIN session ON session.day = users.day
	LEFT JOIN crashed ON crashed.day = users.day
	ORDER BY users.day;
END;
COMMENT ON FUNCTION @extschema@.app_daily(text, text, interval, text) IS
	'an app''s figures by day of a zone, from a query of customer, time, event [, value [, attributes]]: active, new and retained customers, sessions and their length, shares with a crash (移动运营监控)';

CREATE FUNCTION @extschema@.app_versions(query text, zone text DEFAULT 'UTC', attribute text DEFAULT 'version')
	RETURNS TABLE (day date, version text, customers bigint, share float8)
	LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 2000
BEGIN ATOMIC
	SELECT v.day, v.version, count(*), count(*)::float8 / sum(count(*)) OVER (PARTITION BY v.day)::float8
	FROM (
		SELECT DISTINCT ON (t.customer, (e.ts AT TIME ZONE zone)::date) (e.ts AT TIME ZONE zone)::date AS day, e.attributes ->> attribute AS version
		FROM @extschema@.timelines(query) AS t, @extschema@.events(t.timeline) AS e
		WHERE e.attributes ->> attribute IS NOT NULL
		ORDER BY t.customer, (e.ts AT TIME ZONE zone)::date, e.ts DESC, (e.attributes ->> attribute) COLLATE "C" DESC
	) AS v
	GROUP BY v.day, v.version
	ORDER BY v.day, v.version COLLATE "C";
END;
COMMENT ON FUNCTION @extschema@.app_versions(text, text, text) IS
	'customers of each day by the version, or another attribute, that their last event of the day carries (版本分布)';

CREATE FUNCTION @extschema@.app_channels(query text, zone text DEFAULT 'UTC', attribute text DEFAULT 'channel', conversion text DEFAULT 'order',
	within interval DEFAULT '7 days')
	RETURNS TABLE (day date, channel text, new bigint, retained_1 bigint, retained_7 bigint, retained_30 bigint, converted bigint, value float8)
	LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 2000
BEGIN ATOMIC
	WITH one AS MATERIALIZED (
		SELECT @extschema@.activity(t.timeline, 'day', zone) AS a, @extschema@.first_event(t.timeline) AS first, t.timeline,
			(SELECT e.attributes ->> attribute FROM @extschema@.events(t.timeline) AS e WHERE e.attributes ->> attribute IS NOT NULL
				ORDER BY e.ts, (e.attributes ->> attribute) COLLATE "C" LIMIT 1) AS channel
		FROM @extschema@.timelines(query) AS t
	), reach AS (
		SELECT max(@extschema@.last_event(one.timeline) AT TIME ZONE zone)::date AS last FROM one
	), kept AS (
		SELECT x.channel, r.cohort, max(r.size) AS size, max(r.customers) FILTER (WHERE r.period = 1) AS day_1,
			max(r.customers) FILTER (WHERE r.period = 7) AS day_7, max(r.customers) FILTER (WHERE r.period = 30) AS day_30
		FROM (SELECT one.channel, @extschema@.retention_table(30, one.a) AS rows FROM one GROUP BY one.channel) AS x, unnest(x.rows) AS r
		GROUP BY x.channel, r.cohort
	), won AS (
		SELECT one.channel, (one.first AT TIME ZONE zone)::date AS cohort,
			count(*) FILTER (WHERE @extschema@.event_count(one.timeline, conversion, one.first, one.first + within) > 0) AS converted,
			coalesce(sum(@extschema@.event_sum(one.timeline, conversion, one.first, one.first + within)), 0) AS value
		FROM one
		GROUP BY 1, 2
	)
	SELECT kept.cohort, kept.channel, kept.size,
		CASE WHEN kept.cohort + 1 <= reach.last THEN coalesce(kept.day_1, 0) END,
		CASE WHEN kept.cohort + 7 <= reach.last THEN coalesce(kept.day_7, 0) END,
		CASE WHEN kept.cohort + 30 <= reach.last THEN coalesce(kept.day_30, 0) END,
		won.converted, won.value
	FROM kept
	JOIN won ON won.cohort = kept.cohort AND won.channel IS NOT DISTINCT FROM kept.channel
	CROSS JOIN reach
	ORDER BY kept.cohort, kept.channel COLLATE "C";
END;
COMMENT ON FUNCTION @extschema@.app_channels(text, text, text, text, interval) IS
	'new customers of each day by channel, how many were retained after 1, 7 and 30 days, and how many converted within a time of their first event, with the value of it (渠道质量)';

CREATE FUNCTION @extschema@.app_alerts(query text, zone text DEFAULT 'UTC', gap interval DEFAULT '30 minutes', crash text DEFAULT 'crash',
	weeks int DEFAULT 8, threshold float8 DEFAULT 6)
	RETURNS TABLE (metric text, started date, ended date, bad_days int, expected float8, measured float8, severity float8)
	LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
BEGIN ATOMIC
	SELECT x.metric, a.started, a.ended, a.bad_days, a.expected, a.measured, a.severity
	FROM (
		SELECT m.metric, array_agg(d.day) AS days, array_agg(m.observed) AS observed, array_agg(m.noise) AS noise
		FROM (
			-- A day without long sessions does not know how far its mean is off: what the days before it know counts, too.
			SELECT *, greatest(coalesce(session_seconds_error, session_seconds, 0),
				avg(session_seconds_error) OVER (ORDER BY day ROWS BETWEEN 27 PRECEDING AND CURRENT ROW)) AS seconds_noise
			FROM @extschema@.app_daily(query, zone, gap, crash)
		) AS d
		CROSS JOIN LATERAL (VALUES
			('active', d.active::float8, sqrt(greatest(d.active, 1))),
			('new', d.new::float8, sqrt(greatest(d.new, 1))),
			('sessions', d.sessions::float8, sqrt(greatest(d.sessions, 1))),
			('session_seconds', d.session_seconds, d.seconds_noise),
			('crash_session_share', d.crash_session_share,
				sqrt((d.crash_sessions + 1) * (d.sessions - d.crash_sessions + 1.0)) / (d.sessions + 2) / sqrt(greatest(d.sessions, 1))),
			('crash_customer_share', d.crash_customer_share,
				sqrt((d.crash_customers + 1) * (d.active - d.crash_customers + 1.0)) / (d.active + 2) / sqrt(greatest(d.active, 1))),
			('retained_1_share', d.retained_1::float8 / nullif(d.new, 0),
				sqrt((coalesce(d.retained_1, 0) + 1) * (d.new - coalesce(d.retained_1, 0) + 1.0)) / (d.new + 2) / sqrt(greatest(d.new, 1)))
		) AS m (metric, observed, noise)
		GROUP BY m.metric
	) AS x
	CROSS JOIN LATERAL @extschema@.alerts(x.days, x.observed, x.noise, weeks, threshold) AS a
	ORDER BY a.started, x.metric COLLATE "C";
END;
COMMENT ON FUNCTION @extschema@.app_alerts(text, text, interval, text, int, float8) IS
	'outages among the figures of app_daily, one row for each figure and run of bad days (异常告警)';
