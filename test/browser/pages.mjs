// test/browser/pages.mjs FOLDER - what every page owes its readers, whatever is on it.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch, note, same, finish } from './chromium.mjs';

const folder = process.argv[2];
const browser = await launch();

// Runs on the page: a list of complaints.
const complaints = `(() => {
	const said = [], all = s => [...document.querySelectorAll(s)];
	const shown = e => e.getClientRects().length > 0;
	const ids = all('[id]').map(e => e.id);
	for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) said.push('two elements have id ' + id);
	for (const a of all('a[href^="#"]')) if (!document.getElementById(decodeURIComponent(a.hash.slice(1)))) said.push('a link leads nowhere: ' + a.hash);
	for (const e of all('[aria-labelledby]')) for (const id of e.getAttribute('aria-labelledby').split(' ')) if (!document.getElementById(id)) said.push('no label ' + id);
	if (all('h1').length !== 1) said.push(all('h1').length + ' headings of the first level');
	let level = 0;
	for (const h of all('h1, h2, h3, h4')) { const l = +h.tagName[1]; if (l > level + 1) said.push('a level is left out before: ' + h.textContent); level = l; }
	for (const f of all('figure')) {
		const name = f.querySelector('.title').textContent;
		if (!f.querySelector('.empty') && !f.querySelector('tbody tr')) said.push('no table: ' + name);
		const place = f.querySelector('.drawing');
		if (place && !place.querySelector('canvas, svg')) said.push('not drawn: ' + name);
		if (place && !place.getAttribute('aria-label')) said.push('no name for screen readers: ' + name);
	}
	for (const t of all('table')) if (!t.querySelector('th[scope]')) said.push('a table without headings');
	if (document.documentElement.scrollWidth > innerWidth) said.push('wider than the window: ' + document.documentElement.scrollWidth + ' > ' + innerWidth + ' by '
		+ all('body *').filter(e => shown(e) && e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll')).map(e => e.tagName + '.' + e.className).slice(0, 3));
	if (!document.documentElement.lang) said.push('no language');
	if (all('script[src], link[href], img[src], iframe, object, embed, form').length > 0) said.push('something from elsewhere');
	if (all('[style*="url("], [onclick], [onerror], [onload]').length > 0) said.push('an attribute that acts');
	return said;
})()`;

for (const name of readdirSync(folder).filter(f => f.endsWith('.html')).sort()) {
	const file = join(folder, name), stem = file.replace(/\.html$/, '');
	// Opened on a phone and on a screen; then the window's width and the colours change, and the page follows.
	for (const looks of [[[360, false], [360, true]], [[1400, false], [1400, true], [800, true], [800, false]]]) {
		const page = await browser.open(file, { width: looks[0][0], height: 900, mobile: looks[0][0] < 500 });
		for (const [width, dark] of looks) {
			const title = `${name} at ${width}${dark ? ' in the dark' : ''}`;
			await page.shape(width, 900);
			await page.media(dark);
			const seen = await page.screenshot(`${stem}-${width}${dark ? '-dark' : ''}.png`, null, '.drawing');
			same(await page.evaluate(complaints), [], `${title}: whole`);
			// Lines and letters: more than a few colours, and not one colour alone.
			same(seen.filter(d => d.colours < 8 || d.plain > 0.995), [], `${title}: ${seen.length} charts are drawn`);
		}
		same(page.problems, [], `${name} at ${looks[0][0]}: nothing to complain about`);
		same(page.requests.filter(url => !/^(file|data|blob):/.test(url)), [], `${name} at ${looks[0][0]}: asks nothing of the network`);
		await page.close();
	}
	const page = await browser.open(file, { width: 800, dark: true });
	same([page.problems, await page.evaluate(complaints)], [[], []], `${name} opened in the dark: whole`);
	const light = await page.evaluate(`getComputedStyle(document.body).backgroundColor`);
	const pdf = await page.pdf(`${stem}.pdf`);
	note(pdf.subarray(0, 5).toString() === '%PDF-' && pdf.length > 5000, `${name}: can be printed`);
	await page.media(false);
	await page.painted();
	note(await page.evaluate(`getComputedStyle(document.body).backgroundColor`) !== light, `${name}: follows the colours of its reader`);
	// By keyboard: the first stop leads over the header, and every stop can be seen.
	await page.press('Tab');
	same(await page.evaluate(`[document.activeElement.className, document.activeElement.getBoundingClientRect().left >= 0]`), ['skip', true], `${name}: first comes the way to the content`);
	await page.press('Enter');
	same(await page.evaluate(`document.activeElement.id`), 'content', `${name}: which leads there`);
	const stops = [];
	for (let i = 0; i < 400; i++) {
		await page.press('Tab');
		const [what, outline] = await page.evaluate(`(e => [e === document.body ? '' : e.tagName, getComputedStyle(e).outlineStyle])(document.activeElement)`);
		if (what === '')
			break;
		stops.push(outline === 'none' ? what + ' without outline' : what);
	}
	same(stops.filter(s => s.endsWith('outline')), [], `${name}: ${stops.length} stops of the keyboard, each with an outline`);
	same(stops.filter(s => s === 'SUMMARY').length, await page.evaluate(`document.querySelectorAll('summary').length`), `${name}: all tables can be opened by keyboard`);
	await page.close();
}
await browser.close();
finish();
