
-- sequence_next_node: what comes next after a chain of neighbouring events

CREATE FUNCTION @extschema@.sequence_next_node_transfn(state @extschema@.agg_state, direction text, base text, ts timestamptz,
	value text, base_condition boolean, VARIADIC steps boolean[])
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_sequence_next_node_transfn';
COMMENT ON FUNCTION @extschema@.sequence_next_node_transfn(@extschema@.agg_state, text, text, timestamptz, text, boolean, boolean[]) IS
	'transition of sequence_next_node';

CREATE FUNCTION @extschema@.sequence_next_node_transfn(state @extschema@.agg_state, direction text, base text, ts timestamptz,
	value text, base_condition boolean)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_sequence_next_node_transfn';
COMMENT ON FUNCTION @extschema@.sequence_next_node_transfn(@extschema@.agg_state, text, text, timestamptz, text, boolean) IS
	'transition of sequence_next_node without steps';

CREATE FUNCTION @extschema@.sequence_next_node_combinefn(a @extschema@.agg_state, b @extschema@.agg_state)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_sequence_next_node_combinefn';
COMMENT ON FUNCTION @extschema@.sequence_next_node_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of sequence_next_node';

CREATE FUNCTION @extschema@.sequence_next_node_finalfn(state @extschema@.agg_state) RETURNS text
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_sequence_next_node_finalfn';
COMMENT ON FUNCTION @extschema@.sequence_next_node_finalfn(@extschema@.agg_state) IS 'result of sequence_next_node';

CREATE AGGREGATE @extschema@.sequence_next_node(direction text, base text, ts timestamptz, value text, base_condition boolean,
	VARIADIC steps boolean[]) (
	SFUNC = @extschema@.sequence_next_node_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 512,
	FINALFUNC = @extschema@.sequence_next_node_finalfn,
	COMBINEFUNC = @extschema@.sequence_next_node_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.sequence_next_node(text, text, timestamptz, text, boolean, boolean[]) IS
	'value of the event next to a chain of neighbouring events that meets the steps one by one (后续节点)';

CREATE AGGREGATE @extschema@.sequence_next_node(direction text, base text, ts timestamptz, value text, base_condition boolean) (
	SFUNC = @extschema@.sequence_next_node_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 512,
	FINALFUNC = @extschema@.sequence_next_node_finalfn,
	COMBINEFUNC = @extschema@.sequence_next_node_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.sequence_next_node(text, text, timestamptz, text, boolean) IS
	'the same without steps: value of the base event itself (后续节点)';
