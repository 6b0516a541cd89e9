-- The first test: everything after it finds the extension in schema crm, and crm on the search_path.
SET client_min_messages = warning;
CREATE SCHEMA crm;
CREATE EXTENSION crm_analytics SCHEMA crm;
DO $$
BEGIN
	EXECUTE pg_catalog.format('ALTER DATABASE %I SET search_path = crm, public', pg_catalog.current_database());
END
$$;
