// test/browser/report.mjs FOLDER - the pages of report.sql.
import { join } from 'node:path';
import { launch, note, same, finish } from './chromium.mjs';

const folder = process.argv[2];
const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(1)>"'&<!--`;
const browser = await launch();
const sections = ['overview', 'segments', 'behaviour', 'reports', 'scores', 'coverage', 'freshness'];

for (const [lang, words] of [['en', ['Overview', 'Segments', 'Behaviour', 'Stored reports', 'Scores', 'Tag coverage', 'Freshness']], ['zh', ['概览', '客户分群', '客户行为', '固定报表', '评分与预测', '标签覆盖', '数据新鲜度']]]) {
	const page = await browser.open(join(folder, `report-${lang}.html`), { width: 1400 });
	same(await page.evaluate('[...document.querySelectorAll("section")].map(s => [s.id, s.querySelector("h2").textContent])'), sections.map((s, i) => [s, words[i]]), `report in ${lang}: its sections`);
	same(await page.evaluate('[...document.querySelectorAll("nav a")].map(a => a.hash.slice(1))'), sections, `report in ${lang}: its contents`);
	same(await page.evaluate('[...document.querySelectorAll(".warn")].map(e => e.textContent)'), [], `report in ${lang}: nothing is left out`);
	const charts = await page.evaluate('[...document.querySelectorAll("[data-for]")].map(e => JSON.parse(e.textContent).crm.kind)');
	same([...new Set(charts)].sort(), ['bar', 'calibration', 'cohort', 'funnel', 'gain', 'lines', 'paths', 'radar', 'rfm'], `report in ${lang}: its charts`);
	note(await page.evaluate(`document.body.textContent.includes(${JSON.stringify(hostile)})`), `report in ${lang}: hostile names are shown as they are`);
	same(await page.evaluate('[document.images.length, document.querySelectorAll("script:not([type]), script[type=\\"text/javascript\\"]").length]'), [0, 2], `report in ${lang}: and nothing more`);
	note(!(await page.evaluate('[...document.querySelectorAll("#overview td, #segments td, #coverage td")].map(e => e.textContent)')).includes('1'), `report in ${lang}: nobody is counted out alone`);
	// The tooltip is drawn, not written as markup.
	const place = await page.evaluate('(() => { const e = document.querySelector("#values-1, .drawing"); e.scrollIntoView({ block: "center" }); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()');
	await page.call('Input.dispatchMouseEvent', { type: 'mouseMoved', x: place[0], y: place[1] });
	await page.painted();
	same([page.problems, await page.evaluate('document.images.length')], [[], 0], `report in ${lang}: a tooltip is a picture, too`);
	await page.close();
}

let page = await browser.open(join(folder, 'report-zh.html'), { width: 1400 });
same(await page.evaluate('[...document.querySelectorAll(".title")].map(e => e.textContent).filter(t => /阶段|流失风险/.test(t))'), ['客户阶段', '流失风险：客户分布'], 'Chinese titles of tags');
// Two pictures of one chart differ by its labels: letters are drawn in it.
const before = await page.look('#active');
note(before.colours > 20, 'lines and letters are drawn', JSON.stringify(before));
// Narrower and in the dark, the same page is drawn anew.
await page.shape(500, 900);
await page.media(true);
await page.painted();
same(await page.evaluate('[...document.querySelectorAll(".drawing svg")].filter(c => c.getBoundingClientRect().width > innerWidth).length'), 0, 'charts follow the width of the window');
await page.close();

page = await browser.open(join(folder, 'report-tables.html'), { width: 1400 });
note(await page.evaluate('document.querySelectorAll("figure details[open] tbody tr").length') > 100, 'without the library, the tables have the numbers');
await page.close();

page = await browser.open(join(folder, 'customer-en.html'), { width: 1400 });
same(await page.evaluate('document.querySelector("h1").textContent'), hostile, "a customer's name is shown as it is");
same(await page.evaluate('[document.scripts.length, document.images.length]'), [0, 0], "a customer's page has no script and no picture");
same(await page.evaluate('[...document.querySelectorAll("section")].map(s => s.id)'), ['next', 'scores', 'tags', 'timeline', 'known'], "a customer's page: its sections");
note(await page.evaluate('document.querySelectorAll("#scores tbody tr").length') === 1, 'scores by the model that knows the columns');
note(await page.evaluate('document.querySelectorAll("#timeline tbody tr").length') === 12, 'events');
note((await page.look('.bars')).colours > 1, 'bars are drawn without a library');
await page.close();
await browser.close();
finish();
