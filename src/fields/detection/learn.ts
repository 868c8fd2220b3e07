/** Learning a detector from photographs that nobody has labelled. */
import { channelBlock, Scope, type State, TrainingSession, trainingStep } from "../../autodiff/index.ts";
import type { Image } from "../../imaging/index.ts";
import { averaged, batchSampler, colourGains, crop, drawColourMix, trainLoop, viewMap } from "../../learning/index.ts";
import { type Progress, Random } from "../../runs/index.ts";
import { Detector } from "./detector.ts";
import { AUGMENTATION, DETECTOR_SETTINGS, type DetectorSettings, detectorLoss } from "./detector-network.ts";
import { type Lesson, TARGET_PLANES, TARGETS, writeTargets } from "./lessons.ts";

export interface LearnOptions {
  lessons: readonly Lesson[];
  seed: number;
  threads: number;
  settings?: Partial<DetectorSettings>;
  progress: Progress;
}

/** Shares of the steps after which the network is asked about what was doubtful. */
const ROUNDS = [0.4, 0.7];
/** Of its mean probability inside a candidate: what it takes to be sure. */
const SURE = 0.8;

/** @returns the averaged weights */
export async function learnDetector({ lessons, seed, threads, progress, ...options }: LearnOptions): Promise<State> {
  const settings = { ...DETECTOR_SETTINGS, ...options.settings };
  const side = windowSide(settings);
  const scope = Scope.training({ channelBlock: await channelBlock(undefined) });
  const { loss, metrics } = detectorLoss(scope, side, settings);
  const step = trainingStep({ scope, loss, metrics, optimizer: { weightDecay: 0.02, clipNorm: 5 } });
  const session = await TrainingSession.create(step, { threads });
  const random = Random.seeded(seed).stream("detector");
  const rounds = new Set(ROUNDS.map((share) => Math.round(share * settings.steps)));
  try {
    session.initialize(random.stream("weights"));
    progress.start("Learning to find heads", settings.steps);
    await trainLoop({
      session,
      optimisation: { ...settings, warmup: 0.15, averageDecay: 0.98 },
      feeds: feedsOf(lessons, side, settings, random),
      onStep: (done, { loss: value }) => progress.update(done, `loss ${value!.toFixed(3)}`),
      pause: {
        due: (done) => rounds.has(done),
        at: () => settle(lessons, averaged(session.state()), settings, threads),
      },
    });
    progress.finish();
    return averaged(session.state());
  } finally {
    session.dispose();
  }
}

/** A view that is turned and looks from farther away must not leave its window. */
const windowSide = ({ viewSize }: DetectorSettings) => Math.ceil(viewSize * Math.SQRT2 * 1.15);

/** Windows about candidates, and one in four about anything. */
function feedsOf(lessons: readonly Lesson[], side: number, { batch, viewSize }: DetectorSettings, random: Random) {
  const places = lessons.flatMap(({ candidates }, lesson) => candidates.map(({ x, y }) => ({ lesson, x, y })));
  const sample = batchSampler(random.stream("order"), Math.max(1, places.length), batch);
  const area = side * side;
  const feeds = {
    pixels: new Uint8Array(batch * area * 3),
    targets: new Uint8Array(batch * area * TARGET_PLANES),
    background: new Float32Array(batch * 3),
    theta: new Float32Array(batch * 6),
    gains: new Float32Array(batch * 3),
    mixes: new Float32Array(batch * 9),
    lifts: new Float32Array(batch * 3),
  };
  return (step: number) => {
    const draw = random.stream("views", step);
    for (const [i, position] of sample(step).entries()) {
      let place = places[position];
      if (!place || i % 4 === 3) {
        const lesson = draw.integer(lessons.length);
        const { width, height } = lessons[lesson]!.image;
        place = { lesson, x: draw.uniform(0, width), y: draw.uniform(0, height) };
      }
      const { image, targets, background } = lessons[place.lesson]!;
      const reach = viewSize / 3;
      const left = Math.round(place.x + draw.uniform(-reach, reach) - side / 2);
      const top = Math.round(place.y + draw.uniform(-reach, reach) - side / 2);
      copyWindow(image.data, image, 3, left, top, side, feeds.pixels.subarray(i * area * 3));
      copyWindow(targets, image, TARGET_PLANES, left, top, side, feeds.targets.subarray(i * area * TARGET_PLANES));
      feeds.background.set(background, i * 3);
      const map = viewMap(crop(side, side), viewSize, {
        rotation: draw.uniform(0, 2 * Math.PI),
        zoom: draw.uniform(0.87, 1.15),
        shiftU: 0,
        shiftV: 0,
        mirror: draw.uniform() < 0.5,
      });
      feeds.theta.set(map, i * 6);
      feeds.gains.set(colourGains(draw, AUGMENTATION), i * 3);
      const mean = background.map((value) => value / 255) as [number, number, number];
      const { mix, lift } = drawColourMix(draw, AUGMENTATION.jitter, mean);
      feeds.mixes.set(mix, i * 9);
      feeds.lifts.set(lift, i * 3);
    }
    return feeds;
  };
}

/** Beyond the picture its edge is repeated, and nothing is taught there. */
function copyWindow(
  from: Uint8Array,
  { width, height }: Pick<Image, "width" | "height">,
  channels: number,
  left: number,
  top: number,
  side: number,
  to: Uint8Array,
): void {
  for (let y = 0; y < side; y++) {
    const row = Math.min(height - 1, Math.max(0, top + y)) * width;
    for (let x = 0; x < side; x++) {
      const column = left + x;
      const inside = column >= 0 && column < width;
      const at = (row + Math.min(width - 1, Math.max(0, column))) * channels;
      const out = (y * side + x) * channels;
      for (let c = 0; c < channels; c++) to[out + c] = from[at + c]!;
      if (channels === TARGET_PLANES && (!inside || top + y < 0 || top + y >= height)) to[out + TARGETS.trust] = 0;
    }
  }
}

/** What the network is sure of is taught from here on, where stage 0 was in doubt; and where it doubts what it was taught, nothing is. */
async function settle(
  lessons: readonly Lesson[],
  weights: State,
  settings: DetectorSettings,
  threads: number,
): Promise<void> {
  const detector = await Detector.ofWeights(weights, settings, { threads });
  try {
    for (const lesson of lessons) {
      const { head } = await detector.maps(lesson.image, lesson.background);
      for (const [k, candidate] of lesson.candidates.entries()) {
        let sum = 0;
        for (const i of candidate.pixels) sum += head[i]!;
        const mean = sum / (255 * candidate.area);
        const verdict = lesson.verdicts[k]!;
        if (verdict === "doubtful" && mean < 1 - SURE) lesson.verdicts[k] = "other";
        if (verdict === "doubtful" && mean > SURE && !candidate.touchesBorder) lesson.verdicts[k] = "head";
        if (verdict === "head" && mean < 1 - SURE) lesson.verdicts[k] = "doubtful";
      }
      writeTargets(lesson);
    }
  } finally {
    detector.dispose();
  }
}
