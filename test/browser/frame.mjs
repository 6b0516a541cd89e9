// test/browser/frame.mjs FOLDER - the pages of frame.sql.
import { join } from 'node:path';
import { launch, note, same, finish } from './chromium.mjs';

const folder = process.argv[2];
const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(1)>"'&<!--`;
const browser = await launch();

let page = await browser.open(join(folder, 'frame-en.html'));
same(await page.evaluate('[document.title, document.querySelector("h1").textContent, document.querySelector("h2").textContent]'), [hostile, hostile, hostile], 'a hostile text is shown as it is');
same(await page.evaluate('[...document.querySelectorAll("tbody tr")].map(r => [...r.cells].map(c => c.textContent))'),
	[['上海', '31,234'], [hostile, '0.0000432'], ['', '4.5']], 'and so are the cells of tables');
same(await page.evaluate('[document.scripts.length, document.images.length]'), [3, 0], 'it adds no script and no picture');
same(await page.evaluate('document.querySelector(".empty").textContent'), 'No data', 'an empty chart says so');
// The policy alone would stop what got through the escaping.
await page.evaluate(`(() => { const s = document.createElement('div'); s.innerHTML = '<img src="https://example.com/x.png" onerror="window.caught = 1">'; document.body.append(s);
	const t = document.createElement('script'); t.textContent = 'window.caught = 2'; document.body.append(t); })()`);
await page.painted();
same([await page.evaluate('typeof window.caught'), page.requests.filter(u => u.startsWith('http'))], ['undefined', []], 'the policy lets no other script run and loads nothing');
note(page.problems.some(p => /Content Security Policy/.test(p)), 'and says so');
// The tables open by keyboard.
await page.evaluate('document.querySelector("summary").focus()');
await page.press('Enter');
same(await page.evaluate('document.querySelector("details").open'), true, 'a table opens by the enter key');
const nodes = await page.accessible();
note(nodes.some(n => n.role?.value === 'image' && n.name?.value.includes('chart; the table below')), 'a screen reader is told what a chart is');
note(nodes.some(n => n.role?.value === 'table') && nodes.some(n => n.role?.value === 'columnheader'), 'and finds its table');
await page.close();

page = await browser.open(join(folder, 'frame-zh.html'));
same(await page.evaluate('[document.documentElement.lang, document.querySelector("summary").textContent]'), ['zh-CN', '数据表'], 'in Chinese');
// A character that the machine has no letter for is drawn as an empty box, all of them alike.
const letters = await page.evaluate(`['客', '户', '标', '签', '\\u{10ffff}'].map(c => { const d = document.createElement('canvas').getContext('2d');
	d.font = '20px ' + getComputedStyle(document.body).fontFamily; d.fillText(c, 0, 25); return [...d.getImageData(0, 0, 30, 30).data].join(); })`);
same(new Set(letters).size, 5, 'Chinese letters are seen');
await page.close();

page = await browser.open(join(folder, 'frame-tables.html'));
same(await page.evaluate('[document.scripts.length, document.querySelectorAll(".drawing").length, document.querySelector("details").open]'), [0, 0, true], 'without the library, the tables stand open');
note(await page.evaluate('document.querySelector(".note").textContent.includes("make report-assets")'), 'and the page says how to get charts');
await page.close();
await browser.close();
finish();
