/**
 * Scopes hand parameters to networks. A network is a plain function of a scope and its input; the scope decides what
 * a parameter is: a trained variable, a value given at run time, or a constant.
 */
import { constant, input, ShapeError, showShape, sizeOf, stopGradient, type Tensor, variable } from "./tensor.ts";

/** Draws the first values of a parameter. */
export interface RandomSource {
  normal(mean?: number, deviation?: number): number;
  uniform(low?: number, high?: number): number;
}
export type Initializer = (random: RandomSource, shape: readonly number[]) => Float32Array;

const filled =
  (value: number): Initializer =>
  (_, shape) =>
    new Float32Array(sizeOf(shape)).fill(value);
export const zeros = filled(0);
export const ones = filled(1);
export const normal =
  (deviation: number): Initializer =>
  (random, shape) =>
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal(0, deviation));
export const uniform =
  (bound: number): Initializer =>
  (random, shape) =>
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-bound, bound));
/** He et al. 2015, for layers followed by a rectifier. */
export const heNormal = (fanIn: number): Initializer => normal(Math.sqrt(2 / fanIn));

export interface ParameterOptions {
  /** Whether weight decay applies; biases and normalisation go without. */
  decay?: boolean;
}

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initialize: Initializer;
  readonly decay: boolean;
  /** Factor on the learning rate. */
  readonly rate: number;
  readonly tensor: Tensor;
}

export interface BufferSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: number;
  readonly tensor: Tensor;
  /** What the step makes of it; absent where it leaves it. */
  blend?: Blend;
}

/** After a step a running statistic is keep · itself + take · now. */
export interface Blend {
  readonly now: Tensor;
  readonly keep: number;
  readonly take: number;
}

/** Named arrays: what training keeps and inference reads. */
export type State = Map<string, { shape: readonly number[]; data: Float32Array }>;

interface Registry {
  readonly parameters: Map<string, ParameterSpec>;
  readonly buffers: Map<string, BufferSpec>;
  /** Averages that the step itself reads, by parameter or buffer name. */
  readonly averages: Map<string, Tensor>;
}

export type ScopeMode = "train" | "eval" | "frozen";

interface ScopeState {
  mode: ScopeMode;
  path: string;
  rate: number;
  registry: Registry;
  values: State | undefined;
  averaged: boolean;
  channelBlock: number;
}

export class Scope {
  /** "train": variables; "eval": values given at run time; "frozen": constants. */
  readonly mode: ScopeMode;
  /** In training, whether statistics of the batch are used and running ones updated. */
  readonly learning: boolean;
  /** Channels per block of the processor's kernels that training may use; 0: graphs for any provider. */
  readonly channelBlock: number;
  readonly #path: string;
  readonly #rate: number;
  readonly #registry: Registry;
  readonly #values: State | undefined;
  readonly #averaged: boolean;

  constructor(mode: "train" | "eval" = "train", inner?: Partial<ScopeState>) {
    this.mode = inner?.mode ?? mode;
    this.#path = inner?.path ?? "";
    this.#rate = inner?.rate ?? 1;
    this.#registry = inner?.registry ?? { parameters: new Map(), buffers: new Map(), averages: new Map() };
    this.#values = inner?.values;
    this.#averaged = inner?.averaged ?? false;
    this.channelBlock = inner?.channelBlock ?? 0;
    this.learning = this.mode === "train" && !this.#averaged;
  }

  /** A scope to train in. @param channelBlock of {@link channelBlock}, for steps that run on the processor */
  static training({ channelBlock = 0 }: { channelBlock?: number } = {}): Scope {
    return new Scope("train", { channelBlock });
  }

  /** A scope whose parameters are constants with these values. */
  static frozenWith(values: State): Scope {
    return new Scope("eval", { values, mode: "frozen" });
  }

  #derive(change: { path?: string; rate?: number; averaged?: boolean }): Scope {
    return new Scope("train", {
      mode: this.mode,
      registry: this.#registry,
      values: this.#values,
      path: change.path ?? this.#path,
      rate: change.rate ?? this.#rate,
      averaged: change.averaged ?? this.#averaged,
      channelBlock: this.channelBlock,
    });
  }

  /** A scope for a part; names are joined with "/". */
  sub(name: string): Scope {
    return this.#derive({ path: this.#path ? `${this.#path}/${name}` : name });
  }

  /** The same place, its parameters learning at a multiple of the rate. */
  withRate(rate: number): Scope {
    return this.#derive({ rate });
  }

  /** The same parameters as their running average: constants of the step, with running statistics. */
  average(): Scope {
    return this.#derive({ averaged: true });
  }

  get parameters(): readonly ParameterSpec[] {
    return [...this.#registry.parameters.values()];
  }

  get buffers(): readonly BufferSpec[] {
    return [...this.#registry.buffers.values()];
  }

  get averages(): ReadonlyMap<string, Tensor> {
    return this.#registry.averages;
  }

  #name(name: string): string {
    return this.#path ? `${this.#path}/${name}` : name;
  }

  /** A parameter by name; asked for again, it is the same one. */
  parameter(
    name: string,
    shape: readonly number[],
    initialize: Initializer,
    { decay = true }: ParameterOptions = {},
  ): Tensor {
    const full = this.#name(name);
    if (this.#values) return constant(this.#frozen(full, shape), shape);
    const { parameters } = this.#registry;
    let spec = parameters.get(full);
    if (!spec) {
      const tensor = this.mode === "train" ? variable(`param/${full}`, shape) : input(`param/${full}`, shape);
      spec = { name: full, shape, initialize, decay, rate: this.#rate, tensor };
      parameters.set(full, spec);
    }
    checkShape(full, spec.shape, shape);
    return this.#averaged ? this.#average(full, shape) : spec.tensor;
  }

  /** A running statistic: kept, averaged, not trained. */
  buffer(name: string, shape: readonly number[], initial: number): Tensor {
    const full = this.#name(name);
    if (this.#values) return constant(this.#frozen(full, shape), shape);
    const { buffers } = this.#registry;
    let spec = buffers.get(full);
    if (!spec) buffers.set(full, (spec = { name: full, shape, initial, tensor: input(`buffer/${full}`, shape) }));
    checkShape(full, spec.shape, shape);
    return this.#averaged ? this.#average(full, shape) : spec.tensor;
  }

  /** Says what a buffer becomes after this step. The last call counts. */
  update(name: string, { now, ...weights }: Blend): void {
    this.#registry.buffers.get(this.#name(name))!.blend = { ...weights, now: stopGradient(now) };
  }

  /** The values of a frozen parameter, for folding one layer into another. */
  frozenValues(name: string, shape: readonly number[]): Float32Array {
    return this.#frozen(this.#name(name), shape);
  }

  #average(full: string, shape: readonly number[]): Tensor {
    const { averages } = this.#registry;
    let tensor = averages.get(full);
    if (!tensor) averages.set(full, (tensor = input(`ema/${full}`, shape)));
    return tensor;
  }

  #frozen(full: string, shape: readonly number[]): Float32Array {
    const value = this.#values!.get(full);
    if (!value) throw new ShapeError(`no value for parameter ${full}`);
    checkShape(full, value.shape, shape);
    return value.data;
  }
}

function checkShape(name: string, has: readonly number[], wanted: readonly number[]): void {
  if (has.join() !== wanted.join())
    throw new ShapeError(`parameter ${name} is ${showShape(has)}, asked for as ${showShape(wanted)}`);
}
