-- How pages look: on a phone, on a screen, in the dark, on paper.

CREATE FUNCTION @extschema@.page_style() RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10 SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN $css$
:root { color-scheme: light dark; --paper: #ffffff; --panel: #f6f7f9; --line: #d9dde3; --ink: #1b1f24; --soft: #57606a; --link: #0b5cad; --mark: #0b5cad; --warn: #8a4b00; --good: #1a6b3c; }
@media (prefers-color-scheme: dark) {
:root { --paper: #14171c; --panel: #1d2128; --line: #39404a; --ink: #e6e9ee; --soft: #a3adb9; --link: #79b8ff; --mark: #79b8ff; --warn: #f0b35e; --good: #6fcf97; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -100vw; padding: .5rem 1rem; background: var(--paper); color: var(--link); z-index: 9; }
.skip:focus { left: 0; top: 0; }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 1rem; }
header h1 { margin: .25rem 0; font-size: 1.6rem; line-height: 1.25; }
header p, footer p { margin: .25rem 0; color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .75rem 0 0; padding: 0; list-style: none; }
section { margin: 0 0 2rem; }
h2 { margin: 1.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); font-size: 1.25rem; }
main section:first-child h2 { margin-top: 0; }
h3, h2.title { margin: 0 0 .5rem; padding: 0; border: 0; font-size: 1rem; }
td, th, dd, li, h1, h2, h3, h4 { unicode-bidi: isolate; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 0 0 1rem; padding: 0; }
.figures div { padding: .6rem .8rem; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); }
.figures dt { color: var(--soft); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; }
.figures dd.long { font-size: 1rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; align-items: start; }
figure { margin: 0; padding: .8rem; border: 1px solid var(--line); border-radius: 6px; min-width: 0; }
figure.wide { grid-column: 1 / -1; }
.drawing { width: 100%; height: 20rem; }
.said { margin: 0 0 .5rem; color: var(--soft); font-size: .9rem; }
.lead { font-size: 1.1rem; margin: 0 0 1rem; }
h4 { margin: 0 0 .25rem; font-size: .95rem; }
.bars { display: block; width: 100%; max-width: 30rem; height: 4.5rem; border-bottom: 1px solid var(--line); }
.bars rect { fill: var(--mark); }
.empty { padding: 1.5rem 1rem; margin: 0; text-align: center; color: var(--soft); background: var(--panel); border-radius: 6px; }
details { margin-top: .5rem; }
summary { cursor: pointer; color: var(--link); font-size: .9rem; padding: .15rem 0; }
.scroll { overflow-x: auto; max-width: 100%; margin: .25rem 0 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; color: var(--soft); padding: 0 0 .25rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: normal; word-break: normal; }
.why td { overflow-wrap: anywhere; }
td { overflow-wrap: break-word; }
th[scope=row] { width: 9rem; }
td.t { white-space: nowrap; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.note { margin: .5rem 0; padding: .6rem .8rem; border-left: 4px solid var(--mark); background: var(--panel); border-radius: 0 6px 6px 0; }
.warn { border-left-color: var(--warn); }
ul.plain { margin: 0; padding: 0; list-style: none; }
ul.plain > li { padding: .5rem 0; border-bottom: 1px solid var(--line); }
ul.plain > li.note { padding: .6rem .8rem; }
.scroll + h3, .scroll + p, .scroll + .charts { margin-top: 1.25rem; }
ul.plain table td, ul.plain table th { border: 0; padding-block: .1rem; }
code { font: .9em ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono", monospace; background: var(--panel); padding: 0 .2rem; border-radius: 3px; }
@media (max-width: 40rem) {
header, main, footer { padding: .75rem; }
header h1 { font-size: 1.3rem; }
table { font-size: .82rem; }
th, td { padding: .25rem .4rem; }
th[scope=row] { width: 5.5rem; }
figure { padding: .5rem; }
.figures { grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); }
}
@media print {
:root { color-scheme: light; --paper: #ffffff; --panel: #ffffff; --line: #bbbbbb; --ink: #000000; --soft: #444444; --link: #000000; --mark: #000000; --warn: #000000; --good: #000000; }
body { font-size: 10pt; }
header, main, footer { max-width: none; padding: 0; }
nav, .skip, summary { display: none; }
figure, .figures div, tr, ul.plain > li { break-inside: avoid; }
h2, h3 { break-after: avoid; }
.scroll { overflow: visible; }
.charts { grid-template-columns: 1fr 1fr; }
a { text-decoration: none; }
}
$css$;
END
$$;
COMMENT ON FUNCTION @extschema@.page_style() IS
	'the style sheet of pages: narrow and wide screens, light and dark, paper';
