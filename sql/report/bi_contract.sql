-- The views of BI tools as schema browsers see them: names and types are a contract.  Columns may be added, none may change or go.
SELECT table_name, column_name, CASE data_type WHEN 'timestamp with time zone' THEN 'timestamptz' WHEN 'double precision' THEN 'float8' ELSE data_type END AS type
FROM information_schema.columns WHERE table_schema = 'crm' AND table_name LIKE 'bi\_%' ORDER BY table_name COLLATE "C", ordinal_position;
-- Built-in types that every driver knows
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'crm' AND table_name LIKE 'bi\_%'
	AND data_type NOT IN ('bigint', 'numeric', 'double precision', 'text', 'date', 'timestamp with time zone', 'boolean', 'jsonb');
-- Each says what it is, in both languages, and so does each column; each says how fresh it is
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relname LIKE 'bi\_%' AND coalesce(obj_description(c.oid, 'pg_class'), '') !~ '[一-龥]';
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'crm'::regnamespace AND c.relname LIKE 'bi\_%' AND col_description(c.oid, a.attnum) IS NULL;
SELECT table_name FROM information_schema.tables t WHERE table_schema = 'crm' AND table_name LIKE 'bi\_%'
	AND (SELECT count(*) FROM information_schema.columns c WHERE c.table_schema = 'crm' AND c.table_name = t.table_name AND column_name IN ('as_of', 'refreshed_at', 'population')) < 3;
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relname LIKE 'bi\_%' AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false);
