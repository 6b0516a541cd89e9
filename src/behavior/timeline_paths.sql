-- funnels, sequences, sessions, states and paths of a timeline

CREATE FUNCTION @extschema@.window_funnel(t @extschema@.timeline, within interval, steps text[], mode text DEFAULT '')
	RETURNS int
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_window_funnel';
COMMENT ON FUNCTION @extschema@.window_funnel(@extschema@.timeline, interval, text[], text) IS
	'how many of the steps the customer took in their order, the last no later than "within" after the first; modes as in the aggregate (漏斗分析)';

CREATE FUNCTION @extschema@.sequence_match(t @extschema@.timeline, pattern text, events text[])
	RETURNS boolean
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_sequence_match';
COMMENT ON FUNCTION @extschema@.sequence_match(@extschema@.timeline, text, text[]) IS
	'whether the events match a pattern as (?1).*(?t<=3600)(?2), the numbers being places in the array (序列匹配)';

CREATE FUNCTION @extschema@.sequence_count(t @extschema@.timeline, pattern text, events text[])
	RETURNS bigint
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_timeline_sequence_count';
COMMENT ON FUNCTION @extschema@.sequence_count(@extschema@.timeline, text, text[]) IS
	'how often the events match a pattern, without overlaps (序列匹配次数)';

CREATE FUNCTION @extschema@.sequence_match_events(t @extschema@.timeline, pattern text, events text[])
	RETURNS timestamptz[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_sequence_match_events';
COMMENT ON FUNCTION @extschema@.sequence_match_events(@extschema@.timeline, text, text[]) IS
	'times of the events of the first match, or of the longest beginning of one (序列匹配时间)';

CREATE FUNCTION @extschema@.session_count(t @extschema@.timeline, gap interval)
	RETURNS bigint
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_session_count';
COMMENT ON FUNCTION @extschema@.session_count(@extschema@.timeline, interval) IS
	'number of sessions: one ends where more than the gap passes without an event (会话数)';

CREATE FUNCTION @extschema@.sessions(t @extschema@.timeline, gap interval)
	RETURNS TABLE (session bigint, started timestamptz, ended timestamptz, events bigint, value float8)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 250 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_sessions';
COMMENT ON FUNCTION @extschema@.sessions(@extschema@.timeline, interval) IS
	'the sessions with their number of events and sum of values: one ends where more than the gap passes without an event (会话)';

CREATE FUNCTION @extschema@.time_in_state(t @extschema@.timeline, states text[], until timestamptz DEFAULT NULL)
	RETURNS TABLE (state text, entered timestamptz, exited timestamptz, duration interval)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 250 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_time_in_state';
COMMENT ON FUNCTION @extschema@.time_in_state(@extschema@.timeline, text[], timestamptz) IS
	'the stays in states that events begin; the one that lasts has no exit, and a duration up to "until" (状态停留时间)';

CREATE FUNCTION @extschema@.state_transitions(t @extschema@.timeline,
	states text[],
	period text,
	zone text DEFAULT 'UTC',
	until timestamptz DEFAULT NULL,
	week_start int DEFAULT 1)
	RETURNS TABLE (period_start date, from_state text, to_state text)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 250 ROWS 20
	AS 'MODULE_PATHNAME', 'crm_state_transitions';
COMMENT ON FUNCTION @extschema@.state_transitions(@extschema@.timeline, text[], text, text, timestamptz, int) IS
	'for each day, week, month, quarter or year the state before it and the one at its end; at most 100,000 periods, 54000 (迁徙率)';

CREATE FUNCTION @extschema@.path_edges(t @extschema@.timeline,
	events text[] DEFAULT NULL,
	depth int DEFAULT 10,
	idle_gap interval DEFAULT NULL,
	reverse boolean DEFAULT false)
	RETURNS TABLE (step int, source text, target text)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 250 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_path_edges';
COMMENT ON FUNCTION @extschema@.path_edges(@extschema@.timeline, text[], int, interval, boolean) IS
	'the edges of the customer''s paths for a Sankey diagram, from (start) to (end), counted from the start or, in reverse, from the end (路径分析)';
