/**
 * An encoder that starts from weights trained on ImageNet instead of random ones: Keras's MobileNet v1 of any width. The
 * weights are the user's own copy and never part of Androscope; docs/data.md says where they come from.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { input, parseState, Scope, type State, serializeState } from "../autodiff/index.ts";
import { AndroscopeError, readArrays, writeArrays } from "../runs/index.ts";
import type { Config } from "./config.ts";
import { MOBILENET_BLOCKS, mobilenet } from "./mobilenet.ts";
import { TfjsWeights } from "./tfjs.ts";

/** What an encoder starts from. */
export interface EncoderInit {
  /** SHA-256 of the weights as the encoder has them: results depend on nothing else of the folder. */
  hash: string;
  /** "encoder/…". */
  weights: State;
}

const LAST_LAYERS = ["conv_pw_1", "conv_pw_3", "conv_pw_5", "conv_pw_11"] as const;

/**
 * The network that some weights are for, as settings of `network`.
 * @param folder in TensorFlow.js's layers format @throws `file/*`, `weights/*`
 */
export async function networkOfInit(folder: string): Promise<Partial<Config["network"]>> {
  const found = await TfjsWeights.open(folder);
  const widths = LAST_LAYERS.map((layer) => found.shapeOf(`${layer}/kernel`)?.at(-1));
  if (widths.some((width) => width === undefined)) {
    throw new AndroscopeError("weights/mismatch", {
      expected: `the layers ${LAST_LAYERS.join(", ")} of a MobileNet v1`,
      found: "others",
      where: join(folder, "model.json"),
      fix: "Name a folder with the weights of a MobileNet v1.",
    });
  }
  return {
    backbone: "mobilenet",
    widths: widths as unknown as Config["network"]["widths"],
    blocks: [...MOBILENET_BLOCKS],
  };
}

/** Reads what the encoder of such a network starts from. @throws `file/*`, `weights/*` */
export async function readInit(folder: string, network: Config["network"]): Promise<EncoderInit> {
  if (network.backbone !== "mobilenet") {
    throw new AndroscopeError("weights/mismatch", {
      expected: "network.backbone mobilenet, for which there are weights",
      found: network.backbone ?? "residual",
      fix: "Leave network.backbone out: --init sets it.",
    });
  }
  // The network itself says what it needs.
  const scope = new Scope();
  mobilenet(scope, input("view", [1, network.viewSize, network.viewSize, 3]), network);
  const needed = new Map([...scope.parameters, ...scope.buffers].map((part) => [kerasName(part.name), part]));
  const found = await (await TfjsWeights.open(folder)).read([...needed.keys()]);
  const weights: State = new Map();
  for (const [theirs, { name, shape }] of needed) {
    const array = found.get(theirs)!;
    // Keras keeps a depthwise kernel as [k, k, C, 1], here it is [k, k, 1, C]: the same numbers in the same order.
    const has = theirs.endsWith("depthwise_kernel") ? swappedEnd(array.shape) : array.shape;
    if (has.join() !== shape.join()) throw misfit(folder, theirs, shape, has);
    weights.set(`encoder/${name}`, { shape, data: array.data });
  }
  return { hash: createHash("sha256").update(serializeState(weights)).digest("hex"), weights };
}

/** Keras's name of a parameter or statistic of {@link mobilenet}. */
function kerasName(name: string): string {
  const [layer, part, what] = name.split("/") as [string, string, string];
  if (part === "conv") return `${layer}/${layer.startsWith("conv_dw") ? "depthwise_kernel" : "kernel"}`;
  const names: Record<string, string> = {
    scale: "gamma",
    shift: "beta",
    mean: "moving_mean",
    variance: "moving_variance",
  };
  return `${layer}_bn/${names[what]}`;
}

const swappedEnd = (shape: readonly number[]) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];

function misfit(where: string, name: string, wanted: readonly number[], has: readonly number[]): AndroscopeError {
  return new AndroscopeError("weights/mismatch", {
    expected: `${name} of ${wanted.join(" × ")}`,
    found: has.join(" × "),
    where,
    fix: "Leave network.widths and network.blocks out: --init sets them to those of the weights.",
  });
}

/** A configuration that starts from ImageNet, or has a probe, needs weights. @throws `weights/required` */
export function requireInit({ tune }: Config, init: EncoderInit | undefined): void {
  if (init) return;
  if (tune.initialise === "imagenet") throw initRequired("tune.initialise");
  if (tune.probe) throw initRequired("tune.probe");
}

/** @param where what asks for weights */
export function initRequired(where: string): AndroscopeError {
  return new AndroscopeError("weights/required", {
    expected: "weights trained on ImageNet",
    found: "none",
    where,
    fix: "Name their folder with --init; docs/data.md says where to get them.",
  });
}

const fileIn = (run: string) => join(run, "checkpoint", "init.bin");

/** Keeps what the encoders of a run start from in its folder, where other processes find it. */
export async function keepInit(run: string, { weights }: EncoderInit): Promise<void> {
  await writeArrays(fileIn(run), { arrays: { weights: serializeState(weights) }, meta: {} });
}

export async function keptInit(run: string): Promise<State> {
  const { arrays } = await readArrays(fileIn(run));
  return parseState(arrays.weights as Uint8Array);
}
