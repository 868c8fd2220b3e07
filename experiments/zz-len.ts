import { openDataset, phantomDataset } from "../src/datasets/index.ts"; import { estimateHeadLength } from "../src/fields/head-length.ts"; import { trueFields } from "./field-truth.ts"; import { resized } from "../src/imaging/index.ts";
const imgs:any[]=[]; for await (const f of trueFields("../shared/data/fields", (i)=> i%40===0)) imgs.push(f.image);
let t=performance.now(); console.log("fields", await estimateHeadLength(imgs), performance.now()-t);
console.log("fields half", await estimateHeadLength(await Promise.all(imgs.map(i=>resized(i,640,512)))));
console.log("fields x0.3", await estimateHeadLength(await Promise.all(imgs.map(i=>resized(i,384,307)))));
console.log("field alone", await Promise.all(imgs.map(i=>estimateHeadLength([i]))));
const h=[]; for (const s of (await openDataset("../shared/data/hushem")).samples.filter((_,i)=>i%10===0)) h.push(await s.load());
console.log("hushem", await estimateHeadLength(h));
