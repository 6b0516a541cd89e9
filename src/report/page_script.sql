-- What a page does when it is opened: it draws the options that stand in it, and draws them anew when the window's width,
-- the colours or the medium change.  It asks nothing of anybody.

CREATE FUNCTION @extschema@.page_script() RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10 SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN $js$
(function () {
	'use strict';
	if (typeof echarts === 'undefined')
		return;
	var dark = window.matchMedia('(prefers-color-scheme: dark)');
	var chinese = document.documentElement.lang.slice(0, 2) === 'zh';
	var drawn = [];

	// Bars that lie need a height for each of them.
	function height(option) {
		var axis = [].concat(option.yAxis || [])[0];
		if (option.crm && option.crm.height)
			return option.crm.height;
		return axis && axis.type === 'category' && axis.data ? Math.max(240, axis.data.length * 26 + 110) : 320;
	}
	// The page has the title, and the note below it, as texts: the drawing moves up into their place.
	function raise(option) {
		var title = [].concat(option.title || [])[0] || {};
		var lines = function (text) { return text ? String(text).split('\n').length : 0; };
		var by = lines(title.text) * 21 + lines(title.subtext) * 20;
		['grid', 'legend', 'calendar', 'series', 'visualMap'].forEach(function (part) {
			[].concat(option[part] || []).forEach(function (p) {
				if (typeof p.top === 'number')
					p.top = Math.max(0, p.top - by);
			});
		});
		option.title = { show: false };
		return by;
	}
	// The names of bars have a third of the width; what does not fit is cut.
	function names(option, width) {
		[].concat(option.yAxis || []).forEach(function (axis) {
			if (axis.axisLabel && axis.axisLabel.width)
				axis.axisLabel.width = Math.max(80, Math.round(width / 3));
		});
	}
	function draw(data) {
		var place = document.getElementById(data.getAttribute('data-for'));
		var option = JSON.parse(data.textContent);
		place.style.height = height(option) - raise(option) + 'px';
		delete option.crm;
		option.backgroundColor = 'transparent';
		option.animation = false;
		// Text, not markup: what a name holds is never read as a tag.
		option.tooltip = [].concat(option.tooltip || {}).map(function (t) { return Object.assign({}, t, { renderMode: 'richText', confine: true }); });
		// Lines and letters stay sharp on paper.
		var chart = echarts.init(place, dark.matches ? 'dark' : null, { renderer: 'svg', locale: chinese ? 'ZH' : 'EN' });
		names(option, place.clientWidth);
		chart.setOption(option);
		drawn.push({ chart: chart, option: option, place: place });
	}
	function colours(isDark) {
		drawn.forEach(function (d) { d.chart.setTheme(isDark ? 'dark' : 'default'); });
	}
	function fit() {
		drawn.forEach(function (d) {
			names(d.option, d.place.clientWidth);
			if (d.option.yAxis)
				d.chart.setOption({ yAxis: d.option.yAxis });
			d.chart.resize();
		});
	}
	Array.prototype.forEach.call(document.querySelectorAll('script[data-for]'), function (data) {
		// One chart that cannot be drawn leaves the others, and its table opens.
		try {
			draw(data);
		} catch (problem) {
			console.error(data.getAttribute('data-for') + ': ' + problem);
			data.parentNode.querySelector('details').open = true;
		}
	});
	dark.addEventListener('change', function () { colours(dark.matches); });
	window.addEventListener('resize', fit);
	window.addEventListener('beforeprint', function () { colours(false); fit(); });
	window.addEventListener('afterprint', function () { colours(dark.matches); fit(); });
	document.documentElement.setAttribute('data-drawn', drawn.length);
})();
$js$;
END
$$;
COMMENT ON FUNCTION @extschema@.page_script() IS
	'the script of pages: draws the charts that stand in the page, again when its width, its colours or the medium change; asks nothing of the network';
