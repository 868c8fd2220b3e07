/** Learns the detector that comes with the program from HuSHeM's crops: `… bundled-detector.ts HUSHEM [OUT]`. No label is read. */
import { openDataset } from "../src/datasets/index.ts";
import { BUNDLED_DETECTOR, learnFields, writeDetector } from "../src/fields/index.ts";
import { silent, version } from "../src/runs/index.ts";

const [folder, out = BUNDLED_DETECTOR] = process.argv.slice(2) as [string, string | undefined];
const dataset = await openDataset(folder);
const detector = await learnFields({
  images: dataset.samples.map((sample) => () => sample.load()),
  source: "HuSHeM: F. Shaker et al. 2017, Mendeley Data 10.17632/tt3yj2pf38.3",
  licence: "CC BY 4.0",
  program: `androscope ${version()}`,
  seed: 1,
  threads: 2,
  progress: { ...silent, log: (text) => console.log(text) },
});
await writeDetector(out, detector);
console.log(out, detector.training);
