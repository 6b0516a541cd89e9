-- Populations, their keys, and rights on them.

CREATE FUNCTION @extschema@.create_population(name text, source regclass, key name, scope name DEFAULT NULL,
	description text DEFAULT NULL, events regclass DEFAULT NULL, event_key name DEFAULT NULL,
	event_time name DEFAULT NULL, event_name name DEFAULT NULL, event_value name DEFAULT NULL,
	event_attributes name[] DEFAULT NULL, valid_from name DEFAULT NULL, valid_to name DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_create_population' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.create_population(text, regclass, name, name, text, regclass, name, name, name, name, name[], name, name) IS
	'registers a population (客户群体): the relation with one row per customer, its key column (integer, uuid or text), optionally its scope column, its events, and the history columns valid_from and valid_to of a source that has rows of other times, too (valid from the one, included, to the other, not; NULL is open): then the row valid at the moment asked about counts. The caller becomes its owner. Errors: 42710 name taken, 42703 unknown column, 42804 key of another type, 42501 no SELECT';

CREATE FUNCTION @extschema@.drop_population(name text) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_drop_population' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.drop_population(text) IS
	'drops a population with its tags, sets and key dictionary; the source stays untouched. Owner only';

CREATE FUNCTION @extschema@.grant_population(population text, grantee name, privilege text DEFAULT 'read', scopes text[] DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_grant_population' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.grant_population(text, name, text, text[]) IS
	'lets a role (or public) read whole sets of a population (''read'', of all scopes or of those named) or define tags in it (''define''). Owner only';

CREATE FUNCTION @extschema@.revoke_population(population text, grantee name, privilege text DEFAULT 'read', scopes text[] DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_revoke_population' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.revoke_population(text, name, text, text[]) IS
	'takes a grant on a population back: without scopes every grant of that privilege. Owner only';

CREATE FUNCTION @extschema@.can_see_population(population_id int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_can_see_population' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.can_see_population(int) IS
	'may the current user know of this population: owner, grantee, or SELECT on the key column of its source';

CREATE FUNCTION @extschema@.customer_id(key text, population text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_customer_id' LANGUAGE C STABLE PARALLEL RESTRICTED COST 250;
COMMENT ON FUNCTION @extschema@.customer_id(text, text) IS
	'the id that stands for a customer''s key in audiences. An integer key that is not negative is its own id. NULL for NULL, for a key that no refresh has met, and where the caller may neither see the customer''s row nor read whole sets of all scopes';
CREATE FUNCTION @extschema@.customer_id(key bigint, population text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_customer_id' LANGUAGE C STABLE PARALLEL RESTRICTED COST 250;
COMMENT ON FUNCTION @extschema@.customer_id(bigint, text) IS
	'the id that stands for a customer''s key in audiences. An integer key that is not negative is its own id. NULL for NULL, for a key that no refresh has met, and where the caller may neither see the customer''s row nor read whole sets of all scopes';
CREATE FUNCTION @extschema@.customer_id(key uuid, population text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_customer_id' LANGUAGE C STABLE PARALLEL RESTRICTED COST 250;
COMMENT ON FUNCTION @extschema@.customer_id(uuid, text) IS
	'the id that stands for a customer''s key in audiences. An integer key that is not negative is its own id. NULL for NULL, for a key that no refresh has met, and where the caller may neither see the customer''s row nor read whole sets of all scopes';

CREATE FUNCTION @extschema@.customer_key(id bigint, population text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'crm_customer_key' LANGUAGE C STABLE PARALLEL RESTRICTED COST 250;
COMMENT ON FUNCTION @extschema@.customer_key(bigint, text) IS
	'the key of a customer''s id, as text; NULL when unknown or when the caller may not see the customer''s row';

CREATE FUNCTION @extschema@.member_keys(a @extschema@.audience, population text DEFAULT NULL) RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'crm_member_keys' LANGUAGE C STABLE PARALLEL SAFE COST 250 ROWS 10000;
COMMENT ON FUNCTION @extschema@.member_keys(@extschema@.audience, text) IS
	'the keys of an audience''s members, by ascending id; an audience of a tag knows its population. Needs the right to read whole sets';

CREATE FUNCTION @extschema@.population_keys(population text DEFAULT NULL, OUT id bigint, OUT key text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'crm_population_keys' LANGUAGE C STABLE PARALLEL SAFE COST 5000 ROWS 100000;
COMMENT ON FUNCTION @extschema@.population_keys(text) IS
	'the dictionary of a population''s keys that are not their own ids: to be joined with. Needs the right to define tags or to read whole sets of all scopes';
