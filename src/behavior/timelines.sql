-- timelines: those of a query's customers, nothing stored

CREATE FUNCTION @extschema@.timelines(query text) RETURNS TABLE (customer bigint, timeline @extschema@.timeline)
	LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
	AS 'MODULE_PATHNAME', 'crm_timelines';
COMMENT ON FUNCTION @extschema@.timelines(text) IS
	'the timelines (时间线) of a query''s customers, one row each, in no particular order; nothing is stored. The query is one SELECT with columns by position: customer (an integer), time, event [, value [, attributes jsonb]]; it runs with the caller''s rights and changes nothing. Rows without customer, time or event are ignored. Errors: 42804 wrong type of a column, 22023 not exactly one SELECT, 22003 value not finite';
