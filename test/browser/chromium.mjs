// test/browser/chromium.mjs - drives a headless Chromium over its pipe, without any package.
//
//   const browser = await launch();
//   const page = await browser.open('/path/to/page.html', { width: 360, height: 800, dark: true });
//   await page.evaluate('document.title');
//   await page.screenshot('/path/to/picture.png');
//   page.problems, page.requests       what the console said, and what was asked of the network
//   await browser.close();
//
// Each browser has a folder of its own for its profile, which goes with it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inflateSync } from 'node:zlib';

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--no-default-browser-check',
	'--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions', '--disable-default-apps',
	'--disable-dev-shm-usage', '--hide-scrollbars', '--force-color-profile=srgb', '--remote-debugging-pipe'];

// The path of Chromium, or NULL where there is none that runs.
export function chromium() {
	const path = process.env.CRM_CHROMIUM || 'chromium';
	return spawnSync(path, ['--version']).status === 0 ? path : null;
}

export async function launch() {
	const profile = mkdtempSync(join(tmpdir(), 'crm-browser.'));
	const child = spawn(chromium(), [...flags, `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
	const waiting = new Map(), listeners = new Map();
	let number = 0, rest = '', gone = null;

	// The protocol: JSON, a zero byte behind each message.
	child.stdio[4].setEncoding('utf8').on('data', data => {
		const messages = (rest + data).split('\0');
		rest = messages.pop();
		for (const message of messages.map(text => JSON.parse(text))) {
			if (message.id === undefined) {
				listeners.get(message.sessionId)?.(message.method, message.params);
				continue;
			}
			const { resolve, reject, method } = waiting.get(message.id);
			waiting.delete(message.id);
			if (message.error)
				reject(new Error(`${method}: ${message.error.message}`));
			else
				resolve(message.result);
		}
	});
	const stopped = () => {
		gone = new Error('the browser is gone');
		for (const { reject } of waiting.values())
			reject(gone);
		waiting.clear();
	};
	child.on('exit', stopped);
	child.on('error', stopped);
	child.stdio[3].on('error', stopped);

	const send = (method, params = {}, sessionId) => new Promise((resolve, reject) => {
		if (gone)
			return reject(gone);
		const id = ++number;
		waiting.set(id, { resolve, reject, method });
		child.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + '\0');
	});

	// A page over a local file, in a tab of its own.  Options: width, height, dark, scale, reduced (no animation).
	const open = async (file, { width = 1400, height = 1000, dark = false, scale = 1, mobile = false } = {}) => {
		const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
		const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
		const problems = [], requests = [], asked = new Map();
		let loaded;
		const ready = new Promise(resolve => { loaded = resolve; });

		listeners.set(sessionId, (method, params) => {
			if (method === 'Page.loadEventFired')
				loaded();
			else if (method === 'Runtime.exceptionThrown')
				problems.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
			else if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type))
				problems.push(params.args.map(a => a.value ?? a.description).join(' '));
			else if (method === 'Log.entryAdded' && ['error', 'warning'].includes(params.entry.level))
				problems.push(params.entry.text);
			else if (method === 'Network.requestWillBeSent') {
				asked.set(params.requestId, params.request.url);
				requests.push(params.request.url);
			}
			else if (method === 'Network.loadingFailed' && params.blockedReason === 'csp')
				// The page's policy stopped it before it left.
				requests.splice(requests.indexOf(asked.get(params.requestId)), 1);
			else if (method === 'Page.javascriptDialogOpening') {
				problems.push(`a dialog: ${params.message}`);
				send('Page.handleJavaScriptDialog', { accept: false }, sessionId).catch(() => {});
			}
		});
		const call = (method, params) => send(method, params, sessionId);
		await Promise.all([call('Page.enable'), call('Runtime.enable'), call('Log.enable'), call('Network.enable')]);
		const shape = async (w, h) => call('Emulation.setDeviceMetricsOverride', { width: w, height: h, deviceScaleFactor: scale, mobile });
		const media = async (isDark, type = '') => call('Emulation.setEmulatedMedia', { media: type, features: [
			{ name: 'prefers-color-scheme', value: isDark ? 'dark' : 'light' }, { name: 'prefers-reduced-motion', value: 'reduce' }] });
		await shape(width, height);
		await media(dark);
		const { errorText } = await call('Page.navigate', { url: /^\w+:/.test(file) ? file : pathToFileURL(file).href });
		if (errorText)
			throw new Error(`${file}: ${errorText}`);
		await ready;

		const evaluate = async expression => {
			const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
			if (exceptionDetails)
				throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
			return result.value;
		};
		// Two frames later, what was asked for has been painted.
		const painted = () => evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))');
		const picture = async clip => {
			await painted();
			const { data } = await call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, ...(clip && { clip: { scale: 1, ...clip } }) });
			return Buffer.from(data, 'base64');
		};
		return {
			problems, requests, evaluate, media, shape, painted, call,
			// The whole page, or the rectangle {x, y, width, height} of it, as PNG; returns what is seen of each element that
			// the selector means: {id, width, height, colours: how many different ones, plain: share of the most frequent one}.
			screenshot: async (path, clip, selector) => {
				const { cssContentSize: size } = await call('Page.getLayoutMetrics');
				const png = await picture(clip ?? { x: 0, y: 0, width: size.width, height: Math.min(size.height, 16000) });
				writeFileSync(path, png);
				if (!selector)
					return [];
				const seen = pixels(png);
				return (await rectangles(evaluate, selector)).map(r => ({ id: r.id, ...seen(r) }));
			},
			look: async selector => pixels(await picture((await rectangles(evaluate, selector))[0]))(),
			press: async (key, modifiers = 0) => {
				const code = { Tab: 9, Enter: 13, Escape: 27, ' ': 32 }[key];
				const text = { Enter: '\r', ' ': ' ' }[key];
				for (const type of [text ? 'keyDown' : 'rawKeyDown', 'keyUp'])
					await call('Input.dispatchKeyEvent', { type, key, code: key === ' ' ? 'Space' : key, windowsVirtualKeyCode: code, modifiers, ...(type === 'keyDown' && { text }) });
			},
			accessible: async () => (await call('Accessibility.getFullAXTree')).nodes,
			pdf: async path => {
				const { data } = await call('Page.printToPDF', { printBackground: true, preferCSSPageSize: true });
				const pdf = Buffer.from(data, 'base64');
				writeFileSync(path, pdf);
				return pdf;
			},
			close: async () => {
				listeners.delete(sessionId);
				await send('Target.closeTarget', { targetId });
			}
		};
	};
	const close = async () => {
		const ended = new Promise(resolve => { if (gone) resolve(); else child.on('exit', resolve); });
		send('Browser.close').catch(() => {});
		const patience = setTimeout(() => child.kill('SIGKILL'), 5000);
		await ended;
		clearTimeout(patience);
		rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
	};
	return { open, close };
}

const rectangles = (evaluate, selector) => evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].map(e => { const r = e.getBoundingClientRect();
	return { id: e.id, x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height }; })`);

// A PNG of 8 bits a channel, as Chromium writes it; what is returned counts the colours of a rectangle in it.
export function pixels(png) {
	const width = png.readUInt32BE(16), height = png.readUInt32BE(20), channels = { 2: 3, 6: 4 }[png[25]];
	const parts = [];
	for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
		if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
			parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
	const raw = inflateSync(Buffer.concat(parts)), stride = width * channels, rows = [];
	let before = Buffer.alloc(stride);
	for (let y = 0; y < height; y++) {
		const filter = raw[y * (stride + 1)], row = raw.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1));
		for (let i = 0; i < stride && filter > 0; i++) {
			const left = i < channels ? 0 : row[i - channels], up = before[i], corner = i < channels ? 0 : before[i - channels];
			const p = left + up - corner, pa = Math.abs(p - left), pb = Math.abs(p - up), pc = Math.abs(p - corner);
			row[i] += filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : pa <= pb && pa <= pc ? left : pb <= pc ? up : corner;
		}
		rows.push(before = row);
	}
	return (r = { x: 0, y: 0, width, height }) => {
		const colours = new Map(), right = Math.min(width, Math.round(r.x + r.width)), bottom = Math.min(height, Math.round(r.y + r.height));
		let all = 0;
		for (let y = Math.round(r.y); y < bottom; y++)
			for (let x = Math.round(r.x); x < right; x++, all++) {
				const i = x * channels, colour = rows[y][i] << 16 | rows[y][i + 1] << 8 | rows[y][i + 2];
				colours.set(colour, (colours.get(colour) ?? 0) + 1);
			}
		return { width: r.width, height: r.height, colours: colours.size, plain: all > 0 ? Math.max(...colours.values()) / all : 1 };
	};
}

// Lines "ok ..." and "not ok ..." as test/check.sh reads them.
let failed = 0;
export function note(good, name, remark = '') {
	if (!good) {
		failed++;
		if (remark !== '')
			console.log(`# ${String(remark).replaceAll('\n', '\n# ')}`);
	}
	console.log(`${good ? 'ok' : 'not ok'} ${name}`);
}
export function same(found, expected, name) {
	note(JSON.stringify(found) === JSON.stringify(expected), name, `found ${JSON.stringify(found)}\nexpected ${JSON.stringify(expected)}`);
}
export function finish() {
	process.exitCode = failed > 0 ? 1 : 0;
}
