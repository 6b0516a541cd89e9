
-- RFM: recency, frequency, monetary value

CREATE TYPE @extschema@.rfm_summary AS (last_at timestamptz, frequency bigint, monetary float8);
COMMENT ON TYPE @extschema@.rfm_summary IS 'one customer''s last event, number of events and sum of amounts (最近消费, 消费频次, 消费金额)';
COMMENT ON COLUMN @extschema@.rfm_summary.last_at IS 'time of the last event';
COMMENT ON COLUMN @extschema@.rfm_summary.frequency IS 'number of events';
COMMENT ON COLUMN @extschema@.rfm_summary.monetary IS 'sum of amounts';

CREATE TYPE @extschema@.rfm_score AS (recency int, frequency int, monetary int);
COMMENT ON TYPE @extschema@.rfm_score IS 'one customer''s scores, 1 the lowest (RFM 评分)';
COMMENT ON COLUMN @extschema@.rfm_score.recency IS 'score of the days since the last event: the fewer, the higher';
COMMENT ON COLUMN @extschema@.rfm_score.frequency IS 'score of the number of events';
COMMENT ON COLUMN @extschema@.rfm_score.monetary IS 'score of the sum of amounts';

CREATE FUNCTION @extschema@.rfm_summary(last_at timestamptz, frequency bigint, monetary float8) RETURNS @extschema@.rfm_summary
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_summary';
COMMENT ON FUNCTION @extschema@.rfm_summary(timestamptz, bigint, float8) IS 'a summary from columns that hold it already';

CREATE FUNCTION @extschema@.rfm_summary(last_at timestamptz, frequency bigint, monetary numeric) RETURNS @extschema@.rfm_summary
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_summary_numeric';
COMMENT ON FUNCTION @extschema@.rfm_summary(timestamptz, bigint, numeric) IS 'a summary from columns that hold it already';

-- the borders between scores, as a value

CREATE TYPE @extschema@.rfm_cuts;

CREATE FUNCTION @extschema@.rfm_cuts_in(cstring) RETURNS @extschema@.rfm_cuts
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_cuts_in';
COMMENT ON FUNCTION @extschema@.rfm_cuts_in(cstring) IS 'text input of rfm_cuts';

CREATE FUNCTION @extschema@.rfm_cuts_out(@extschema@.rfm_cuts) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_cuts_out';
COMMENT ON FUNCTION @extschema@.rfm_cuts_out(@extschema@.rfm_cuts) IS 'text output of rfm_cuts: JSON, time in UTC, exact numbers';

CREATE FUNCTION @extschema@.rfm_cuts_recv(internal) RETURNS @extschema@.rfm_cuts
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_cuts_recv';
COMMENT ON FUNCTION @extschema@.rfm_cuts_recv(internal) IS 'binary input of rfm_cuts';

CREATE FUNCTION @extschema@.rfm_cuts_send(@extschema@.rfm_cuts) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_cuts_send';
COMMENT ON FUNCTION @extschema@.rfm_cuts_send(@extschema@.rfm_cuts) IS 'binary output of rfm_cuts';

CREATE TYPE @extschema@.rfm_cuts (
	INPUT = @extschema@.rfm_cuts_in,
	OUTPUT = @extschema@.rfm_cuts_out,
	RECEIVE = @extschema@.rfm_cuts_recv,
	SEND = @extschema@.rfm_cuts_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.rfm_cuts IS 'borders between RFM scores and the time that days count back from (RFM 分档)';

CREATE FUNCTION @extschema@.rfm_cuts(recency float8[], frequency float8[], monetary float8[],
	as_of timestamptz DEFAULT NULL, inclusive boolean DEFAULT false) RETURNS @extschema@.rfm_cuts
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_rfm_cuts';
COMMENT ON FUNCTION @extschema@.rfm_cuts(float8[], float8[], float8[], timestamptz, boolean) IS
	'own borders, ascending; a value on a border belongs to the bin above it or, if inclusive, below it; NULL: the measure is not scored';

CREATE FUNCTION @extschema@.rfm_borders(cuts @extschema@.rfm_cuts)
	RETURNS TABLE (measure text, border int, value float8)
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 12
	BEGIN ATOMIC
		SELECT m.name, e.place::int, e.value::float8
		FROM (VALUES (1, 'recency'), (2, 'frequency'), (3, 'monetary')) AS m (place, name),
			LATERAL jsonb_array_elements_text(
				CASE WHEN jsonb_typeof(cuts::text::jsonb -> m.name) = 'array' THEN cuts::text::jsonb -> m.name END)
				WITH ORDINALITY AS e (value, place)
		ORDER BY m.place, e.place;
	END;
COMMENT ON FUNCTION @extschema@.rfm_borders(@extschema@.rfm_cuts) IS 'borders as rows: recency in days, frequency, monetary';

-- from events to one summary per customer

CREATE FUNCTION @extschema@.rfm_agg_transfn(state @extschema@.agg_state, ts timestamptz, amount float8)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_agg_transfn';
COMMENT ON FUNCTION @extschema@.rfm_agg_transfn(@extschema@.agg_state, timestamptz, float8) IS 'transition of rfm_agg';

CREATE FUNCTION @extschema@.rfm_agg_transfn(state @extschema@.agg_state, ts timestamptz, amount numeric)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_agg_numeric_transfn';
COMMENT ON FUNCTION @extschema@.rfm_agg_transfn(@extschema@.agg_state, timestamptz, numeric) IS 'transition of rfm_agg over numeric amounts';

CREATE FUNCTION @extschema@.rfm_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_agg_combinefn';
COMMENT ON FUNCTION @extschema@.rfm_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of rfm_agg';

CREATE FUNCTION @extschema@.rfm_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.rfm_summary
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_agg_finalfn';
COMMENT ON FUNCTION @extschema@.rfm_agg_finalfn(@extschema@.agg_state) IS 'result of rfm_agg';

CREATE AGGREGATE @extschema@.rfm_agg(ts timestamptz, amount float8) (
	SFUNC = @extschema@.rfm_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 64,
	FINALFUNC = @extschema@.rfm_agg_finalfn,
	COMBINEFUNC = @extschema@.rfm_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfm_agg(timestamptz, float8) IS 'last event, number of events and exact sum of amounts of one customer (RFM 汇总)';

CREATE AGGREGATE @extschema@.rfm_agg(ts timestamptz, amount numeric) (
	SFUNC = @extschema@.rfm_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 64,
	FINALFUNC = @extschema@.rfm_agg_finalfn,
	COMBINEFUNC = @extschema@.rfm_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfm_agg(timestamptz, numeric) IS 'last event, number of events and sum of amounts, each as float8, of one customer (RFM 汇总)';

-- from customers to borders

CREATE FUNCTION @extschema@.rfm_cuts_agg_transfn(state @extschema@.agg_state, bins int, as_of timestamptz, s @extschema@.rfm_summary)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_cuts_agg_transfn';
COMMENT ON FUNCTION @extschema@.rfm_cuts_agg_transfn(@extschema@.agg_state, int, timestamptz, @extschema@.rfm_summary) IS 'transition of rfm_cuts_agg';

CREATE FUNCTION @extschema@.rfm_cuts_agg_transfn(state @extschema@.agg_state, bins int, as_of timestamptz,
	last_at timestamptz, frequency bigint, monetary float8)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_cuts_agg_parts_transfn';
COMMENT ON FUNCTION @extschema@.rfm_cuts_agg_transfn(@extschema@.agg_state, int, timestamptz, timestamptz, bigint, float8) IS 'transition of rfm_cuts_agg over columns';

CREATE FUNCTION @extschema@.rfm_cuts_agg_transfn(state @extschema@.agg_state, bins int, as_of timestamptz,
	last_at timestamptz, frequency bigint, monetary numeric)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_cuts_agg_numeric_transfn';
COMMENT ON FUNCTION @extschema@.rfm_cuts_agg_transfn(@extschema@.agg_state, int, timestamptz, timestamptz, bigint, numeric) IS 'transition of rfm_cuts_agg over columns, amounts numeric';

CREATE FUNCTION @extschema@.rfm_cuts_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_rfm_cuts_agg_combinefn';
COMMENT ON FUNCTION @extschema@.rfm_cuts_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of rfm_cuts_agg';

CREATE FUNCTION @extschema@.rfm_cuts_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.rfm_cuts
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_rfm_cuts_agg_finalfn';
COMMENT ON FUNCTION @extschema@.rfm_cuts_agg_finalfn(@extschema@.agg_state) IS 'result of rfm_cuts_agg';

CREATE AGGREGATE @extschema@.rfm_cuts_agg(bins int, as_of timestamptz, s @extschema@.rfm_summary) (
	SFUNC = @extschema@.rfm_cuts_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.rfm_cuts_agg_finalfn,
	COMBINEFUNC = @extschema@.rfm_cuts_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfm_cuts_agg(int, timestamptz, @extschema@.rfm_summary) IS
	'borders that divide the customers into bins of equal size, by each measure (等频分档)';

CREATE AGGREGATE @extschema@.rfm_cuts_agg(bins int, as_of timestamptz, last_at timestamptz, frequency bigint, monetary float8) (
	SFUNC = @extschema@.rfm_cuts_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.rfm_cuts_agg_finalfn,
	COMBINEFUNC = @extschema@.rfm_cuts_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfm_cuts_agg(int, timestamptz, timestamptz, bigint, float8) IS
	'borders that divide the customers into bins of equal size, from columns instead of a summary (等频分档)';

CREATE AGGREGATE @extschema@.rfm_cuts_agg(bins int, as_of timestamptz, last_at timestamptz, frequency bigint, monetary numeric) (
	SFUNC = @extschema@.rfm_cuts_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.rfm_cuts_agg_finalfn,
	COMBINEFUNC = @extschema@.rfm_cuts_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfm_cuts_agg(int, timestamptz, timestamptz, bigint, numeric) IS
	'borders that divide the customers into bins of equal size, from columns instead of a summary (等频分档)';

-- scores

CREATE FUNCTION @extschema@.rfm_score(s @extschema@.rfm_summary, cuts @extschema@.rfm_cuts) RETURNS @extschema@.rfm_score
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_score';
COMMENT ON FUNCTION @extschema@.rfm_score(@extschema@.rfm_summary, @extschema@.rfm_cuts) IS 'scores of one customer (RFM 评分)';

CREATE FUNCTION @extschema@.rfm_score(s @extschema@.rfm_summary, cuts @extschema@.rfm_cuts, as_of timestamptz) RETURNS @extschema@.rfm_score
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_score_as_of';
COMMENT ON FUNCTION @extschema@.rfm_score(@extschema@.rfm_summary, @extschema@.rfm_cuts, timestamptz) IS 'scores of one customer as of another time than that of the borders';

CREATE FUNCTION @extschema@.rfm_score(last_at timestamptz, frequency bigint, monetary float8, cuts @extschema@.rfm_cuts) RETURNS @extschema@.rfm_score
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_score_parts';
COMMENT ON FUNCTION @extschema@.rfm_score(timestamptz, bigint, float8, @extschema@.rfm_cuts) IS 'scores of one customer, from columns instead of a summary';

CREATE FUNCTION @extschema@.rfm_score(last_at timestamptz, frequency bigint, monetary numeric, cuts @extschema@.rfm_cuts) RETURNS @extschema@.rfm_score
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_score_numeric';
COMMENT ON FUNCTION @extschema@.rfm_score(timestamptz, bigint, numeric, @extschema@.rfm_cuts) IS 'scores of one customer, from columns instead of a summary';

CREATE FUNCTION @extschema@.rfm_score(s @extschema@.rfm_summary, as_of timestamptz, bins int) RETURNS @extschema@.rfm_score
	LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_rfm_score_over';
COMMENT ON FUNCTION @extschema@.rfm_score(@extschema@.rfm_summary, timestamptz, int) IS 'scores among the customers of the partition: borders and scores in one step (窗口评分)';
