/** A training that tests repeat in this process and in others. */
import { softTargetCrossEntropy } from "../losses.ts";
import { Scope } from "../scope.ts";
import type { Feeds } from "../session.ts";
import { input } from "../tensor.ts";
import { type TrainingStep, trainingStep } from "../training.ts";
import { resnet18 } from "./networks.ts";

const WIDTHS = [8, 16, 16, 24];
const BATCH = 4;
const SIZE = 32;
const CLASSES = 3;

/** A narrow ResNet-18 that uses every part of the state: decay, clipping, averages, running statistics. */
export function smallStep(): TrainingStep {
  const scope = new Scope();
  const logits = resnet18(scope, input("x", [BATCH, SIZE, SIZE, 3]), WIDTHS, CLASSES);
  const loss = softTargetCrossEntropy(logits, input("targets", [BATCH, CLASSES]));
  return trainingStep({ scope, loss, optimizer: { weightDecay: 0.05, clipNorm: 1 } });
}

interface Streams {
  stream(...names: (string | number)[]): { uniform(low?: number, high?: number): number };
}

/** The inputs of a step, from a stream of that step's own. */
export function batch(step: number, root: Streams): Feeds {
  const random = root.stream("batch", step);
  const targets = new Float32Array(BATCH * CLASSES);
  for (let n = 0; n < BATCH; n++) targets[n * CLASSES + Math.floor(random.uniform(0, CLASSES))] = 1;
  return { x: Float32Array.from({ length: BATCH * SIZE * SIZE * 3 }, () => random.uniform(-1, 1)), targets };
}
