#!/usr/bin/env bash
#
# behavior_peer.sh - ClickHouse's own test cases of its funnel, retention and
# sequence functions, and some sixteen thousand generated groups with its
# answers, and cases of session numbers: every one must come out equal.
#
# A case is a line of parameters with SQL conditions; each becomes one query.
# Times of the cases are seconds.  Cases of functions that are not in the
# extension are counted as left out.
#
# Reads PG* and CRM_SHARED; prints "ok" and "not ok" lines; 77 without the data.
set -euo pipefail

folder=${CRM_SHARED:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/../shared}/data/behavior
for file in session_cases peer_events peer_cases peer_expected funnel_generated_events funnel_generated_cases funnel_generated_expected; do
	if [ ! -f "$folder/$file.csv" ]; then
		echo "no $file.csv in $folder"
		exit 77
	fi
done

psql -X -q -A -t -v ON_ERROR_STOP=1 <<EOF | awk '{ print } /^not ok/ { bad = 1 } END { exit bad }'
SET search_path = crm, public;
SET timezone = 'UTC';
CREATE TABLE events (dataset_id text, row_no bigint, grp bigint, ts bigint, ev text, n bigint, a text, b text);
CREATE TABLE cases (case_id text, function text, dataset_id text, row_filter text, "window" bigint, modes text,
	pattern text, direction text, base text, base_condition text, conditions jsonb, basis text, source text);
CREATE TABLE expected (case_id text, grp text, expected text);
\copy events FROM '$folder/peer_events.csv' CSV HEADER
\copy cases FROM '$folder/peer_cases.csv' CSV HEADER
\copy expected FROM '$folder/peer_expected.csv' CSV HEADER
CREATE TABLE more_events (dataset_id text, grp bigint, ts bigint, ev text);
CREATE TABLE more_cases (case_id text, function text, dataset_id text, "window" bigint, modes text, pattern text, conditions jsonb, basis text);
\copy more_events FROM '$folder/funnel_generated_events.csv' CSV HEADER
\copy more_cases FROM '$folder/funnel_generated_cases.csv' CSV HEADER
\copy expected FROM '$folder/funnel_generated_expected.csv' CSV HEADER
INSERT INTO events (dataset_id, grp, ts, ev) SELECT dataset_id, grp, ts, ev FROM more_events;
INSERT INTO cases (case_id, function, dataset_id, "window", modes, pattern, conditions, basis)
SELECT case_id, function, dataset_id, "window", modes, pattern, conditions, basis FROM more_cases;
-- What the cases call empty text is NULL in the file.
UPDATE events SET a = coalesce(a, CASE WHEN dataset_id = 'wf_nulls' THEN NULL ELSE '' END);

CREATE TABLE answers (case_id text, grp text, answer text);
CREATE FUNCTION pg_temp.call_of(c cases) RETURNS text LANGUAGE SQL AS
\$\$
	SELECT CASE c.function
		WHEN 'windowFunnel' THEN format('window_funnel(%L, %L, to_timestamp(ts), %s)::text',
			make_interval(secs => c."window"), replace(coalesce(c.modes, ''), ' ', ','), steps)
		WHEN 'retention' THEN format('replace(replace(array_to_json(retention(%s))::text, ''true'', ''1''), ''false'', ''0'')', steps)
		WHEN 'sequenceMatch' THEN format('sequence_match(%L, to_timestamp(ts), %s)::int::text', coalesce(c.pattern, ''), steps)
		WHEN 'sequenceCount' THEN format('sequence_count(%L, to_timestamp(ts), %s)::text', coalesce(c.pattern, ''), steps)
		WHEN 'sequenceMatchEvents' THEN format(
			'(SELECT coalesce(json_agg(extract(epoch FROM t)::bigint ORDER BY t), ''[]'') FROM unnest(sequence_match_events(%L, to_timestamp(ts), %s)) t)::text',
			coalesce(c.pattern, ''), steps)
		WHEN 'sequenceNextNode' THEN format('coalesce(sequence_next_node(%L, %L, to_timestamp(ts), ev, %s%s), ''null'')',
			c.direction, c.base, c.base_condition, coalesce(', ' || steps, ''))
		END
	FROM (SELECT string_agg(s, ', ' ORDER BY o) AS steps
		FROM jsonb_array_elements_text(c.conditions) WITH ORDINALITY x (s, o)) y
\$\$;

-- Rows in three orders: as they were inserted, backwards, shuffled.
DO \$\$
DECLARE
	c cases;
	call text;
	message text;
	way text;
BEGIN
	FOR c IN SELECT * FROM cases
	LOOP
		call := pg_temp.call_of(c);
		CONTINUE WHEN call IS NULL;
		FOREACH way IN ARRAY ARRAY['ts, row_no', 'ts DESC, row_no DESC', 'md5(e::text)']
		LOOP
			BEGIN
				EXECUTE format('INSERT INTO answers SELECT %L, grp::text, %s FROM (SELECT * FROM events e WHERE dataset_id = %L AND (%s) ORDER BY %s) e GROUP BY grp',
					c.case_id, call, c.dataset_id, coalesce(c.row_filter, 'true'), way);
			EXCEPTION WHEN invalid_parameter_value THEN
				INSERT INTO answers VALUES (c.case_id, '*', 'error');
			END;
		END LOOP;
	END LOOP;
END
\$\$;

-- A case for the whole table expects the sum over all groups.
INSERT INTO answers
SELECT case_id, '*', 'sum ' || json_agg(total ORDER BY place)::text
FROM (SELECT case_id, place, sum(element::int) / 3 AS total
	FROM answers JOIN expected x USING (case_id) CROSS JOIN LATERAL jsonb_array_elements_text(answer::jsonb) WITH ORDINALITY e (element, place)
	WHERE x.grp = '*' AND x.expected LIKE 'sum %' GROUP BY 1, 2) s
GROUP BY case_id;

CREATE TABLE verdicts AS
SELECT function, x.case_id, x.grp, x.expected, count(a.answer) > 0
		AND bool_and(replace(a.answer, ' ', '') = replace(x.expected, ' ', '')) AS good, array_agg(DISTINCT a.answer) AS answers,
	c.basis
FROM expected x JOIN cases c USING (case_id) LEFT JOIN answers a ON a.case_id = x.case_id AND a.grp = x.grp
WHERE pg_temp.call_of(c) IS NOT NULL
GROUP BY function, x.case_id, x.grp, x.expected, c.basis;

SELECT format('# %s %s group %s: expected %s, answered %s', function, case_id, grp, expected, answers)
FROM verdicts WHERE NOT good ORDER BY 1 LIMIT 40;
SELECT format('%s - %s: %s of %s values of %s cases', CASE WHEN bool_and(good) THEN 'ok' ELSE 'not ok' END, function,
	count(*) FILTER (WHERE good), count(*), count(DISTINCT case_id))
FROM verdicts GROUP BY function ORDER BY function;
SELECT format('%s - every case is asked', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'not ok' END) FROM cases c WHERE pg_temp.call_of(c) IS NULL;

-- Sessions: the gap differs between cases, so each is a query of its own.
CREATE TABLE session_cases (case_id text, user_id bigint, gap_seconds bigint, ts timestamptz, session_no bigint);
\copy session_cases FROM '$folder/session_cases.csv' CSV HEADER
CREATE FUNCTION pg_temp.sessions_of(which text, seconds bigint) RETURNS SETOF boolean LANGUAGE SQL AS
\$\$
	SELECT sessionize(make_interval(secs => seconds), ts) OVER (PARTITION BY user_id ORDER BY ts) = session_no
	FROM session_cases WHERE case_id = which
\$\$;
SELECT format('%s - sessions: %s of %s rows', CASE WHEN bool_and(good) AND count(*) > 0 THEN 'ok' ELSE 'not ok' END,
	count(*) FILTER (WHERE good), (SELECT count(*) FROM session_cases))
FROM (SELECT DISTINCT case_id, gap_seconds FROM session_cases) c, pg_temp.sessions_of(case_id, gap_seconds) AS good;
EOF
