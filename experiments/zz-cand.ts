import { existsSync } from "node:fs";
import { trueFields, match, type TrueField } from "./field-truth.ts";
import { lessonsFrom } from "../src/fields/lessons.ts"; import { atWorkingScale } from "../src/fields/scale.ts";
import { learnDetector } from "../src/fields/learn.ts";
import { Detector, type Found } from "../src/fields/detector.ts";
import { DETECTOR_SETTINGS } from "../src/fields/detector-network.ts";
import { readArrays, writeArrays } from "../src/runs/index.ts";
import { parseState, serializeState } from "../src/autodiff/index.ts";
const L=80, s=2;
const fields: TrueField[] = []; for await (const f of trueFields("../shared/data/fields", (i)=> i%4===0)) fields.push(f);
const FILE="/tmp/runs/detector.bin";
if (!existsSync(FILE) || process.argv[2]==="learn") {
  async function* images(){ for await (const f of trueFields("../shared/data/fields", (i)=> i%4===1 || i%4===3)) yield f.image; }
  let t=performance.now();
  const lessons = await lessonsFrom(images(), L, (n)=>{ if(n%20===0) console.log("prep",n,performance.now()-t) });
  t=performance.now();
  const weights = await learnDetector({ lessons, seed:1, threads:2, progress: { ...(await import("../src/runs/index.ts")).silent, update(n:number, text?:string){ if(n%50===0) console.log(n,text,Math.round(performance.now()-t)); } } as never});
  await writeArrays(FILE,{arrays:{w:serializeState(weights)},meta:{}});
}
const weights=parseState((await readArrays(FILE)).arrays.w as Uint8Array);
const det=await Detector.ofWeights(weights, DETECTOR_SETTINGS, {threads:2});
const up=(px:ArrayLike<number>,w:number,W:number)=>{ const out:number[]=[]; for(let p=0;p<px.length;p++){const i=px[p]!; const x=i%w,y=(i-x)/w; for(let v=0;v<2;v++)for(let u=0;u<2;u++) out.push((2*y+v)*W+2*x+u);} return out;};
type Row={score:number; hit:number; dice:number; border:boolean; cutTruth:boolean; area:number; field:number};
const rows:Row[]=[]; let n=0; let time=0; let touch=0; const found:{f:TrueField,list:Found[],m:ReturnType<typeof match>}[]=[];
for (const f of fields) { const t=performance.now(); const small=await atWorkingScale(f.image,L); const list=await det.find(small); time+=performance.now()-t;
  const m=match(list.map(r=>up(r.pixels,small.width,f.image.width)),f); found.push({f,list,m});
  n+=f.heads.filter(h=>!h.cut).length; touch+=f.heads.filter(h=>!h.cut&&h.touching).length;
}
for (const th of [0.5,0.7,0.8,0.85,0.9]) for (const lo of [200,300,400]) { let tp=0,fp=0,th2=0; const d:number[]=[]; const hitset=new Set<string>();
  for (const {f,list,m} of found) list.forEach((r,i)=>{ if(r.score<th||r.area<lo) return; const o=m.of[i]; if(o){const h=f.heads[o.head]!; const key=f.index+"/"+o.head; if(!h.cut&&!hitset.has(key)){hitset.add(key);tp++;d.push(o.dice); if(h.touching)th2++;}} else if(!r.touchesBorder){fp++; if(th===0.7&&lo===300) console.log("FP",f.index,r.x*2,r.y*2,r.area,r.score.toFixed(2));} });
  if(th===0.7&&lo===300) for(const {f} of found) f.heads.forEach((h,k)=>{ if(!h.cut&&!hitset.has(f.index+"/"+k)) console.log("MISS",h.id,h.pixels.length,h.touching, h.pixels[0]!%f.image.width, Math.floor(h.pixels[0]!/f.image.width)); });
  d.sort((a,b)=>a-b); console.log(th,lo,{tp,fp,fn:n-tp,F1:(2*tp/(2*tp+fp+n-tp)).toFixed(4),dice:d[d.length>>1]?.toFixed(4),touch:`${th2}/${touch}`}); }
console.log("ms",time/fields.length);
