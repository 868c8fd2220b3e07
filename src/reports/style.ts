/**
 * The report's style: light and dark, narrow and wide, printable. Colours after Okabe and Ito, which colour-blind
 * readers tell apart, darkened or lightened until text reaches a contrast of 4.5 and lines of 3 on their ground.
 */

const THEMES = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1d2127;--soft:#56606c;--line:#d9dfe6;--card:#f4f6f8;--blue:#0072b2;--orange:#b34700;--blue-cell:0 114 178;--orange-cell:213 94 0;--deep:.5;--shade:rgb(0 0 0/.22);
--c0:#0072b2;--c1:#b34700;--c2:#007a5a;--c3:#a3457f;--c4:#6b5d00;--c5:#5b6470}
@media screen and (prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e8ebef;--soft:#a5aeb9;--line:#2f3740;--card:#1d2228;--blue:#56b4e9;--orange:#f0a020;--blue-cell:86 180 233;--orange-cell:240 160 32;--deep:.42;--shade:rgb(0 0 0/.8);
--c0:#56b4e9;--c1:#f0a020;--c2:#2fc79a;--c3:#e08ec0;--c4:#d8ca3c;--c5:#a5aeb9}}`;

const PAGE = `
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 24px 60px}
h1{font-size:26px;line-height:1.25;margin:4px 0 14px}h2{font-size:20px;margin:44px 0 12px;padding-top:16px;border-top:1px solid var(--line)}h3{font-size:15px;margin:20px 0 6px}h2.quiet{font-size:15px;margin:22px 0 0;padding:0;border:0}
h1,h2,h3,p,dd,li,th,td,summary,figcaption{overflow-wrap:anywhere}p{max-width:84ch}
a{color:var(--blue)}small{color:var(--soft);font-size:12px}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
.use{display:inline-block;margin:0 0 8px;padding:2px 10px;border:1.5px solid var(--orange);border-radius:4px;color:var(--orange)}
.headline{display:flex;gap:8px 24px;align-items:center;flex-wrap:wrap}.headline>div:last-child{flex:1 1 320px}.headline p{margin:4px 0}.big{font-size:54px;font-weight:700;color:var(--blue);line-height:1;white-space:nowrap}
.tag{display:inline-block;padding:0 8px;border-radius:10px;border:1px solid var(--blue);color:var(--blue);font-size:12.5px;font-weight:600;white-space:nowrap}.tag.bad{border:1px dashed var(--orange);color:var(--orange)}
.warning{border-left:4px solid var(--orange);padding:8px 12px;background:var(--card);margin:12px 0;max-width:none}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(232px,1fr));gap:8px;margin:14px 0}.cards div{background:var(--card);border-radius:6px;padding:8px 12px}.cards dt{color:var(--soft);font-size:12.5px}.cards dd{margin:0;font-size:18px;font-weight:600;font-variant-numeric:tabular-nums}.cards small{display:block;font-weight:400;font-size:11.5px;line-height:1.35}
nav ul{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:24px 0 0;padding:10px 0;border-top:1px solid var(--line)}nav+section h2{margin-top:8px}
.beside{display:flex;flex-wrap:wrap;gap:0 36px;align-items:flex-start}.beside>:first-child{flex:0 1 auto;min-width:min(100%,300px);max-width:min(100%,500px)}.beside>:first-child figcaption{width:0;min-width:100%}.beside>:last-child{flex:1 1 520px;min-width:0}.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:12px 36px;align-items:start}.grid2>*{min-width:0}
figure{margin:0}figure h3{margin-top:8px}.stack figure+figure,section>figure{margin-top:26px}h2+figure{margin-top:0}figure>svg{display:block;width:100%;max-width:500px;height:auto}figcaption{color:var(--soft);font-size:13px;max-width:78ch;margin-top:6px}
details{margin:12px 0}summary{cursor:pointer}
pre,code{background:var(--card);border-radius:4px;font:12.5px/1.45 ui-monospace,Menlo,Consolas,monospace}pre{padding:10px 12px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}code{padding:1px 4px;overflow-wrap:anywhere}
footer{margin-top:50px;color:var(--soft);font-size:13px;border-top:1px solid var(--line);padding-top:10px}`;

const TABLES = `
.scroll{overflow-x:auto;max-width:100%;background:linear-gradient(to right,var(--bg) 40%,transparent) left/28px 100% no-repeat local,linear-gradient(to left,var(--bg) 40%,transparent) right/28px 100% no-repeat local,linear-gradient(to right,var(--shade),transparent) left/12px 100% no-repeat scroll,linear-gradient(to left,var(--shade),transparent) right/12px 100% no-repeat scroll}
table{border-collapse:collapse;margin:8px 0;font-variant-numeric:tabular-nums;font-size:14px}th,td{text-align:left;padding:5px 16px 5px 0;border-bottom:1px solid var(--line);vertical-align:middle}thead th{color:var(--soft);font-weight:500;vertical-align:bottom}tbody th{font-weight:500}
td,th{overflow-wrap:normal;white-space:nowrap}.long{white-space:normal;overflow-wrap:anywhere;min-width:13ch;max-width:60ch}th.number,td.number{text-align:right}
.whiskers{display:block;max-width:none}.reading{font-size:12.5px;white-space:nowrap}.reading b{font-weight:600}.reading small{margin-left:4px}
.confusion{border-collapse:separate;border-spacing:2px}.confusion th,.confusion td{border:0;padding:4px 6px}.confusion thead th{text-align:center;font-size:12.5px;line-height:1.2}.confusion .over{font-size:13px}
.confusion tbody th{text-align:right;max-width:150px;padding-right:8px;font-size:12.5px;line-height:1.2}.confusion th span{white-space:normal;overflow-wrap:anywhere;display:inline-block}
.confusion td.right,.confusion td.wrong{min-width:52px;height:46px;text-align:center;border-radius:3px}.confusion td b{display:block;font-size:16px;line-height:1.15}.confusion td small{color:inherit;font-size:11px}
.confusion td.right{background:rgb(var(--blue-cell)/calc(.05 + var(--deep)*var(--share)));box-shadow:inset 0 0 0 1.5px var(--blue)}.confusion td.wrong{background:rgb(var(--orange-cell)/calc(.04 + var(--deep)*var(--share)))}
.confusion .sum,.confusion .corner{color:var(--soft);font-size:12.5px;text-align:center;font-weight:400}.confusion thead .sum,.confusion .corner{vertical-align:bottom}.confusion .corner,.confusion tbody th.sum{text-align:right;padding-right:8px}
.steep thead tr:last-child th{vertical-align:bottom;padding:4px 2px}.steep thead tr:last-child th span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:150px;text-align:left;white-space:normal}
.steep td.right,.steep td.wrong{min-width:44px}`;

const DRAWINGS = `
svg text{fill:var(--fg);font:13px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}svg .tick{fill:var(--soft);font-size:12px}svg .axis{fill:var(--soft)}
svg .grid{stroke:var(--line)}svg .bold{fill:none;stroke:var(--blue);stroke-width:2.4}svg .diagonal{fill:none;stroke:var(--soft);stroke-width:1.5;stroke-dasharray:4 4}
svg .dot{fill:var(--blue)}svg .whisker{stroke:var(--blue);stroke-width:2.5;opacity:.6}svg .mean{stroke:var(--orange);stroke-width:1.5;stroke-dasharray:4 3}svg .bar{fill:var(--blue)}svg .median{stroke:var(--fg);stroke-width:1.5;stroke-dasharray:4 3}svg .soft{opacity:.45}svg .band{fill:var(--blue);opacity:.17}
svg .fold{fill:none;stroke-width:1.3}${[0, 1, 2, 3, 4, 5].map((i) => `svg .c${i}{stroke:var(--c${i})}`).join("")}svg .d1{stroke-dasharray:7 3}svg .d2{stroke-dasharray:2 2}svg .mean-curve{stroke:var(--fg);stroke-width:2.6}
.legend{display:flex;flex-wrap:wrap;gap:2px 18px;list-style:none;padding:0;margin:8px 0;font-size:13px}.legend svg{width:28px;height:10px;margin-right:6px;vertical-align:middle}`;

const CROPS = `
.crops{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:20px 16px;list-style:none;padding:0;margin:12px 0}.crop>svg{width:100%;height:auto;border-radius:4px;display:block;background:var(--card)}.crop .id{color:var(--soft);font-size:11.5px;line-height:1.4;margin:6px 0 0}
.crop dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:0 8px;margin:6px 0;font-size:13px;line-height:1.4}.crop dt{color:var(--soft)}.crop dd{margin:0;font-weight:600}.crop .bad{color:var(--orange)}
.crop polygon{fill:none;vector-effect:non-scaling-stroke}.casing polygon{stroke:#10131a;stroke-width:3;stroke-opacity:.5;stroke-linejoin:round}.outline polygon,.pseudo polygon{stroke:#2df5bd;stroke-width:1.6;stroke-linejoin:round}.pseudo polygon{stroke:#ffe14d;stroke-dasharray:3 3}
.bars{list-style:none;margin:0;padding:0;font-size:11.5px;line-height:1.3;color:var(--soft)}.bars li{display:grid;grid-template-columns:minmax(0,1.7fr) minmax(20px,1fr) 2.4ch;gap:6px;align-items:center;font-variant-numeric:tabular-nums}.bars li>:last-child{text-align:right}.track{background:var(--card);border-radius:2px}.track span{display:block;height:7px;background:var(--blue);border-radius:2px;min-width:1px}`;

const NARROW_AND_PRINT = `
@media (max-width:560px){main{padding:16px 14px 40px}.big{font-size:46px}.crops{grid-template-columns:repeat(2,minmax(0,1fr));gap:18px 12px}.cards{grid-template-columns:repeat(2,minmax(0,1fr))}th,td{padding-right:8px}table{font-size:13px}thead th{white-space:normal}.long{min-width:0;max-width:100px}.whiskers{width:72px;height:auto}.whiskers[width="240"]{width:120px}.reading small{display:block;margin:0}
.confusion{border-spacing:1px}.confusion th,.confusion td{padding:2px 3px}.confusion tbody th{max-width:96px;padding-right:5px}.confusion td.right,.confusion td.wrong{min-width:40px;height:42px}.steep td.right,.steep td.wrong{min-width:38px}}
@media print{body{font-size:12px;-webkit-print-color-adjust:exact;print-color-adjust:exact}main{max-width:none;padding:0}nav{display:none}h1{font-size:20px}h2{font-size:15px;margin-top:22px;padding-top:8px}h2,h3,summary{break-after:avoid}figure,.crop,tr,.headline,.warning{break-inside:avoid}.beside{display:flex;flex-wrap:wrap;gap:0 36px;align-items:flex-start}.beside>:first-child{flex:0 1 auto;min-width:min(100%,300px);max-width:min(100%,500px)}.beside>:first-child figcaption{width:0;min-width:100%}.beside>:last-child{flex:1 1 520px;min-width:0}.grid2{grid-template-columns:1fr 1fr;gap:8px 20px}.scroll{overflow:visible;background:none}.beside{display:block}figure>svg{max-width:330px}.crops{grid-template-columns:repeat(4,1fr);gap:12px}.crop>svg{max-width:130px}.big{font-size:40px}.whiskers{width:90px;height:auto}.whiskers[width="240"]{width:150px}th,td{padding-right:9px}table{font-size:11.5px}.reading small{display:block;margin:0}figcaption{font-size:11px}.cards{grid-template-columns:repeat(4,1fr)}.cards dd{font-size:14px}pre,code{font-size:10.5px}details pre{columns:2}details::details-content{display:block;content-visibility:visible}}`;

export const STYLE = [THEMES, PAGE, TABLES, DRAWINGS, CROPS, NARROW_AND_PRINT]
  .join("\n")
  .replace(/^\n+|\n+$/g, "")
  .replace(/\n+/g, "\n");
