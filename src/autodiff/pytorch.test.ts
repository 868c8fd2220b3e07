/** Whole networks against PyTorch over twenty steps: scripts/pytorch-reference.py stored what PyTorch made of them. */
import { describe, test } from "vitest";
import { expectAsReference, readReference, type Settings } from "../../tests/pytorch-reference.ts";
import { Random } from "../runs/random.ts";
import { channelBlock, input, Scope, softTargetCrossEntropy, type Tensor, trainingStep } from "./index.ts";
import { maskLoss, resnet18, smallUnet } from "./testing/networks.ts";

interface NetworkSettings extends Settings {
  widths: number[];
  size: number;
}

function images({ seed, batch, size }: NetworkSettings, step: number): Float32Array {
  const random = Random.seeded(seed).stream("images", step);
  return Float32Array.from({ length: batch * size * size * 3 }, () => random.uniform(-1, 1));
}

function stepOf(settings: Settings, scope: Scope, loss: Tensor) {
  const { weightDecay, betas, epsilon, clipNorm } = settings;
  return trainingStep({
    scope,
    loss,
    optimizer: { weightDecay, betas, epsilon, ...(clipNorm === null ? {} : { clipNorm }) },
  });
}

/** Graphs for any provider, and those on the processor's blocks of channels; the widths and batches fit them. */
const block = await channelBlock();
const TARGETS = [{ channelBlock: 0 }, ...(block > 0 ? [{ channelBlock: block }] : [])];

describe.each(TARGETS)("twenty AdamW steps as in PyTorch, blocks of $channelBlock channels", (target) => {
  test("ResNet-18, soft-target cross-entropy", async () => {
    const stored = readReference<NetworkSettings & { classes: number; smoothing: number }>("resnet18", import.meta.url);
    const { seed, widths, classes, size, batch, smoothing } = stored.settings;
    const scope = Scope.training(target);
    const logits = resnet18(scope, input("x", [batch, size, size, 3]), widths, classes);
    const loss = softTargetCrossEntropy(logits, input("targets", [batch, classes]));
    await expectAsReference(stored, stepOf(stored.settings, scope, loss), (step) => {
      const random = Random.seeded(seed).stream("labels", step);
      const soft = new Float32Array(batch * classes).fill(smoothing / classes);
      for (let n = 0; n < batch; n++) soft[n * classes + random.integer(classes)]! += 1 - smoothing;
      return { x: images(stored.settings, step), targets: soft };
    });
  });

  test("U-Net, cross-entropy and Dice, gradients clipped", async () => {
    const stored = readReference<NetworkSettings>("unet", import.meta.url);
    const { seed, widths, size, batch } = stored.settings;
    const scope = Scope.training(target);
    const logits = smallUnet(scope, input("x", [batch, size, size, 3]), widths);
    const loss = maskLoss(logits, input("targets", [batch, size, size, 1]));
    await expectAsReference(stored, stepOf(stored.settings, scope, loss), (step) => {
      const random = Random.seeded(seed).stream("disks", step);
      const disks = new Float32Array(batch * size * size);
      for (let n = 0; n < batch; n++) {
        const cx = size * (0.3 + 0.4 * random.uniform());
        const cy = size * (0.3 + 0.4 * random.uniform());
        const r = size * (0.1 + 0.3 * random.uniform());
        for (let i = 0; i < size * size; i++) {
          const inside = ((i % size) - cx) ** 2 + (Math.floor(i / size) - cy) ** 2 < r ** 2;
          disks[n * size * size + i] = inside ? 1 : 0;
        }
      }
      return { x: images(stored.settings, step), targets: disks };
    });
  });
});
