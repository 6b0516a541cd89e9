-- Models of repeat purchases and of what a purchase is worth

CREATE FUNCTION @extschema@.counts_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_counts_combinefn';
COMMENT ON FUNCTION @extschema@.counts_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states that count rows: purchase models, kaplan_meier, log_rank';

CREATE FUNCTION @extschema@.purchases_transfn(state @extschema@.agg_state, frequency float8, recency float8, age float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_purchases_transfn';
COMMENT ON FUNCTION @extschema@.purchases_transfn(@extschema@.agg_state, float8, float8, float8) IS
	'transition of bg_nbd_fit, mbg_nbd_fit and pareto_nbd_fit';

CREATE FUNCTION @extschema@.bg_nbd_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_bg_nbd_finalfn';
COMMENT ON FUNCTION @extschema@.bg_nbd_finalfn(@extschema@.agg_state) IS
	'result of bg_nbd_fit';

CREATE AGGREGATE @extschema@.bg_nbd_fit(frequency float8, recency float8, age float8) (
	SFUNC = @extschema@.purchases_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.bg_nbd_finalfn,
	COMBINEFUNC = @extschema@.counts_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.bg_nbd_fit(float8, float8, float8) IS
	'model of how often customers buy and when they are lost (购买频次与流失模型): BG/NBD (Fader, Hardie and Lee 2005). Frequency: purchases after the first (a whole number), recency: time from the first to the last (0 where there is one only), age: time from the first to the end of the observation; one unit of time throughout. Rows with a NULL are ignored; no rows: NULL. Nobody bought again: 22023. Memory: different customers, at most half a million';

CREATE FUNCTION @extschema@.mbg_nbd_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_mbg_nbd_finalfn';
COMMENT ON FUNCTION @extschema@.mbg_nbd_finalfn(@extschema@.agg_state) IS
	'result of mbg_nbd_fit';

CREATE AGGREGATE @extschema@.mbg_nbd_fit(frequency float8, recency float8, age float8) (
	SFUNC = @extschema@.purchases_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.mbg_nbd_finalfn,
	COMBINEFUNC = @extschema@.counts_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.mbg_nbd_fit(float8, float8, float8) IS
	'model of how often customers buy and when they are lost (购买频次与流失模型): MBG/NBD, who may be lost right after the first purchase (Batislam, Denizel and Filiztekin 2007). Frequency: purchases after the first (a whole number), recency: time from the first to the last (0 where there is one only), age: time from the first to the end of the observation; one unit of time throughout. Rows with a NULL are ignored; no rows: NULL. Nobody bought again: 22023. Memory: different customers, at most half a million';

CREATE FUNCTION @extschema@.pareto_nbd_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_pareto_nbd_finalfn';
COMMENT ON FUNCTION @extschema@.pareto_nbd_finalfn(@extschema@.agg_state) IS
	'result of pareto_nbd_fit';

CREATE AGGREGATE @extschema@.pareto_nbd_fit(frequency float8, recency float8, age float8) (
	SFUNC = @extschema@.purchases_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.pareto_nbd_finalfn,
	COMBINEFUNC = @extschema@.counts_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.pareto_nbd_fit(float8, float8, float8) IS
	'model of how often customers buy and when they are lost (购买频次与流失模型): Pareto/NBD (Schmittlein, Morrison and Colombo 1987). Frequency: purchases after the first (a whole number), recency: time from the first to the last (0 where there is one only), age: time from the first to the end of the observation; one unit of time throughout. Rows with a NULL are ignored; no rows: NULL. Nobody bought again: 22023. Memory: different customers, at most half a million';

CREATE FUNCTION @extschema@.gamma_gamma_transfn(state @extschema@.agg_state, frequency float8, mean_value float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_gamma_gamma_transfn';
COMMENT ON FUNCTION @extschema@.gamma_gamma_transfn(@extschema@.agg_state, float8, float8) IS
	'transition of gamma_gamma_fit';

CREATE FUNCTION @extschema@.gamma_gamma_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_gamma_gamma_finalfn';
COMMENT ON FUNCTION @extschema@.gamma_gamma_finalfn(@extschema@.agg_state) IS
	'result of gamma_gamma_fit';

CREATE AGGREGATE @extschema@.gamma_gamma_fit(frequency float8, mean_value float8) (
	SFUNC = @extschema@.gamma_gamma_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.gamma_gamma_finalfn,
	COMBINEFUNC = @extschema@.counts_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gamma_gamma_fit(float8, float8) IS
	'model of what a customer''s purchases are worth (客单价模型): Gamma-Gamma (Fader and Hardie 2013), of the number of purchases and their mean value, which should not hang together. Customers with frequency 0 or a NULL are ignored; no rows: NULL. A mean that is not above 0: 22023';

CREATE FUNCTION @extschema@.p_alive(m @extschema@.model, frequency float8, recency float8, age float8) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_p_alive';
COMMENT ON FUNCTION @extschema@.p_alive(@extschema@.model, float8, float8, float8) IS
	'probability that a customer is still one (存活概率), by a model of repeat purchases. Times in the unit of the training. NULL for a NULL; contradicting numbers: 22023';

CREATE FUNCTION @extschema@.expected_purchases(m @extschema@.model, horizon float8, frequency float8, recency float8, age float8) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250
	AS 'MODULE_PATHNAME', 'crm_expected_purchases';
COMMENT ON FUNCTION @extschema@.expected_purchases(@extschema@.model, float8, float8, float8, float8) IS
	'purchases to be expected of a customer in the next horizon (预期购买次数), by a model of repeat purchases. Times in the unit of the training. NULL for a NULL; contradicting numbers: 22023';

CREATE FUNCTION @extschema@.expected_purchases_interval(m @extschema@.model, horizon float8, frequency float8, recency float8, age float8, confidence float8 DEFAULT 0.95, OUT expected float8, OUT lower float8, OUT upper float8)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_expected_purchases_interval';
COMMENT ON FUNCTION @extschema@.expected_purchases_interval(@extschema@.model, float8, float8, float8, float8, float8) IS
	'expected_purchases with bounds that hold the expectation with probability confidence, as far as the uncertainty of the parameters goes (delta method on its logarithm); a single customer''s purchases scatter more. Bounds are NULL where the model did not converge (预期购买次数的置信区间)';

CREATE FUNCTION @extschema@.lifetime_value(m @extschema@.model, value_of_purchase float8, periods int, discount float8, frequency float8, recency float8, age float8) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_lifetime_value';
COMMENT ON FUNCTION @extschema@.lifetime_value(@extschema@.model, float8, int, float8, float8, float8, float8) IS
	'present value of a customer''s next periods, each one unit of time long (客户终身价值): purchases expected in each, times their value, discounted by the rate of a period to its end. NULL for a NULL; periods from 0 to 10000; discount above -1';

CREATE FUNCTION @extschema@.expected_value(m @extschema@.model, frequency float8, mean_value float8) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_expected_value';
COMMENT ON FUNCTION @extschema@.expected_value(@extschema@.model, float8, float8) IS
	'mean value of purchases to be expected of a customer (预期客单价), by a Gamma-Gamma model: his own mean, drawn to that of all the more the less he bought; frequency 0: that of a customer never seen, his mean may be NULL. NULL where there is none (q at most 1)';
