-- Foreign keys of the catalogue, and restoring with several jobs.
--
-- Rows of an extension's tables are restored into tables that have their foreign keys
-- already, and a dump does not tell pg_restore which of them are to come first: with
-- several jobs, some come before those that they refer to.  So the keys' own checks of
-- new rows are off, and ours are in their place: as strict where functions of the
-- extension write, and silent for others, who can but restore.  What the keys do when
-- a row that is referred to goes, they still do.

CREATE FUNCTION @extschema@.reference_check() RETURNS trigger
	AS 'MODULE_PATHNAME', 'crm_reference_check' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.reference_check() IS
	'trigger of the catalogue''s tables: checks a row by the foreign key that its argument names where a function of the extension wrote it, and not where it is restored, maybe before what it refers to (引用检查)';

DO $$
DECLARE
	reference record;
	check_trigger name;
BEGIN
	FOR reference IN
		SELECT k.oid, k.conname, k.conrelid::pg_catalog.regclass AS relation, k.confrelid::pg_catalog.regclass AS referred,
			(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ') FROM pg_catalog.pg_attribute a
				WHERE a.attrelid OPERATOR(pg_catalog.=) k.conrelid AND a.attnum OPERATOR(pg_catalog.=) ANY (k.conkey)) AS columns
		FROM pg_catalog.pg_constraint k
		JOIN pg_catalog.pg_depend d ON d.objid OPERATOR(pg_catalog.=) k.conrelid
		JOIN pg_catalog.pg_extension e ON d.refobjid OPERATOR(pg_catalog.=) e.oid
		WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
			AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
			AND d.deptype OPERATOR(pg_catalog.=) 'e' AND e.extname OPERATOR(pg_catalog.=) 'crm_analytics'
			AND k.contype OPERATOR(pg_catalog.=) 'f'
	LOOP
		FOR check_trigger IN
			SELECT t.tgname FROM pg_catalog.pg_trigger t
			WHERE t.tgconstraint OPERATOR(pg_catalog.=) reference.oid AND t.tgrelid OPERATOR(pg_catalog.=) reference.relation
				AND t.tgfoid::pg_catalog.regproc::pg_catalog.text OPERATOR(pg_catalog.=) ANY (ARRAY['"RI_FKey_check_ins"', '"RI_FKey_check_upd"'])
		LOOP
			EXECUTE pg_catalog.format('ALTER TABLE %s DISABLE TRIGGER %I', reference.relation, check_trigger);
		END LOOP;
		EXECUTE pg_catalog.format('CREATE CONSTRAINT TRIGGER %I AFTER INSERT OR UPDATE OF %s ON %s FROM %s FOR EACH ROW EXECUTE FUNCTION @extschema@.reference_check(%L)',
			pg_catalog.concat('check_', reference.conname), reference.columns, reference.relation, reference.referred, reference.conname);
	END LOOP;
END $$;
