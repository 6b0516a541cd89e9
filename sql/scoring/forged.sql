-- States with counts that no rows could have given: refused, alone or put together.
CREATE SCHEMA scoring_forged;
SET search_path = scoring_forged, crm, public;
\set VERBOSITY default
\set SHOW_CONTEXT never

-- The state of rows, and one with eight of its bytes replaced, so many before its end.
CREATE FUNCTION forged(state agg_state, before_end int, number bigint) RETURNS agg_state LANGUAGE sql AS $$
	SELECT translate(encode(overlay(s PLACING (SELECT string_agg(substr(int8send(number), 9 - i, 1), NULL ORDER BY i) FROM generate_series(1, 8) i)
		FROM length(s) - before_end + 1), 'base64'), E'\n', '')::agg_state
	FROM agg_state_send(state) s
$$;
CREATE AGGREGATE survival_state(float8, boolean) (SFUNC = kaplan_meier_transfn, STYPE = agg_state);
CREATE AGGREGATE survival_merge(agg_state) (SFUNC = counts_combinefn, STYPE = agg_state, FINALFUNC = kaplan_meier_finalfn);
CREATE AGGREGATE woe_state(boolean, text) (SFUNC = woe_transfn, STYPE = agg_state);
CREATE AGGREGATE woe_merge(agg_state) (SFUNC = woe_combinefn, STYPE = agg_state, FINALFUNC = woe_table_finalfn);
CREATE AGGREGATE loss_state(boolean, float8) (SFUNC = log_loss_transfn, STYPE = agg_state);
CREATE AGGREGATE loss_merge(agg_state) (SFUNC = losses_combinefn, STYPE = agg_state, FINALFUNC = losses_finalfn);
CREATE AGGREGATE line_state(float8, float8[]) (SFUNC = linear_fit_transfn, STYPE = agg_state);
CREATE AGGREGATE line_merge(agg_state) (SFUNC = linear_fit_combinefn, STYPE = agg_state, FINALFUNC = linear_fit_finalfn);
CREATE TABLE states AS
SELECT survival_state(n % 3, n % 2 = 0) AS survival, woe_state(n % 2 = 0, 'x') AS woe, loss_state(n % 2 = 0, 0.25) AS loss, line_state(n * 2 + n % 2, ARRAY[n]) AS line
FROM generate_series(1, 6) n;

-- The last number of counted rows; of a line's 12 sums, three numbers before them; of losses, before two sums; of the bin 'x', before its text.
CREATE FUNCTION tried(number bigint, times int DEFAULT 1) RETURNS TABLE (what text, answer text) LANGUAGE plpgsql AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM (VALUES ('survival', 8), ('woe', 21), ('loss', 40), ('line', 120)) v(name, before_end) LOOP
		what := c.name;
		BEGIN
			EXECUTE format('SELECT %1$s_merge(forged(%1$s, %2$s, %3$s)) IS NOT NULL FROM states, generate_series(1, %4$s)', c.name, c.before_end, number, times) INTO answer;
		EXCEPTION WHEN OTHERS THEN
			answer := SQLSTATE || ': ' || SQLERRM;
		END;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT * FROM tried(6);
SELECT * FROM tried(4503599627370490);
SELECT * FROM tried(4503599627370490, 3);
SELECT * FROM tried(9007199254740993);
SELECT * FROM tried(-1);
SET client_min_messages = warning;
DROP SCHEMA scoring_forged CASCADE;
