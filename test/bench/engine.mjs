// test/bench/engine.mjs ENGINE FOLDER - runs SQL in DuckDB or ClickHouse, in this process, over storage in FOLDER.
//
// A line of JSON, an SQL text, on standard input; a line of JSON on standard output: CPU seconds of the whole process
// and the last result's text, or an error.  Both engines get two threads.  The packages come from npm (see run.sh).
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [engine, folder] = process.argv.slice(2);
const require = createRequire(process.cwd() + '/package.json');
let run, version;

if (engine === 'duckdb') {
	const { DuckDBInstance } = require('@duckdb/node-api');
	const instance = await DuckDBInstance.create(folder + '/bench.duckdb', { threads: '2', memory_limit: '8GB' });
	const connection = await instance.connect();
	run = async sql => JSON.stringify((await connection.runAndReadAll(sql)).getRowsJson());
	version = 'DuckDB ' + JSON.parse(await run('SELECT version()'))[0][0];
} else {
	const { Session } = require('chdb');
	const session = new Session(folder + '/clickhouse');
	// A session takes one statement at a time.
	run = async sql => sql.split(/;\s*\n/).filter(s => s.trim() !== '')
		.map(s => session.query(s.replace(/;\s*$/, '') + (/^\s*(select|with)\b/i.test(s) ? ' SETTINGS max_threads = 2' : ''), 'CSV')).at(-1);
	version = 'ClickHouse ' + (await run('SELECT version()')).trim().replaceAll('"', '');
}
console.log(JSON.stringify({ version }));
for await (const line of createInterface({ input: process.stdin })) {
	const before = process.cpuUsage();
	try {
		const result = (await run(JSON.parse(line))).trim();
		const used = process.cpuUsage(before);
		console.log(JSON.stringify({ cpu: (used.user + used.system) / 1e6, result: result.slice(0, 10000) }));
	} catch (e) {
		console.log(JSON.stringify({ error: String(e.message ?? e).split('\n')[0] }));
	}
}
process.exit(0);
