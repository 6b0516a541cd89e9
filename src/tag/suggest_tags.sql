-- What quick_start knows of tables: keys, links between them, and which tags
-- their columns suggest.
--
-- Dynamic SQL by nature, hence PL/pgSQL; every function pins its search_path.

CREATE FUNCTION @extschema@.column_classes(relation regclass)
	RETURNS TABLE (name name, class text, place int)
	LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 250 ROWS 20
	BEGIN ATOMIC
		SELECT a.attname,
			CASE
				WHEN b.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'integer'
				WHEN b.oid IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype) THEN 'number'
				WHEN b.oid = 'money'::regtype THEN 'money'
				WHEN b.oid = 'bool'::regtype THEN 'boolean'
				WHEN b.oid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) THEN 'time'
				WHEN b.oid IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) THEN 'text'
				WHEN b.typtype = 'e' THEN 'enum'
				WHEN b.oid = 'uuid'::regtype THEN 'uuid'
				ELSE 'other'
			END,
			a.attnum::int
		FROM pg_catalog.pg_attribute a
		JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
		JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
		WHERE a.attrelid = column_classes.relation AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY a.attnum;
	END;
COMMENT ON FUNCTION @extschema@.column_classes(regclass) IS
	'the columns of a relation and what they can serve for: integer, number, money, boolean, time, text, enum, uuid or other';

CREATE FUNCTION @extschema@.find_column(relation regclass, names text[], classes text[]) RETURNS name
	LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 500
	RETURN (
		SELECT c.name
		FROM @extschema@.column_classes(relation) c
		JOIN unnest(names) WITH ORDINALITY AS w (word, rank) ON lower(c.name::text) = lower(w.word)
		WHERE c.class = ANY (classes)
		ORDER BY w.rank
		LIMIT 1
	);
COMMENT ON FUNCTION @extschema@.find_column(regclass, text[], text[]) IS
	'the column of a relation with the first of these names, in any case of letters, that is of one of these classes (column_classes); NULL when there is none';

CREATE FUNCTION @extschema@.customer_column_names(relation regclass) RETURNS text[]
	LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 50
	RETURN (
		SELECT ARRAY[c.relname || '_id', regexp_replace(c.relname::text, 's$', '') || '_id',
			'customer_id', 'customerid', 'customer_no', 'customer_number', 'customer', 'cust_id', 'client_id', 'user_id',
			'member_id', 'account_id', '客户编号', '客户号', '客户ID', '会员编号', '会员号', '会员ID', '用户编号', '用户ID']
		FROM pg_catalog.pg_class c WHERE c.oid = relation
	);
COMMENT ON FUNCTION @extschema@.customer_column_names(regclass) IS
	'names under which tables usually keep the key of a customer, the likeliest first, given the relation of customers';

CREATE FUNCTION @extschema@.find_key(relation regclass) RETURNS name
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED COST 100000 SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	found_key name;
	candidate name;
	good boolean;
	reason text := 'It has no primary key and no unique index over one column that is NOT NULL, and no column with a usual name.';
BEGIN
	-- A primary key over one column, else a unique index that holds for all rows.
	SELECT a.attname INTO found_key
	FROM pg_index i
	JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
	JOIN @extschema@.column_classes(relation) c ON c.name = a.attname
	WHERE i.indrelid = relation AND i.indisunique AND i.indisvalid AND i.indimmediate
		AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indexprs IS NULL
		AND a.attnotnull AND c.class IN ('integer', 'uuid', 'text')
	ORDER BY i.indisprimary DESC, array_position(ARRAY['integer', 'uuid', 'text'], c.class), a.attnum
	LIMIT 1;
	IF found_key IS NOT NULL THEN
		RETURN found_key;
	END IF;

	-- A view has no indexes: a column with a usual name, if it is one in fact.
	FOR candidate IN
		SELECT c.name FROM @extschema@.column_classes(relation) c
		JOIN unnest('{id}' || @extschema@.customer_column_names(relation)) WITH ORDINALITY AS w (word, rank)
			ON lower(c.name::text) = lower(w.word)
		WHERE c.class IN ('integer', 'uuid', 'text')
		ORDER BY w.rank
	LOOP
		EXECUTE format('SELECT count(*) = count(DISTINCT %I) FROM %s', candidate, relation) INTO good;
		IF good THEN
			RETURN candidate;
		END IF;
		reason := format('Column %I looks like one, but has duplicates or NULLs.', candidate);
	END LOOP;

	RAISE EXCEPTION '% has no key with one row per customer', relation
		USING ERRCODE = 'invalid_table_definition', DETAIL = reason,
			HINT = 'Add a primary key over one integer, uuid or text column, or register a view with one row per customer yourself: '
				'@extschema@.create_population(name, source, key).';
END
$$;
COMMENT ON FUNCTION @extschema@.find_key(regclass) IS
	'the column that identifies the rows of a relation: primary key, unique index, or a usual name whose values are unique. Error 42P16 when there is none';

CREATE FUNCTION @extschema@.find_customer_column(relation regclass, customers regclass, key name) RETURNS name
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 5000 SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	found_column name;
	key_class text := (SELECT class FROM @extschema@.column_classes(customers) WHERE name = find_customer_column.key);
BEGIN
	-- A foreign key says it outright.
	SELECT a.attname INTO found_column
	FROM pg_constraint f
	JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
	JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[1]
	WHERE f.contype = 'f' AND f.conrelid = relation AND f.confrelid = customers
		AND array_length(f.conkey, 1) = 1 AND b.attname = find_customer_column.key
	ORDER BY f.conname
	LIMIT 1;
	IF found_column IS NULL THEN
		found_column := @extschema@.find_column(relation,
			CASE WHEN lower(key::text) <> 'id' THEN ARRAY[key::text] ELSE '{}' END
				|| @extschema@.customer_column_names(customers),
			ARRAY[key_class]);
	END IF;
	IF found_column IS NULL THEN
		RAISE EXCEPTION '% has no column that refers to %', relation, customers
			USING ERRCODE = 'invalid_table_definition',
				DETAIL = format('It has no foreign key to column %I, and no %s column with a usual name such as %s.', key, key_class,
					(@extschema@.customer_column_names(customers))[2]),
				HINT = 'Declare the foreign key, or name the column in a view over the table and pass the view.';
	END IF;
	RETURN found_column;
END
$$;
COMMENT ON FUNCTION @extschema@.find_customer_column(regclass, regclass, name) IS
	'the column of orders or events that holds the customer: foreign key, the key''s own name, or a usual name. Error 42P16 when there is none';

CREATE FUNCTION @extschema@.find_time_column(relation regclass) RETURNS name
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 5000 SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	found_column name := coalesce(
		@extschema@.find_column(relation, ARRAY['ordered_at', 'order_date', 'order_time', 'order_ts', 'purchased_at', 'purchase_date',
			'invoice_date', 'invoicedate', 'paid_at', 'event_time', 'event_ts', 'occurred_at', 'happened_at', 'created_at', 'ts', 'time',
			'timestamp', 'at', 'date', '下单时间', '订单时间', '下单日期', '订单日期', '交易时间', '交易日期', '时间', '日期'], '{time}'),
		(SELECT name FROM @extschema@.column_classes(relation) WHERE class = 'time' ORDER BY place LIMIT 1));
BEGIN
	IF found_column IS NULL THEN
		RAISE EXCEPTION '% has no column of a date or time', relation
			USING ERRCODE = 'invalid_table_definition',
				HINT = 'Orders and events need the moment at which they happened, as timestamptz, timestamp or date.';
	END IF;
	RETURN found_column;
END
$$;
COMMENT ON FUNCTION @extschema@.find_time_column(regclass) IS
	'the column of orders or events that says when: a usual name, else the first column of a date or time. Error 42P16 when there is none';

CREATE FUNCTION @extschema@.find_amount(relation regclass, OUT expression text, OUT described text) RETURNS record
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 5000 SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	amount name := @extschema@.find_column(relation, ARRAY['amount', 'total', 'total_amount', 'order_total', 'order_amount', 'total_price',
		'grand_total', 'revenue', 'monetary', 'paid', 'pay_amount', 'gmv', 'value', 'sales', '金额', '总金额', '订单金额', '实付金额',
		'支付金额', '总额', '销售额'], '{number,integer,money}');
	quantity name := @extschema@.find_column(relation, ARRAY['quantity', 'qty', 'units', '数量'], '{number,integer}');
	price name := @extschema@.find_column(relation, ARRAY['unit_price', 'unitprice', 'price', '单价', '价格'], '{number,integer}');
BEGIN
	IF amount IS NULL AND quantity IS NOT NULL AND price IS NOT NULL THEN
		expression := format('o.%I::float8 * o.%I::float8', quantity, price);
		described := format('%I * %I', quantity, price);
		RETURN;
	END IF;
	amount := coalesce(amount,
		(SELECT name FROM @extschema@.column_classes(relation) WHERE class IN ('number', 'money') ORDER BY place LIMIT 1));
	IF amount IS NULL THEN
		expression := '1::float8';
		described := '1 for each order, since no column looks like an amount';
	ELSE
		-- money becomes a number by way of numeric alone
		expression := format(CASE WHEN EXISTS (SELECT FROM @extschema@.column_classes(relation) WHERE name = amount AND class = 'money')
			THEN 'o.%I::numeric::float8' ELSE 'o.%I::float8' END, amount);
		described := quote_ident(amount);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.find_amount(regclass) IS
	'what an order (o) is worth, as an expression and in words: a column with a usual name, quantity times price, else the first column of money or of numbers with decimals, else 1';

CREATE FUNCTION @extschema@.suggest_tags(customers regclass, key name DEFAULT NULL)
	RETURNS TABLE (tag text, rule text, kind text, description text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 30 SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	sample text;
	rows_estimated float8;
	kind_of_relation "char";
	col record;
	seen bigint;
	filled bigint;
	different bigint;
	lowest text;
	borders text[];
	ahead boolean;
	blank boolean;
	longest int;
	shown text;
BEGIN
	SELECT c.reltuples, c.relkind INTO rows_estimated, kind_of_relation FROM pg_class c WHERE c.oid = customers;
	-- 20,000 customers tell what a column is like; where they can be picked from all over the table, they are.
	sample := CASE WHEN kind_of_relation IN ('r', 'm') AND rows_estimated > 200000
		THEN format('%s TABLESAMPLE SYSTEM (%s) REPEATABLE (1)', customers, (100 * 18000 / rows_estimated)::numeric(9, 6))
		ELSE customers::text END;

	FOR col IN
		SELECT c.name, c.class, lower(c.name::text) AS word FROM @extschema@.column_classes(customers) c
		WHERE c.name IS DISTINCT FROM suggest_tags.key AND c.class NOT IN ('other', 'uuid', 'money') ORDER BY c.place
	LOOP
		shown := replace(col.name::text, '_', ' ');
		tag := col.name::text;
		EXECUTE format('SELECT count(*), count(%1$I), count(DISTINCT %1$I) FROM (SELECT %1$I FROM %2$s LIMIT 20000) s', col.name, sample)
			INTO seen, filled, different;
		CONTINUE WHEN filled = 0;

		IF col.class = 'boolean' THEN
			rule := quote_ident(col.name);
			kind := 'base';
			description := format('%s is true', shown);
			RETURN NEXT;

		ELSIF col.class IN ('text', 'enum') THEN
			kind := 'base';
			IF col.word ~ '(^|[_ -]|e)mail|邮箱|邮件' OR col.word ~ '(phone|mobile|^tel|cell|手机|电话)' THEN
				tag := 'has_' || col.name;
				rule := format('%I <> ''''', col.name);
				description := format('%s is known', shown);
				RETURN NEXT;
			ELSIF different BETWEEN 2 AND 20 THEN
				EXECUTE format('SELECT coalesce(max(length(%1$I::text)), 0), coalesce(bool_or(btrim(%1$I::text) = ''''), false) '
					'FROM (SELECT %1$I FROM %2$s LIMIT 20000) s', col.name, sample) INTO longest, blank;
				CONTINUE WHEN longest > 60;
				rule := CASE WHEN blank THEN format('nullif(btrim(%I::text), '''')', col.name)
					WHEN col.class = 'enum' THEN format('%I::text', col.name)
					ELSE quote_ident(col.name) END;
				description := format('%s, as it is (%s values seen)', shown, different);
				RETURN NEXT;
			END IF;

		ELSIF col.class = 'time' THEN
			kind := 'timeliness';
			IF col.word ~ '(birth|^dob$|生日|出生)' THEN
				tag := 'birthday_this_month';
				rule := format('extract(month FROM %I) = extract(month FROM as_of)', col.name);
				description := format('%s falls into the current month', shown);
				RETURN NEXT;
			ELSE
				EXECUTE format('SELECT max(%1$I) > now() + interval ''1 day'' FROM (SELECT %1$I FROM %2$s LIMIT 20000) s', col.name, sample)
					INTO ahead;
				IF ahead THEN
					tag := col.name || '_next_30_days';
					rule := format('%1$I >= as_of AND %1$I < as_of + interval ''30 days''', col.name);
					description := format('%s lies within the next 30 days', shown);
				ELSE
					tag := col.name || '_age';
					rule := format('CASE WHEN %1$I >= as_of - interval ''30 days'' THEN ''last 30 days'' '
						'WHEN %1$I >= as_of - interval ''90 days'' THEN ''31 to 90 days'' '
						'WHEN %1$I >= as_of - interval ''365 days'' THEN ''91 to 365 days'' '
						'WHEN %1$I IS NOT NULL THEN ''over a year'' END', col.name);
					description := format('how long ago %s was', shown);
				END IF;
				RETURN NEXT;
			END IF;

		ELSIF different <= 10 AND col.class = 'integer' AND different > 1 THEN
			rule := format('%I::text', col.name);
			kind := 'base';
			description := format('%s, as it is (%s values seen)', shown, different);
			RETURN NEXT;

		-- Numbers: quarters of equal size where the values allow it.  Numbers that only number rows say nothing.
		ELSIF different > 2 AND NOT (col.class = 'integer' AND (col.word ~ '(_id|_no|id|编号|号)$' OR different = seen)) THEN
			-- Infinities and NaN cannot be borders.
			EXECUTE format('SELECT min(%1$I)::text, percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY %1$I)::text[] '
				'FROM (SELECT %1$I FROM %2$s LIMIT 20000) s WHERE %1$I::float8 NOT IN (''NaN'', ''Infinity'', ''-Infinity'')',
				col.name, sample) INTO lowest, borders;
			SELECT array_agg(b ORDER BY b::numeric) INTO borders
			FROM (SELECT DISTINCT b FROM unnest(borders) b WHERE b::numeric > lowest::numeric) s;
			kind := 'base';
			IF cardinality(borders) = 3 THEN
				tag := col.name || '_band';
				rule := format('CASE WHEN %1$I < %2$s THEN ''1 below %2$s'' WHEN %1$I < %3$s THEN ''2 from %2$s'' '
					'WHEN %1$I < %4$s THEN ''3 from %3$s'' WHEN %1$I IS NOT NULL THEN ''4 from %4$s'' END',
					col.name, borders[1], borders[2], borders[3]);
				description := format('%s in four bands, each about a quarter of the customers seen', shown);
				RETURN NEXT;
			ELSIF cardinality(borders) > 0 THEN
				tag := 'high_' || col.name;
				rule := format('%I >= %s', col.name, borders[cardinality(borders)]);
				description := format('%s is among the highest', shown);
				RETURN NEXT;
			ELSE
				tag := 'has_' || col.name;
				rule := format('%I > %s', col.name, lowest);
				description := format('%s is above its lowest value', shown);
				RETURN NEXT;
			END IF;
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.suggest_tags(regclass, name) IS
	'first tags for a relation with one row per customer, from what its columns hold (a sample of 20,000 rows): values of few-valued columns, quarters of numbers, recency of dates, birthdays, known addresses. Rules to look at and to pass to create_tag; nothing is created';
