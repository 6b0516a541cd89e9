-- The catalogue belongs to whoever installs the extension.
--
-- The extension is trusted: a database's owner installs it without being a
-- superuser, while the script runs as one.  Owning the tables he can dump and
-- restore them, and the library reads and writes them with his rights, not with
-- a superuser's.

DO $$
DECLARE
	member regclass;
BEGIN
	FOR member IN
		SELECT c.oid FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension e ON d.refobjid OPERATOR(pg_catalog.=) e.oid
		JOIN pg_catalog.pg_class c ON d.objid OPERATOR(pg_catalog.=) c.oid
		WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
			AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
			AND d.deptype OPERATOR(pg_catalog.=) 'e' AND e.extname OPERATOR(pg_catalog.=) 'crm_analytics'
			AND c.relkind OPERATOR(pg_catalog.=) 'r'
	LOOP
		EXECUTE pg_catalog.format('ALTER TABLE %s OWNER TO %s', member, $owner$@extowner@$owner$);
	END LOOP;
END $$;
