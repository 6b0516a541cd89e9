// test/bi/read.mjs FOLDER - reads the views bi_* through node-postgres, which is in FOLDER/node_modules, as a BI tool does.
//
// Each view over the simple and over the extended protocol, with parameters, with a named statement run twice, and through
// psql: the same rows.  What a schema browser asks of information_schema: the columns that are stored below.
import { createRequire } from 'node:module';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
const { Client, types } = createRequire(join(process.argv[2], 'package.json'))('pg');

const head = 'population text, report text, whole boolean, scope text, ', tail = ', suppressed boolean, minimum_group bigint, as_of timestamptz, refreshed_at timestamptz';
const contract = {
	bi_app_daily: head + 'day date, active bigint, weekly bigint, monthly bigint, new bigint, retained_1 bigint, retained_7 bigint, retained_30 bigint, sessions bigint, session_seconds float8, '
		+ 'crash_sessions bigint, crash_customers bigint, crash_session_share float8, crash_customer_share float8' + tail,
	bi_channel_credit: head + 'channel text, customers bigint, conversions float8, value float8' + tail,
	bi_customers: head + 'kind text, name text, value text, customers bigint, population_customers bigint, share float8, tag_as_of timestamptz' + tail,
	bi_funnel: head + 'step bigint, name text, customers bigint, from_first float8, from_previous float8' + tail,
	bi_life_cycle: head + 'period date, active bigint, new bigint, retained bigint, resurrected bigint, lost bigint, dormant bigint' + tail,
	bi_model_quality: head + 'model text, version bigint, algorithm text, trained_at timestamptz, measure text, bin bigint, rows bigint, value float8, lower float8, upper float8' + tail,
	bi_reports: 'population text, report text, kind text, owner text, description text, options jsonb, as_of timestamptz, refreshed_at timestamptz, seconds float8, problem text',
	bi_retention: head + 'cohort date, period bigint, size bigint, customers bigint, share float8' + tail,
	bi_rfm_grid: head + 'recency bigint, frequency bigint, customers bigint, monetary float8' + tail,
	bi_segment_portrait: head + 'segment text, base text, tag text, value text, customers bigint, share float8, base_customers bigint, base_share float8, index float8, q_value float8, significant boolean' + tail,
	bi_tag_coverage: head + 'measure text, tag text, bucket text, customers bigint, value float8' + tail,
};
const names = { 20: 'bigint', 1700: 'numeric', 701: 'float8', 25: 'text', 1082: 'date', 1184: 'timestamptz', 16: 'boolean', 3802: 'jsonb' };
for (const oid of Object.keys(names))
	types.setTypeParser(+oid, text => text);

let failed = 0;
const same = (found, expected, name) => {
	const ok = JSON.stringify(found) === JSON.stringify(expected);
	if (!ok) {
		failed++;
		console.log(`# found ${JSON.stringify(found)?.slice(0, 600)}\n# expected ${JSON.stringify(expected)?.slice(0, 600)}`);
	}
	console.log(`${ok ? 'ok' : 'not ok'} ${name}`);
};
// Without ORDER BY rows come as they come.
const sorted = rows => rows.map(r => JSON.stringify(r)).sort();
const connect = async user => {
	const client = new Client({ host: process.env.PGHOST, port: +process.env.PGPORT, database: process.env.PGDATABASE, user, password: 'reads', options: '-c default_transaction_read_only=on' });
	await client.connect();
	return client;
};
const code = async (client, text) => { try { await client.query(text); return 'done'; } catch (error) { return error.code; } };

const reader = await connect('bi_reader');
const browsed = await reader.query(`SELECT table_name, string_agg(column_name || ' ' || CASE data_type WHEN 'timestamp with time zone' THEN 'timestamptz' WHEN 'double precision' THEN 'float8'
	ELSE data_type END, ', ' ORDER BY ordinal_position) AS columns FROM information_schema.columns WHERE table_schema = 'crm' AND table_name LIKE 'bi\\_%' GROUP BY table_name ORDER BY table_name`);
same(Object.fromEntries(browsed.rows.map(r => [r.table_name, r.columns])), Object.fromEntries(Object.entries(contract).sort()), 'a schema browser finds the views, their columns and types');
same((await reader.query(`SELECT count(*)::text AS n FROM information_schema.tables WHERE table_schema = 'crm' AND table_type = 'VIEW' AND table_name LIKE 'bi\\_%'`)).rows[0].n, String(Object.keys(contract).length), 'as views');
for (const [view, columns] of Object.entries(contract)) {
	const simple = await reader.query({ text: `SELECT * FROM crm.${view}`, rowMode: 'array' });
	same(simple.fields.map(f => `${f.name} ${names[f.dataTypeID] ?? f.dataTypeID}`).join(', '), columns, `${view}: its columns, as the driver gets them`);
	same(simple.rows.length > 0, true, `${view}: ${simple.rows.length} rows`);
	const text = `SELECT * FROM crm.${view} WHERE population = $1 AND refreshed_at <= $2`, values = ['shop', '2200-01-01'];
	const extended = await reader.query({ text, values, rowMode: 'array' });
	same(sorted(extended.rows), sorted(simple.rows), `${view}: over the extended protocol the same rows`);
	for (const time of ['first', 'second'])
		same(sorted((await reader.query({ name: view, text, values, rowMode: 'array' })).rows), sorted(simple.rows), `${view}: from a named statement the ${time} time`);
	same((await reader.query({ text, values: ['nobody', '2200-01-01'] })).rowCount, 0, `${view}: of another population nothing`);
	const psql = spawnSync('psql', ['-XAtq', '-F', '\x01', '-R', '\x02', '-P', 'null=\x03', '-c', `SELECT * FROM crm.${view}`], { encoding: 'utf8', env: { ...process.env, PGUSER: 'bi_reader', PGPASSWORD: 'reads' } });
	same(sorted(psql.stdout.replace(/\n$/, '').split('\x02').map(r => r.split('\x01').map(c => c === '\x03' ? null : c))), sorted(simple.rows), `${view}: in psql the same rows`);
}
// What a tool asks without being told to: a count, a distinct list, a filter of time, a page, a join of two views.
same((await reader.query('SELECT count(*) = sum(1) AS whole FROM (SELECT * FROM crm.bi_customers) AS "Custom SQL Query" HAVING count(*) > 0')).rows[0].whole, 't', 'wrapped in a query of its own');
same((await reader.query('SELECT DISTINCT "name" FROM "crm"."bi_funnel" ORDER BY 1 LIMIT 2')).rows.map(r => r.name), ['cart', 'order'], 'quoted, distinct, a page');
same((await reader.query('SELECT f.customers FROM crm.bi_funnel f JOIN crm.bi_reports r USING (population, report) WHERE f.whole AND f.step = 1')).rows.length, 1, 'two views joined');
same([await code(reader, 'SELECT * FROM crm.tag_set'), await code(reader, 'SELECT * FROM shop.customer'), await code(reader, "UPDATE crm.bi_funnel SET customers = 0"), await code(reader, "SELECT crm.drop_report('funnel', 'shop')")],
	['42501', '42501', '55000', '42501'], 'reads no set, no customer, and changes nothing');
await reader.end();

const stranger = await connect('bi_stranger');
for (const view of Object.keys(contract))
	same((await stranger.query(`SELECT * FROM crm.${view}`)).rowCount, 0, `${view}: a stranger sees nothing`);
await stranger.end();
process.exit(failed > 0 ? 1 : 0);
