-- Timelines as the rows of events are now, for rules over customers whose stored ones may be out of date.

CREATE FUNCTION @extschema@.timelines_now(population_id int, as_of timestamptz, ids bigint[])
	RETURNS TABLE (customer_id bigint, timeline @extschema@.timeline, next_event timestamptz)
	AS 'MODULE_PATHNAME', 'crm_timelines_now' LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 500;
COMMENT ON FUNCTION @extschema@.timelines_now(int, timestamptz, bigint[]) IS
	'the timelines (时间线) of customers, of all where ids is NULL, made from the rows of a population''s events in the statement''s snapshot, up to as_of (NULL: none), and when the first event after it is; what rules read for customers of a tracked population whose rows have changed. 42501 without the right to read all timelines';
