/** The report's style: light and dark, printable, colours of Okabe and Ito that colour-blind readers tell apart. */
export const STYLE = `
:root{--bg:#fff;--fg:#1d2127;--soft:#5b6470;--line:#dde2e8;--card:#f5f7f9;--blue:#0072b2;--orange:#d55e00;--on:#fff}
@media (prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e9ed;--soft:#a0a9b4;--line:#2d343c;--card:#1c2127;--blue:#56b4e9;--orange:#e69f00;--on:#10131a}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 24px 60px}
h1{font-size:26px;margin:4px 0 12px}h2{font-size:19px;margin:40px 0 10px;padding-top:14px;border-top:1px solid var(--line)}h3{font-size:15px;margin:20px 0 8px}
.use{color:var(--orange);font-weight:600;margin:0}
.headline{display:flex;gap:22px;align-items:center;flex-wrap:wrap}.headline p{margin:2px 0;max-width:70ch}.big{font-size:54px;font-weight:700;color:var(--blue);line-height:1}
.warning{border-left:4px solid var(--orange);padding:8px 12px;background:var(--card)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(120px,1fr));gap:10px;margin:18px 0 0}.cards div{background:var(--card);border-radius:6px;padding:8px 12px}dt{color:var(--soft);font-size:12.5px}dd{margin:0;font-size:18px;font-weight:600;font-variant-numeric:tabular-nums}
.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:24px;align-items:start}.grid3{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:18px}
figure{margin:0}figure svg{width:100%;height:auto;max-height:420px}figcaption{color:var(--soft);font-size:13px;max-width:60ch}
svg text{fill:var(--fg);font:12px system-ui,sans-serif}svg .tick{fill:var(--soft);font-size:11.5px}svg .axis{fill:var(--soft)}svg .count{font-size:19px;font-weight:600}svg .on{fill:var(--on)}
svg .grid{stroke:var(--line)}svg .thin{fill:none;stroke:var(--blue);stroke-width:1;opacity:.45}svg .bold{fill:none;stroke:var(--blue);stroke-width:2.4}svg .diagonal{fill:none;stroke:var(--soft);stroke-dasharray:4 4}
svg .right{fill:var(--blue)}svg .wrong{fill:var(--orange)}svg .dot{fill:var(--blue)}svg .whisker{stroke:var(--blue);stroke-width:2.5;opacity:.5}svg .mean{stroke:var(--orange);stroke-width:1.5;stroke-dasharray:5 4}svg .bar{fill:var(--blue)}
table{border-collapse:collapse;margin:12px 0;font-variant-numeric:tabular-nums;font-size:14px}th,td{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:500}td{overflow-wrap:anywhere}
.crops{display:grid;grid-template-columns:repeat(auto-fill,minmax(160px,1fr));gap:18px}.crop svg{width:100%;border-radius:4px;display:block}.crop p{margin:4px 0;font-size:13px}.crop .id{color:var(--soft);font-size:11.5px;overflow-wrap:anywhere}.crop .bad{color:var(--orange)}
.outline polygon{fill:none;stroke:#00e5a8;stroke-width:1.1}
.bars .row{display:flex;align-items:center;gap:6px;font-size:11.5px;color:var(--soft)}.bars span{width:70px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.bars b{height:7px;background:var(--blue);border-radius:2px;min-width:1px}.bars i{font-style:normal}
pre,code{background:var(--card);border-radius:4px;font:12.5px ui-monospace,Menlo,Consolas,monospace}pre{padding:10px 12px;overflow:auto;white-space:pre-wrap}code{padding:1px 4px;overflow-wrap:anywhere}
footer{margin-top:50px;color:var(--soft);font-size:13px;border-top:1px solid var(--line);padding-top:10px}
@media print{main{max-width:none;padding:0}section{break-inside:avoid-page}details{display:none}}
`.trim();
