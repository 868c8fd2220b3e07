/**
 * A training step as one ONNX model: batch in, parameters and optimiser state in → loss, metrics, new parameters, new
 * state, new running statistics out. Gradients are clipped by their global norm, the optimiser is AdamW (Loshchilov and
 * Hutter 2019), and a running average of the parameters is kept beside them.
 *
 * Small parameters are pooled into one flat array per kind, so that the optimiser has a handful of nodes for them;
 * large ones stay apart, each small enough to be updated while it is in the cache.
 */
import { add, div, minimum, mul, scale, sqrt, square, sub } from "./elementwise.ts";
import { grad } from "./grad.ts";
import { sum } from "./reductions.ts";
import { inputsOf, substitute } from "./rewrite.ts";
import type { BufferSpec, ParameterSpec, RandomSource, Scope, State } from "./scope.ts";
import { concat, reshape, slice } from "./shape.ts";
import { constant, type DType, input, ShapeError, sizeOf, stopGradient, type Tensor } from "./tensor.ts";

export interface OptimizerOptions {
  /** Decoupled; only on parameters that asked for it. */
  weightDecay?: number;
  betas?: readonly [number, number];
  epsilon?: number;
  /** Gradients are scaled down to this global norm. */
  clipNorm?: number;
}

export interface StepDefinition {
  scope: Scope;
  /** Scalar. */
  loss: Tensor;
  metrics?: Readonly<Record<string, Tensor>>;
  optimizer?: OptimizerOptions;
}

/** Parameters that share one state array. */
interface Group {
  readonly key: string;
  readonly members: readonly ParameterSpec[];
  readonly size: number;
  readonly decay: boolean;
  readonly rate: number;
}

/** Slots of the state that each group has. */
const SLOTS = ["param", "adam.m", "adam.v", "ema"] as const;
type Slot = (typeof SLOTS)[number];

export interface TrainingStep {
  /** What the step computes: "new.loss", "new.metric.…" and "new.state.…", which becomes the input "state.…". */
  readonly graph: Readonly<Record<string, Tensor>>;
  /** Inputs that differ from step to step, with their shapes: the batch, and what the schedule says. */
  readonly inputs: ReadonlyMap<string, { shape: readonly number[]; dtype: DType }>;
  readonly metrics: readonly string[];
  readonly layout: StateLayout;
  readonly betas: readonly [number, number];
}

const POOL_BELOW = 8192;

/** How named parameters lie in the arrays that the graph passes from step to step. */
export class StateLayout {
  readonly groups: readonly Group[];
  readonly buffers: readonly { name: string; shape: readonly number[]; initial: number; from: number; size: number }[];
  readonly bufferSize: number;

  constructor(scope: Scope) {
    const pools = new Map<string, ParameterSpec[]>();
    const groups: Group[] = [];
    for (const spec of scope.parameters) {
      const size = sizeOf(spec.shape);
      if (size >= POOL_BELOW)
        groups.push({ key: spec.name, members: [spec], size, decay: spec.decay, rate: spec.rate });
      else {
        const key = `pool decay=${spec.decay} rate=${spec.rate}`;
        pools.set(key, [...(pools.get(key) ?? []), spec]);
      }
    }
    for (const [key, members] of pools) {
      const size = members.reduce((total, { shape }) => total + sizeOf(shape), 0);
      groups.push({ key, members, size, decay: members[0]!.decay, rate: members[0]!.rate });
    }
    this.groups = groups;
    let from = 0;
    this.buffers = scope.buffers.map(({ name, shape, initial }) => {
      const size = sizeOf(shape);
      from += size;
      return { name, shape, initial, from: from - size, size };
    });
    this.bufferSize = from;
  }

  /** The arrays of the graph's state inputs: name → length. */
  arrays(): Map<string, number> {
    const out = new Map<string, number>();
    for (const { key, size } of this.groups) for (const slot of SLOTS) out.set(`${slot}:${key}`, size);
    if (this.bufferSize > 0) for (const slot of ["buffer", "bufferEma"]) out.set(slot, this.bufferSize);
    return out;
  }

  /** First values, each parameter from a stream of its own name so that adding one does not change the others. */
  initial(streamOf: (name: string) => RandomSource): Map<string, Float32Array> {
    const out = new Map<string, Float32Array>();
    for (const group of this.groups) {
      const values = new Float32Array(group.size);
      let at = 0;
      for (const { name, shape, initialize } of group.members) {
        const first = initialize(streamOf(name), shape);
        values.set(first, at);
        at += first.length;
      }
      out.set(`param:${group.key}`, values);
      out.set(`adam.m:${group.key}`, new Float32Array(group.size));
      out.set(`adam.v:${group.key}`, new Float32Array(group.size));
      out.set(`ema:${group.key}`, values.slice());
    }
    if (this.bufferSize > 0) {
      const values = new Float32Array(this.bufferSize);
      for (const { from, size, initial } of this.buffers) values.fill(initial, from, from + size);
      out.set("buffer", values);
      out.set("bufferEma", values.slice());
    }
    return out;
  }

  /** Graph arrays → named state. Averages of buffers are "ema/…" like those of parameters. */
  toState(arrays: ReadonlyMap<string, Float32Array>): State {
    const state: State = new Map();
    for (const slot of SLOTS) {
      for (const group of this.groups) {
        let at = 0;
        for (const { name, shape } of group.members) {
          const size = sizeOf(shape);
          state.set(`${slot}/${name}`, { shape, data: arrays.get(`${slot}:${group.key}`)!.slice(at, at + size) });
          at += size;
        }
      }
    }
    for (const { name, shape, from, size } of this.buffers) {
      state.set(`buffer/${name}`, { shape, data: arrays.get("buffer")!.slice(from, from + size) });
      state.set(`ema/${name}`, { shape, data: arrays.get("bufferEma")!.slice(from, from + size) });
    }
    return state;
  }

  /** Writes what `state` holds into graph arrays. @returns the names found */
  fromState(state: State, arrays: ReadonlyMap<string, Float32Array>): string[] {
    const found: string[] = [];
    const put = (name: string, shape: readonly number[], target: Float32Array, at: number) => {
      const value = state.get(name);
      if (!value) return;
      if (value.shape.join() !== shape.join())
        throw new ShapeError(`state ${name} is [${value.shape}], the network's is [${shape}]`);
      target.set(value.data, at);
      found.push(name);
    };
    for (const slot of SLOTS) {
      for (const group of this.groups) {
        let at = 0;
        for (const { name, shape } of group.members) {
          put(`${slot}/${name}`, shape, arrays.get(`${slot}:${group.key}`)!, at);
          at += sizeOf(shape);
        }
      }
    }
    for (const { name, shape, from } of this.buffers) {
      put(`buffer/${name}`, shape, arrays.get("buffer")!, from);
      put(`ema/${name}`, shape, arrays.get("bufferEma")!, from);
    }
    return found;
  }
}

/** Compiles a step. @throws ShapeError for a loss that is not a scalar */
export function trainingStep({ scope, loss, metrics = {}, optimizer = {} }: StepDefinition): TrainingStep {
  const { weightDecay = 0, betas = [0.9, 0.999], epsilon = 1e-8, clipNorm } = optimizer;
  const layout = new StateLayout(scope);
  const { parameters } = scope;
  const gradients = grad(
    loss,
    parameters.map((p) => p.tensor),
  );

  // Parameters become slices of the state arrays.
  const state = new Map<string, Tensor>();
  for (const [name, size] of layout.arrays()) state.set(name, input(`state.${name}`, [size]));
  const replacements = new Map<number, Tensor>();
  const piece = (array: string, from: number, size: number, shape: readonly number[]) => {
    const whole = state.get(array)!;
    return reshape(size === whole.shape[0] ? whole : slice(whole, [from], [from + size], [0]), shape);
  };
  for (const group of layout.groups) {
    let at = 0;
    for (const { name, shape, tensor } of group.members) {
      const size = sizeOf(shape);
      replacements.set(tensor.id, piece(`param:${group.key}`, at, size, shape));
      const average = scope.averages.get(name);
      if (average) replacements.set(average.id, piece(`ema:${group.key}`, at, size, shape));
      at += size;
    }
  }
  const bufferSpecs = scope.buffers;
  for (const { name, shape, from, size } of layout.buffers) {
    replacements.set(bufferSpecs.find((b) => b.name === name)!.tensor.id, piece("buffer", from, size, shape));
    const average = scope.averages.get(name);
    if (average) replacements.set(average.id, piece("bufferEma", from, size, shape));
  }
  const metricNames = Object.keys(metrics);
  const wanted = [
    loss,
    ...metricNames.map((name) => stopGradient(metrics[name]!)),
    ...gradients,
    ...bufferSpecs.map(({ blend, shape }) => blend?.now ?? constant(0, shape)),
  ];
  const rewritten = substitute(wanted, replacements);
  const newLoss = rewritten[0]!;
  const newMetrics = rewritten.slice(1, 1 + metricNames.length);
  const newGradients = rewritten.slice(1 + metricNames.length, 1 + metricNames.length + parameters.length);
  const newBuffers = rewritten.slice(1 + metricNames.length + parameters.length);

  const gradientOf = new Map(parameters.map((p, i) => [p.name, newGradients[i]!]));
  const flatGradients = layout.groups.map(({ members }) => {
    const flat = members.map(({ name }) => reshape(gradientOf.get(name)!, [-1]));
    return flat.length === 1 ? flat[0]! : concat(flat, 0);
  });

  const learningRate = input("learningRate", []);
  const emaDecay = input("emaDecay", []);
  // 1 - beta^t, computed in double precision outside: float32 loses it in the first steps.
  const correction1 = input("correction1", []);
  const rootCorrection2 = input("rootCorrection2", []);
  const [beta1, beta2] = betas;
  const outputs: Record<string, Tensor> = { loss: newLoss };
  for (const [i, name] of metricNames.entries()) outputs[`metric.${name}`] = newMetrics[i]!;

  const norm = sqrt(flatGradients.map((g) => sum(square(g))).reduce((a, b) => add(a, b)));
  outputs["metric.gradientNorm"] = norm;
  const shrink = clipNorm === undefined ? constant(1) : minimum(div(clipNorm, add(norm, 1e-6)), 1);
  const firstShare = scale(shrink, 1 - beta1);
  const secondShare = mul(square(shrink), 1 - beta2);
  for (const [i, group] of layout.groups.entries()) {
    const slot = (name: Slot) => state.get(`${name}:${group.key}`)!;
    const g = flatGradients[i]!;
    const m = add(scale(slot("adam.m"), beta1), mul(g, firstShare));
    const v = add(scale(slot("adam.v"), beta2), mul(square(g), secondShare));
    const rate = scale(learningRate, group.rate);
    // lr · (m / c1) / (√(v / c2) + ε), the scalars drawn together.
    const stepSize = div(mul(rate, rootCorrection2), correction1);
    const move = mul(div(m, add(sqrt(v), scale(rootCorrection2, epsilon))), stepSize);
    const kept = group.decay && weightDecay > 0 ? mul(slot("param"), sub(1, scale(rate, weightDecay))) : slot("param");
    const next = sub(kept, move);
    outputs[`state.param:${group.key}`] = next;
    outputs[`state.adam.m:${group.key}`] = m;
    outputs[`state.adam.v:${group.key}`] = v;
    outputs[`state.ema:${group.key}`] = add(mul(slot("ema"), emaDecay), mul(next, sub(1, emaDecay)));
  }
  if (layout.bufferSize > 0) {
    // Of all statistics at once.
    const weights = (of: (spec: BufferSpec) => number) =>
      constant(
        bufferSpecs.flatMap((spec) => Array<number>(sizeOf(spec.shape)).fill(of(spec))),
        [layout.bufferSize],
      );
    const now = concat(
      newBuffers.map((b) => reshape(b, [-1])),
      0,
    );
    const kept = mul(
      state.get("buffer")!,
      weights(({ blend }) => blend?.keep ?? 1),
    );
    const next = add(
      kept,
      mul(
        now,
        weights(({ blend }) => blend?.take ?? 0),
      ),
    );
    outputs["state.buffer"] = next;
    outputs["state.bufferEma"] = add(mul(state.get("bufferEma")!, emaDecay), mul(next, sub(1, emaDecay)));
  }

  const renamed = Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [`new.${name}`, tensor]));
  const inputs = new Map<string, { shape: readonly number[]; dtype: DType }>();
  for (const { tensor, name } of inputsOf(Object.values(outputs))) {
    if (!name.startsWith("state.")) inputs.set(name, tensor);
  }
  return { graph: renamed, inputs, metrics: [...metricNames, "gradientNorm"], layout, betas };
}
