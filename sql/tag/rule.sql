-- How rules are understood, and what they must not hold.
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA regress_rule;
CREATE SCHEMA regress_rule_other;
SET search_path = regress_rule, crm, public;
CREATE FUNCTION regress_rule_other.triple(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 3';
CREATE FUNCTION regress_rule_other.volat(int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN $1; END';
CREATE FUNCTION regress_rule_other.eq3(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 3 = $2 % 3';
CREATE FUNCTION regress_rule_other.eqv(int, int) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT $1 % 3 = $2 % 3';
CREATE OPERATOR regress_rule_other.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = regress_rule_other.eq3);
CREATE OPERATOR regress_rule_other.?=? (LEFTARG = int, RIGHTARG = int, FUNCTION = regress_rule_other.eqv);
CREATE TYPE regress_rule_other.mood AS ENUM ('glad', 'sad');
CREATE DOMAIN regress_rule_other.years AS int;
CREATE SEQUENCE regress_rule_sequence;
CREATE TABLE customer_row (id bigint PRIMARY KEY, age int, gender char(1), city varchar(40), "Name" text, "城市" text, spent numeric(12, 2),
	score float8, signup date, last_at timestamptz, seen timestamp, opt_in boolean, as_of date, arr int[], mood regress_rule_other.mood,
	iv interval, small smallint, j jsonb, bin bytea, years regress_rule_other.years, gone int);
ALTER TABLE customer_row DROP COLUMN gone;

-- The stored text: fully qualified, $1 for as_of.
CREATE TABLE good (n int GENERATED ALWAYS AS IDENTITY, rule text);
INSERT INTO good (rule) VALUES
	($rule$age >= 18$rule$),
	($rule$AGE >= 18 and gender = 'F'$rule$),
	($rule$age between 18 and 30$rule$),
	($rule$age between symmetric 5 and 3$rule$),
	($rule$city in ('a', 'b', null)$rule$),
	($rule$city not in ('a')$rule$),
	($rule$"Name" like 'A%'$rule$),
	($rule$城市 = '北京'$rule$),
	($rule$spent > 10.5::numeric(3,1)$rule$),
	($rule$last_at > as_of - interval '90 days'$rule$),
	($rule$customer.as_of is null$rule$),
	($rule$signup >= (as_of::date - 30)$rule$),
	($rule$customer is null$rule$),
	($rule$customer.age = 3$rule$),
	($rule$(customer).age = 3$rule$),
	($rule$regress_rule_other.triple(age) > 3$rule$),
	($rule$age operator(regress_rule_other.===) 3$rule$),
	($rule$case when age < 18 then 'young' when age > 60 then 'old' end$rule$),
	($rule$case city when 'a' then 'x' else 'y' end$rule$),
	($rule$city$rule$),
	($rule$gender$rule$),
	($rule$'abc'$rule$),
	($rule$null$rule$),
	($rule$age$rule$),
	($rule$score$rule$),
	($rule$"Name" collate "C" < 'b'$rule$),
	($rule$age = any(arr)$rule$),
	($rule$arr @> array[1,2]$rule$),
	($rule$mood = 'glad'$rule$),
	($rule$mood::text$rule$),
	($rule$iv > '1 day'$rule$),
	($rule$row(age, small) < row(1,2)$rule$),
	($rule$coalesce(age, 0) > 3$rule$),
	($rule$opt_in is not true$rule$),
	($rule$age is distinct from 3$rule$),
	($rule$customer::text$rule$),
	($rule$j->>'a' = 'b'$rule$),
	($rule$extract(year from age(as_of, signup)) > 3$rule$),
	($rule$greatest(age, small, 3) = 3$rule$),
	($rule$age <> all (array[1,2])$rule$),
	($rule$signup = date '2024-01-02'$rule$),
	($rule$last_at > timestamptz '2024-01-02 03:04:05+08'$rule$),
	($rule$nullif(age, 3) is null$rule$),
	($rule$"Name" ~* 'x'$rule$),
	($rule$'infinity'::float8 > score$rule$),
	($rule$(-age) = -5$rule$),
	($rule$id = 9223372036854775807$rule$),
	($rule$arr[1] = 3$rule$),
	($rule$last_at at time zone 'Asia/Shanghai' > '2024-01-01'$rule$),
	($rule$not (age > 3 or not opt_in)$rule$),
	($rule$bin = '\x00ff'$rule$),
	($rule$"Name" = 'a\b''c'$rule$),
	($rule$0.1::float8 = score$rule$),
	($rule$years > 18$rule$),
	($rule$not years > 18 /* a comment */ -- and another$rule$);
SELECT n, rule_qualify('customer_row', rule) FROM good ORDER BY n;

-- Read again with nothing on the search_path, and under other settings, it is the same.
CREATE TABLE stored AS SELECT n, replace(rule_qualify('customer_row', rule), '$1', 'as_of') AS rule FROM good;
CREATE FUNCTION read_again() RETURNS TABLE (n int, before text, after text)
	LANGUAGE sql SET search_path = pg_catalog SET DateStyle = 'SQL, DMY' SET IntervalStyle = sql_standard SET extra_float_digits = -3
	SET bytea_output = escape SET quote_all_identifiers = on
BEGIN ATOMIC
	SELECT n, rule, replace(crm.rule_qualify('regress_rule.customer_row', rule), '$1', 'as_of') FROM regress_rule.stored;
END;
SELECT count(*), count(*) FILTER (WHERE before = after) AS same FROM read_again();
SELECT n, before, after FROM read_again() WHERE before <> after ORDER BY n;

-- Literals mean what they mean where they are written.
SET DateStyle = 'SQL, DMY';
SELECT rule_qualify('customer_row', $$signup > '02/01/2024'$$);
RESET DateStyle;

-- The author's search_path decides, nobody else's.
SET search_path = regress_rule_other, regress_rule, crm;
SELECT rule_qualify('customer_row', 'triple(age) === 3');
SET search_path = regress_rule, crm, public;

-- Relations of any kind that have rows of customers.
CREATE VIEW customer_view AS SELECT id, age AS "Age" FROM customer_row;
SELECT rule_qualify('customer_view', '"Age" > 3');
SELECT rule_qualify('customer_view', 'age > 3');
SELECT rule_qualify('regress_rule_sequence', 'last_value > 3');

-- Refusals: position and remedy.
SELECT rule_qualify('customer_row', $rule$age >$rule$);
SELECT rule_qualify('customer_row', $rule$age > 3; select 1$rule$);
SELECT rule_qualify('customer_row', $rule$age > 3;$rule$);
SELECT rule_qualify('customer_row', $rule$select age$rule$);
SELECT rule_qualify('customer_row', $rule$age > 3 union select 1$rule$);
SELECT rule_qualify('customer_row', $rule$age into x$rule$);
SELECT rule_qualify('customer_row', $rule$age > 3 from t$rule$);
SELECT rule_qualify('customer_row', $rule$age where age > 3$rule$);
SELECT rule_qualify('customer_row', $rule$age group by age$rule$);
SELECT rule_qualify('customer_row', $rule$age having true$rule$);
SELECT rule_qualify('customer_row', $rule$age order by 1$rule$);
SELECT rule_qualify('customer_row', $rule$age limit 1$rule$);
SELECT rule_qualify('customer_row', $rule$distinct age$rule$);
SELECT rule_qualify('customer_row', $rule$age > 3 for update$rule$);
SELECT rule_qualify('customer_row', $rule$age, city$rule$);
SELECT rule_qualify('customer_row', $rule$age as x$rule$);
SELECT rule_qualify('customer_row', $rule$*$rule$);
SELECT rule_qualify('customer_row', $rule$customer.*$rule$);
SELECT rule_qualify('customer_row', $rule$$rule$);
SELECT rule_qualify('customer_row', $rule$$rule$);
SELECT rule_qualify('customer_row', $rule$   $rule$);
SELECT rule_qualify('customer_row', $rule$-- nothing but a comment$rule$);
SELECT rule_qualify('customer_row', $rule$age > 3)$rule$);
SELECT rule_qualify('customer_row', $rule$(age > 3$rule$);
SELECT rule_qualify('customer_row', $rule$'abc$rule$);
SELECT rule_qualify('customer_row', $rule$/* abc$rule$);
SELECT rule_qualify('customer_row', $rule$sum(age) > 3$rule$);
SELECT rule_qualify('customer_row', $rule$count(*) > 1$rule$);
SELECT rule_qualify('customer_row', $rule$sum(age) over () > 3$rule$);
SELECT rule_qualify('customer_row', $rule$exists (select 1)$rule$);
SELECT rule_qualify('customer_row', $rule$age in (select no_such from nowhere)$rule$);
SELECT rule_qualify('customer_row', $rule$generate_series(1, age) = 3$rule$);
SELECT rule_qualify('customer_row', $rule$random() < 0.5$rule$);
SELECT rule_qualify('customer_row', $rule$regress_rule_other.volat(age) = 3$rule$);
SELECT rule_qualify('customer_row', $rule$age operator(regress_rule_other.?=?) 3$rule$);
SELECT rule_qualify('customer_row', $rule$now() > last_at$rule$);
SELECT rule_qualify('customer_row', $rule$current_date - signup > 30$rule$);
SELECT rule_qualify('customer_row', $rule$last_at > current_timestamp$rule$);
SELECT rule_qualify('customer_row', $rule$last_at > localtimestamp$rule$);
SELECT rule_qualify('customer_row', $rule$transaction_timestamp() > last_at$rule$);
SELECT rule_qualify('customer_row', $rule$clock_timestamp() > last_at$rule$);
SELECT rule_qualify('customer_row', $rule$age(signup) > interval '1 year'$rule$);
SELECT rule_qualify('customer_row', $rule$signup = 'today'$rule$);
SELECT rule_qualify('customer_row', $rule$signup > date 'NOW'$rule$);
SELECT rule_qualify('customer_row', $rule$seen > 'tomorrow 12:00'$rule$);
SELECT rule_qualify('customer_row', $rule$signup = any ('{2024-01-01,yesterday}')$rule$);
SELECT rule_qualify('customer_row', $rule$'now'::text::date = signup$rule$);
SELECT rule_qualify('customer_row', $rule$agee > 3$rule$);
SELECT rule_qualify('customer_row', $rule$customer.aeg > 3$rule$);
SELECT rule_qualify('customer_row', $rule$zzzz > 3$rule$);
SELECT rule_qualify('customer_row', $rule$t.age > 3$rule$);
SELECT rule_qualify('customer_row', $rule$"Name" = Paris$rule$);
SELECT rule_qualify('customer_row', $rule$age > 3 and$rule$);
SELECT rule_qualify('customer_row', $rule$age is$rule$);
SELECT rule_qualify('customer_row', $rule$name = 'x'$rule$);
SELECT rule_qualify('customer_row', $rule$城是 = 'a'$rule$);
SELECT rule_qualify('customer_row', $rule$signup$rule$);
SELECT rule_qualify('customer_row', $rule$iv$rule$);
SELECT rule_qualify('customer_row', $rule$customer$rule$);
SELECT rule_qualify('customer_row', $rule$arr$rule$);
SELECT rule_qualify('customer_row', $rule$mood$rule$);
SELECT rule_qualify('customer_row', $rule$j$rule$);
SELECT rule_qualify('customer_row', $rule$age > $1$rule$);
SELECT rule_qualify('customer_row', $rule$ctid = '(0,1)'$rule$);
SELECT rule_qualify('customer_row', $rule$age > 'x'$rule$);
SELECT rule_qualify('customer_row', $rule$foo(age)$rule$);
SELECT rule_qualify('customer_row', $rule$age + city > 2$rule$);
SELECT rule_qualify('customer_row', $rule$nextval('regress_rule_sequence') > 1$rule$);

-- Defaults of a function's arguments are part of the rule.
CREATE FUNCTION regress_rule_other.late(since date, at timestamptz DEFAULT now()) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT since < at::date - 30';
CREATE FUNCTION regress_rule_other.lucky(n int, share float8 DEFAULT random()) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT share < 0.5';
CREATE FUNCTION regress_rule_other.above(n int, other int DEFAULT 5) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT n > other';
SELECT rule_qualify('customer_row', 'opt_in and regress_rule_other.late(signup)');
SELECT rule_qualify('customer_row', 'regress_rule_other.late(signup, as_of)');
SELECT rule_qualify('customer_row', 'regress_rule_other.late(at => as_of, since => signup)');
SELECT rule_qualify('customer_row', 'regress_rule_other.lucky(age)');
SELECT rule_qualify('customer_row', 'regress_rule_other.above(age)');

-- Long and deep ones end in an error, not in a crash.
\set VERBOSITY terse
SELECT rule_qualify('customer_row', 'age > 3' || repeat(' ', 102400));
SELECT length(rule_qualify('customer_row', 'age in (1' || repeat(', 1', 20000) || ')')) > 20000 AS long_list;
\set VERBOSITY sqlstate
SELECT rule_qualify('customer_row', repeat('(', 50000) || 'age > 3' || repeat(')', 50000));
SELECT rule_qualify('customer_row', repeat('not ', 25000) || 'opt_in') IS NOT NULL;
\set VERBOSITY default
-- What asks its arguments twice does not take twice the time at every level.
SELECT rule_is_batched('customer_row', repeat('(', 60) || 'opt_in' || repeat(' is unknown)', 60));
SELECT rule_is_batched('customer_row', repeat('coalesce(', 60) || 'opt_in' || repeat(', opt_in)', 60));

-- Errors name columns, so the caller needs to see one.
CREATE ROLE regress_rule_stranger;
GRANT USAGE ON SCHEMA regress_rule, crm TO regress_rule_stranger;
SET ROLE regress_rule_stranger;
SELECT rule_qualify('customer_row', 'age > 3');
RESET ROLE;
GRANT SELECT (id) ON customer_row TO regress_rule_stranger;
SET ROLE regress_rule_stranger;
SELECT rule_qualify('customer_row', 'id > 3');
RESET ROLE;

-- Which rules run over batches.
SELECT n, rule FROM good WHERE rule_is_batched('customer_row', rule) ORDER BY n;
SELECT rule, rule_is_batched('customer_row', rule) FROM (VALUES
	($$age > 2.5$$), ($$age > 2.5::float8$$), ($$id > 2.5$$), ($$id::float8 > 2.5$$), ($$score > 1$$), ($$spent > 99.5$$), ($$spent = 1e-13$$),
	($$spent > 1e300$$), ($$spent = 'NaN'$$), ($$gender = 'F '$$), ($$city < 'b'$$), ($$city = 'a' or age < 3$$), ($$coalesce(spent, 0) > 10$$),
	($$age + 1 > 3$$), ($$age = small$$), ($$signup > as_of - interval '30 days'$$), ($$seen > as_of$$), ($$regress_rule_other.triple(7) < age$$),
	($$abs(-7) < age$$), ($$coalesce(city, 'none')$$), ($$coalesce("Name", city)$$), ($$upper(city)$$), ($$city collate "C" = 'a'$$), ($$age % 2 = 0$$),
	($$true$$), ($$case when age > 3 then city end$$), ($$age operator(regress_rule_other.===) 3$$)) v (rule);
-- Times without zone are not in the order of instants where clocks go forward.
SET TimeZone = 'America/New_York';
SELECT rule_is_batched('customer_row', $$seen > timestamptz '2024-03-10 12:00:00+00'$$) AS clocks_go_forward,
	rule_is_batched('customer_row', $$seen > timestamptz '2024-06-10 12:00:00+00'$$) AS summer;
RESET TimeZone;

RESET search_path;
DROP SCHEMA regress_rule, regress_rule_other CASCADE;
DROP OWNED BY regress_rule_stranger;
DROP ROLE regress_rule_stranger;
