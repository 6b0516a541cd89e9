#!/usr/bin/env bash
#
# trees_peer.sh - boosted trees against XGBoost: its own models, read as
# crm.model, must give its scores and its Shapley values; and models of our own
# must be as good on rows that neither has seen.
#
# Reads PG*; prints "ok" and "not ok" lines; 77 where there is no XGBoost (Debian's python3-xgboost).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=
for candidate in python3 /usr/bin/python3; do
	if "$candidate" -c 'import xgboost, numpy' 2>/dev/null; then
		python=$candidate
		break
	fi
done
if [ -z "$python" ]; then
	echo "no python3-xgboost"
	exit 77
fi

answers=$(mktemp)
trap 'rm -f "$answers"' EXIT
"$python" "$here/trees_peer.py" >"$answers"
psql -X -q -A -t -v ON_ERROR_STOP=1 <<EOF2 | awk '{ print } /^not ok/ { bad = 1 } END { exit bad }'
SET search_path = crm, public;
CREATE TABLE peer_row (id int, x float8[], logistic float8, squared float8, poisson float8);
CREATE TABLE peer_model (name text, m crm.model);
CREATE TABLE peer_answer (name text, id int, margin float8, score float8, parts float8[]);
\i $answers
ANALYZE peer_row, peer_model, peer_answer;
-- The peer adds in single precision.
CREATE FUNCTION pg_temp.ok(good boolean, what text) RETURNS text LANGUAGE sql AS \$\$ SELECT CASE WHEN good THEN 'ok - ' ELSE 'not ok - ' END || what \$\$;
SELECT pg_temp.ok(max(abs(predict(m, x) - score) / greatest(abs(score), 1)) < 1e-5, format('%s: scores of XGBoost''s model, %s rows', name, count(*)))
FROM peer_model JOIN peer_answer USING (name) JOIN peer_row USING (id) GROUP BY name ORDER BY name;
SELECT pg_temp.ok(max(abs(contribution - parts[feature + 1])) < 1e-4 AND max(abs(contribution)) > 0.3, format('%s: Shapley values of XGBoost''s model, %s of them', name, count(*)))
FROM peer_model JOIN peer_answer USING (name) JOIN peer_row USING (id), LATERAL explain(m, x) WHERE id % 3 = 0 GROUP BY name ORDER BY name;

CREATE TABLE own AS
SELECT 'logistic' AS name, boosted_trees_fit(logistic = 1, x, '{"trees": 40, "depth": 5, "learning_rate": 0.2}') AS m FROM peer_row WHERE id % 5 <> 0 UNION ALL
SELECT 'squared', boosted_trees_regression_fit(squared, x, '{"trees": 40, "depth": 5, "learning_rate": 0.2}') FROM peer_row WHERE id % 5 <> 0 UNION ALL
SELECT 'poisson', boosted_trees_regression_fit(poisson, x, '{"trees": 40, "depth": 5, "learning_rate": 0.2, "loss": "poisson"}') FROM peer_row WHERE id % 5 <> 0;
SELECT pg_temp.ok(ours < theirs * 1.05, format('%s: loss on unseen rows %s, XGBoost''s %s', name, round(ours::numeric, 4), round(theirs::numeric, 4)))
FROM (SELECT name, avg(loss) FILTER (WHERE own) AS ours, avg(loss) FILTER (WHERE NOT own) AS theirs
	FROM (SELECT name, own, CASE name WHEN 'logistic' THEN -ln(CASE WHEN logistic = 1 THEN p ELSE 1 - p END) WHEN 'squared' THEN (p - squared) ^ 2
				ELSE 2 * (CASE WHEN poisson > 0 THEN poisson * ln(poisson / p) ELSE 0 END - poisson + p) END AS loss
		FROM (SELECT name, id, true AS own, predict(m, x) AS p FROM own, peer_row UNION ALL SELECT name, id, false, score FROM peer_answer) AS s JOIN peer_row USING (id)
		WHERE id % 5 = 0) AS l GROUP BY name) AS r ORDER BY name;
EOF2
