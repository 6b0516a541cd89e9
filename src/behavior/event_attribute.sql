-- One attribute of an event as an object, for timeline_agg: depends on no setting, so that other servers may run it.

CREATE FUNCTION @extschema@.event_attribute(name text, value text) RETURNS jsonb
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_event_attribute_text';
COMMENT ON FUNCTION @extschema@.event_attribute(text, text) IS
	'one attribute of an event as a JSON object, {} for NULL; || joins several; unlike jsonb_build_object it may be sent to another server (事件属性)';

CREATE FUNCTION @extschema@.event_attribute(name text, value numeric) RETURNS jsonb
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_event_attribute_number';
COMMENT ON FUNCTION @extschema@.event_attribute(text, numeric) IS
	'one attribute of an event as a JSON object, {} for NULL; || joins several; unlike jsonb_build_object it may be sent to another server (事件属性)';

CREATE FUNCTION @extschema@.event_attribute(name text, value float8) RETURNS jsonb
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_event_attribute_float';
COMMENT ON FUNCTION @extschema@.event_attribute(text, float8) IS
	'one attribute of an event as a JSON object, {} for NULL; || joins several; unlike jsonb_build_object it may be sent to another server (事件属性)';

CREATE FUNCTION @extschema@.event_attribute(name text, value boolean) RETURNS jsonb
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_event_attribute_boolean';
COMMENT ON FUNCTION @extschema@.event_attribute(text, boolean) IS
	'one attribute of an event as a JSON object, {} for NULL; || joins several; unlike jsonb_build_object it may be sent to another server (事件属性)';
