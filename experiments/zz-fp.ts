import { trueFields, match } from "./field-truth.ts";
import { atWorkingScale } from "../src/fields/scale.ts";
import { Detector, headsIn } from "../src/fields/detector.ts";
import { readDetector } from "../src/fields/index.ts";
import { backgroundColour, contrast } from "../src/heads/index.ts";
import { ellipseOf } from "../src/fields/ellipse.ts";
const L=80; const k=await readDetector(process.argv[2]!); const det=await Detector.ofWeights(k.weights,k.settings,{threads:2});
const up=(px:ArrayLike<number>,w:number,W:number)=>{ const out:number[]=[]; for(let p=0;p<px.length;p++){const i=px[p]!; const x=i%w,y=(i-x)/w; for(let v=0;v<2;v++)for(let u=0;u<2;u++) out.push((2*y+v)*W+2*x+u);} return out;};
const tp:number[][]=[],fp:number[][]=[];
for await (const f of trueFields("../shared/data/fields",(i)=>i%4===0)) { const s=await atWorkingScale(f.image,L); const maps=await det.maps(s,backgroundColour(s)); const list=headsIn(maps,s.width,s.height); const plane=contrast(s).plane;
 const m=match(list.map(r=>up(r.pixels,s.width,f.image.width)),f);
 list.forEach((r,i)=>{ if(r.touchesBorder) return; let a=0,ac=0; let p90:number[]=[]; for(const q of r.pixels){a+=plane.data[q]!; p90.push(plane.data[q]!); if(maps.acrosome[q]!>127) ac++;} p90.sort((x,y)=>x-y); const e=ellipseOf(r,s.width); const row=[r.area,r.score,a/r.area,p90[Math.floor(.9*p90.length)]!,e.length/e.width,e.filled,ac/r.area,f.index]; (m.of[i]?tp:fp).push(row); });
}
const q=(a:number[],p:number)=>{const s=[...a].sort((x,y)=>x-y); return s[Math.floor(p*(s.length-1))]!.toFixed(3)};
["area","score","abs","p90","ratio","filled","acro"].forEach((n,c)=>console.log(n,"TP",[0,.01,.02,.05,.5,.95,.99,1].map(p=>q(tp.map(r=>r[c]!),p)).join(" ")," FP",[0,.1,.5,.9,1].map(p=>q(fp.map(r=>r[c]!),p)).join(" ")));
for(const r of fp.filter(r=>r[0]!>396&&r[1]!>.85)) console.log(r.map(v=>v.toFixed(2)).join(" "));
