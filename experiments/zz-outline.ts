import { trueFields, match } from "./field-truth.ts";
import { atWorkingScale, WORKING_LENGTH, squareAround } from "../src/fields/scale.ts";
import { Detector, headsIn } from "../src/fields/detector.ts";
import { fineMask } from "../src/fields/outline.ts";
import { DETECTOR_SETTINGS } from "../src/fields/detector-network.ts";
import { readArrays } from "../src/runs/index.ts";
import { parseState } from "../src/autodiff/index.ts";
import { backgroundColour, contrast, morphometry, parts, PARTS } from "../src/heads/index.ts";
import { largestRegion, fillHoles, open, halfWidth, type Mask } from "../src/imaging/index.ts";
import { refineBoundary } from "../src/heads/boundary.ts"; import { gaussian } from "../src/imaging/index.ts"; import { DEFAULT_OPTIONS } from "../src/heads/index.ts";
const L=Number(process.argv[3] ?? 80);
const weights=parseState((await readArrays(process.argv[2]!)).arrays.w as Uint8Array);
const det=await Detector.ofWeights(weights, DETECTOR_SETTINGS, {threads:2});
const d1:number[]=[],d2:number[]=[],len:number[]=[],wid:number[]=[],acN:number[]=[],acC:number[]=[],acCb:number[]=[]; const len2:number[]=[],wid2:number[]=[]; let ms=[0,0,0]; let nf=0; const bias:number[]=[];
for await (const f of trueFields("../shared/data/fields", (i)=> i%4===0)) { nf++;
  let t=performance.now(); const small=await atWorkingScale(f.image,L); ms[0]!+=performance.now()-t; t=performance.now();
  const maps=await det.maps(small,backgroundColour(small)); ms[1]!+=performance.now()-t; t=performance.now();
  const list=headsIn(maps,small.width,small.height).filter(r=>r.score>.7&&r.area>350); ms[2]!+=performance.now()-t;
  const scale=WORKING_LENGTH/L; const W=f.image.width;
  const px: number[][]=[]; const wins=[] as {mask:Mask,left:number,top:number, side:number, refined:Mask, plane: ReturnType<typeof contrast>["plane"]}[];
  for (const r of list) { const side=Math.round(2.2*L); const {image,left,top}=squareAround(f.image,r.x/scale,r.y/scale,side); const mask=fineMask({...small,data:maps.head},r.pixels,{left,top,side,scale});
    const c=contrast(image); const rm=largestRegion(mask)!; const refined=refineBoundary(gaussian(c.plane,1.2),rm,DEFAULT_OPTIONS);
    wins.push({mask:rm,left,top,side,refined,plane:c.plane}); const p:number[]=[]; for(let i=0;i<side*side;i++) if(rm.data[i]){const x=left+i%side,y=top+Math.floor(i/side); if(x>=0&&y>=0&&x<W&&y<f.image.height) p.push(y*W+x);} px.push(p); }
  const m=match(px,f);
  m.of.forEach((o,k)=>{ if(!o) return; const h=f.heads[o.head]!; if(h.cut) return; d1.push(o.dice); const w=wins[k]!; 
    let both=0,all=0; const set=new Set(h.pixels); for(let i=0;i<w.side*w.side;i++) if(w.refined.data[i]){all++; const x=w.left+i%w.side,y=w.top+Math.floor(i/w.side); if(set.has(y*W+x)) both++;} d2.push(2*both/(all+h.pixels.length));
    const truth:Mask={width:w.side,height:w.side,data:new Uint8Array(w.side*w.side)}; for(const i of h.pixels){const x=i%W-w.left,y=Math.floor(i/W)-w.top; if(x>=0&&y>=0&&x<w.side&&y<w.side) truth.data[y*w.side+x]=1;}
    const mt=morphometry(truth,truth,w.plane)!; const p1=parts(w.mask,w.plane); const mm=morphometry(w.mask,p1,w.plane)!; const p2=parts(w.refined,w.plane); const mr=morphometry(w.refined,p2,w.plane)!;
    len.push(Math.abs(mm.lengthPx/mt.lengthPx-1)); wid.push(Math.abs(mm.widthPx/mt.widthPx-1)); len2.push(Math.abs(mr.lengthPx/mt.lengthPx-1)); wid2.push(Math.abs(mr.widthPx/mt.widthPx-1)); bias.push(mm.areaPx/mt.areaPx);
    const ta=h.acrosome/h.pixels.length; acC.push(Math.abs(mm.acrosomeShare-ta)); acCb.push(mm.acrosomeShare-ta); const ac=fineMask({...small,data:maps.acrosome},Int32Array.from(list[k]!.pixels.filter(i=>maps.acrosome[i]!>=128)),{left:w.left,top:w.top,side:w.side,scale}); let na=0,nn=0; for(let i=0;i<w.mask.data.length;i++) if(w.mask.data[i]){nn++; if(ac.data[i]) na++;} acN.push(na/nn-ta);
  });
}
const med=(a:number[])=>[...a].sort((x,y)=>x-y)[a.length>>1]!.toFixed(4);
console.log({n:d1.length,diceFine:med(d1),diceRefined:med(d2),len:med(len),wid:med(wid),len2:med(len2),wid2:med(wid2),area:med(bias),acClassicAbs:med(acC),acClassicBias:med(acCb),acNetAbs:med(acN.map(Math.abs)),acNetBias:med(acN)}, ms.map(v=>v/nf));
