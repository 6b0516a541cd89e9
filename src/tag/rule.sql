-- What may be asked about a rule before it becomes a tag's.

CREATE FUNCTION @extschema@.rule_qualify(source regclass, rule text) RETURNS text
	AS 'MODULE_PATHNAME', 'crm_rule_qualify'
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 250;
COMMENT ON FUNCTION @extschema@.rule_qualify(regclass, text) IS
	'how a rule (标签规则) over the rows of a relation is understood: the text under which it would be stored, $1 being as_of';

CREATE FUNCTION @extschema@.rule_is_batched(source regclass, rule text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_rule_is_batched'
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 250;
COMMENT ON FUNCTION @extschema@.rule_is_batched(regclass, text) IS
	'does this rule (标签规则) run over batches of column values, not through the executor';

CREATE FUNCTION @extschema@.rule_number(number numeric) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_rule_number'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.rule_number(numeric) IS
	'a number as a numeric tag (数值标签) keeps it, without zeros at the end; 22003 for one that it cannot keep: not finite, more than 38 digits';
