// test/browser/charts.mjs FOLDER - the charts of charts.sql, drawn as SVG, whose letters can be asked where they are.
import { join } from 'node:path';
import { launch, note, same, finish } from './chromium.mjs';

const folder = process.argv[2];
const browser = await launch();

// Draws each option of the page in a place of its own, as wide as asked; what is said of its letters.
const look = width => `(() => {
	// Where an element can be seen: a page of a legend ends with its clip, whatever else lies behind that.
	const seen = (e, place) => {
		const r = e.getBoundingClientRect(), s = { left: r.left, right: r.right, top: r.top, bottom: r.bottom };
		for (let g = e; g !== place; g = g.parentNode) {
			const clip = /url\\(#(.+)\\)/.exec(g.getAttribute('clip-path') ?? '');
			if (!clip)
				continue;
			const b = document.getElementById(clip[1]).firstElementChild.getBBox(), m = g.getScreenCTM();
			s.left = Math.max(s.left, m.a * b.x + m.e), s.right = Math.min(s.right, m.a * (b.x + b.width) + m.e);
			s.top = Math.max(s.top, m.d * b.y + m.f), s.bottom = Math.min(s.bottom, m.d * (b.y + b.height) + m.f);
		}
		return s;
	};
	const cut = [], over = [], silent = [], kinds = [];
	for (const script of document.querySelectorAll('script[data-for]')) {
		const option = JSON.parse(script.textContent), place = document.createElement('div');
		option.title.show = true;
		place.style.cssText = 'position: absolute; left: 0; top: 0; width: ${width}px; height: ' + option.crm.height + 'px';
		document.body.append(place);
		const chart = echarts.init(place, null, { renderer: 'svg' }), box = place.getBoundingClientRect(), name = option.crm.kind;
		chart.setOption(option);
		const letters = () => [...place.querySelectorAll('text')].filter(t => t.textContent.trim() !== '').map(t => ({ text: t.textContent, r: seen(t, place) })).filter(t => t.r.right > t.r.left && t.r.bottom > t.r.top);
		const all = letters();
		// A legend that is wider turns its pages.
		const pages = (option.legend?.data ?? []).map(d => d.name ?? d);
		for (const { text, r } of all.filter(t => !pages.includes(t.text)))
			if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1)
				cut.push(name + ': ' + text);
		// The title block, the legend and the names of axes; labels within the drawing may lie on it.
		const head = [option.title.text, option.title.subtext ?? '', ...(option.legend?.data ?? []).map(d => d.name ?? d), option.yAxis?.name ?? ''].join('\\n').split('\\n').filter(t => t !== '');
		const heads = all.filter(t => head.includes(t.text));
		for (const a of heads)
			for (const b of all)
				if (a !== b && a.r.left < b.r.right - 1 && b.r.left < a.r.right - 1 && a.r.top < b.r.bottom - 2 && b.r.top < a.r.bottom - 2)
					over.push(name + ': ' + a.text + ' and ' + b.text);
		if (!option.crm.empty) {
			chart.dispatchAction({ type: 'showTip', seriesIndex: 0, dataIndex: 1 });
			chart.getZr().flush();
			if (letters().length === all.length)
				silent.push(name);
			kinds.push(name);
		}
		chart.dispose();
		place.remove();
	}
	return { cut, over: [...new Set(over)], silent, kinds: new Set(kinds).size };
})()`;

for (const lang of ['en', 'zh']) {
	const page = await browser.open(join(folder, `charts-${lang}.html`), { width: 1400 });
	for (const width of [330, 770, 1370]) {
		const seen = await page.evaluate(look(width));
		same(seen.kinds, 12, `charts in ${lang}, ${width} wide: of every kind`);
		same(seen.cut, [], `charts in ${lang}, ${width} wide: no letter is cut off`);
		same(seen.over, [], `charts in ${lang}, ${width} wide: nothing lies on title, legend or names of axes`);
		same(seen.silent, [], `charts in ${lang}, ${width} wide: each tells a pointer its numbers`);
	}
	same(page.problems, [], `charts in ${lang}: nothing to complain about`);
	await page.close();
}
await browser.close();
finish();
