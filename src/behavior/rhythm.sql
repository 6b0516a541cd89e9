-- rhythm: a customer's own pace, and what is overdue by it

CREATE FUNCTION @extschema@.rhythm(t @extschema@.timeline, event text DEFAULT NULL, as_of timestamptz DEFAULT now(), occasion interval DEFAULT '0',
	OUT occasions bigint, OUT last_at timestamptz, OUT median_gap interval, OUT spread interval, OUT expected_at timestamptz, OUT overdue_at timestamptz)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_rhythm';
COMMENT ON FUNCTION @extschema@.rhythm(@extschema@.timeline, text, timestamptz, interval) IS
	'a customer''s own rhythm: median gap between occasions before as_of, its spread, when the next is expected and from when it is overdue (购买节奏)';

CREATE FUNCTION @extschema@.overdue(t @extschema@.timeline, event text DEFAULT NULL, as_of timestamptz DEFAULT now(), occasion interval DEFAULT '0')
	RETURNS boolean
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_overdue';
COMMENT ON FUNCTION @extschema@.overdue(@extschema@.timeline, text, timestamptz, interval) IS
	'is the next occasion overdue by the customer''s own rhythm? NULL with fewer than four occasions (逾期未购)';
