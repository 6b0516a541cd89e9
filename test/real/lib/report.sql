-- Prints what was noted; an error at the end when something did not hold.
SELECT CASE WHEN holds THEN 'ok - ' ELSE 'not ok - ' END || name FROM tally ORDER BY no;
DO $$
BEGIN
	IF EXISTS (SELECT FROM tally WHERE NOT holds) OR NOT EXISTS (SELECT FROM tally) THEN
		RAISE EXCEPTION '% of % do not hold', (SELECT count(*) FROM tally WHERE NOT holds), (SELECT count(*) FROM tally);
	END IF;
END
$$;
