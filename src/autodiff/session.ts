/** Running graphs in ONNX Runtime: a training session that keeps its state, and an inference runner. */
import "./telemetry.ts";
import * as ort from "onnxruntime-node";
import { type Device, providerOptions } from "./device.ts";
import { compile, compileLoop } from "./onnx.ts";
import type { RandomSource, State } from "./scope.ts";
import { type DType, FormatError, ShapeError, showShape, sizeOf, type Tensor, type TypedArray } from "./tensor.ts";
import type { TrainingStep } from "./training.ts";

export type Feeds = Readonly<Record<string, TypedArray>>;

export interface SessionOptions {
  /** Threads inside one operator. Results are byte-identical for the same number. */
  threads?: number;
  /** Where it is computed; the processor by default. What a device makes differs from it by rounding. */
  device?: Device;
  /** Path prefix: write ONNX Runtime's profile there when disposed. */
  profile?: string;
}

function sessionOptions({ threads = 2, device = "cpu", profile }: SessionOptions): ort.InferenceSession.SessionOptions {
  return {
    ...providerOptions(device),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    ...(profile ? { enableProfiling: true, profileFilePrefix: profile } : {}),
    extra: {
      session: {
        // Subnormal numbers, which decaying moments produce, cost a hundred times a normal one.
        set_denormal_as_zero: "1",
        // How long a thread with nothing to do watches for work before it sleeps. Without this bound, runs that share a
        // machine burn half of it on watching; with no watching at all, every operator would wake its threads anew.
        intra_op: { spin_duration_us: "200" },
      },
    },
  };
}

function toOrt(data: TypedArray, dtype: DType, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor(dtype as "float32", data as Float32Array, shape);
}

/** A named stream per parameter. */
export interface StreamSource {
  stream(...names: string[]): RandomSource;
}

/** What a step is given: a batch, and the values of the schedule. */
export interface StepInput {
  /** Copied before the next step's are asked for, so arrays may be used again. */
  feeds: Feeds;
  learningRate: number;
  /** Of the running average of the parameters. */
  emaDecay?: number;
}

/**
 * Trains: holds parameters and optimiser state, and passes each step's outputs to the next. Handing a state to JavaScript
 * and back copies all of it, so several steps go through in one call (see compileLoop): the state stays inside meanwhile.
 */
export class TrainingSession {
  readonly #session: ort.InferenceSession;
  readonly #step: TrainingStep;
  readonly #inputs: ReadonlySet<string>;
  #state = new Map<string, ort.Tensor>();
  #steps = 0;

  private constructor(session: ort.InferenceSession, step: TrainingStep) {
    this.#session = session;
    this.#step = step;
    this.#inputs = new Set(session.inputNames);
  }

  static async create(step: TrainingStep, options: SessionOptions = {}): Promise<TrainingSession> {
    return new TrainingSession(
      await ort.InferenceSession.create(compileLoop(step.graph), sessionOptions(options)),
      step,
    );
  }

  /** Steps done. */
  get steps(): number {
    return this.#steps;
  }

  /** What the inputs of a step take. */
  get inputBytes(): number {
    const sizes = [...this.#step.inputs.values()].map(({ shape, dtype }) => sizeOf(shape) * BYTES_OF[dtype]);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** First values for everything, parameters drawn from streams named after them. */
  initialize(random: StreamSource): void {
    this.#set(this.#step.layout.initial((name) => random.stream(name)));
    this.#steps = 0;
  }

  /** Continues from a whole state. @throws ShapeError where something is missing or of another shape */
  load(state: State): void {
    const { layout } = this.#step;
    const arrays = new Map([...layout.arrays()].map(([name, size]) => [name, new Float32Array(size)]));
    const found = new Set(layout.fromState(state, arrays));
    for (const name of layout.toState(arrays).keys()) {
      if (!found.has(name)) throw new ShapeError(`state without ${name}`);
    }
    this.#set(arrays);
    this.#steps = state.get("step")?.data[0] ?? 0;
  }

  /**
   * Starts from given parameters where the names match (values under plain names, as from an average), with a fresh
   * optimiser. @returns the names taken over
   */
  start(values: State): string[] {
    const { layout } = this.#step;
    const arrays = this.#arrays();
    const renamed: State = new Map();
    for (const [name, value] of values) {
      for (const slot of ["param", "ema", "buffer"]) renamed.set(`${slot}/${name}`, value);
    }
    const found = layout.fromState(renamed, arrays);
    this.#set(arrays);
    return [...new Set(found.map((name) => name.slice(name.indexOf("/") + 1)))];
  }

  /** One step. @returns the loss, the metrics and the gradient's norm */
  async run(feeds: Feeds, schedule: Omit<StepInput, "feeds">): Promise<Record<string, number>> {
    const [values] = await this.runMany(1, () => ({ feeds, ...schedule }));
    return values!;
  }

  /**
   * Steps in one go, the same as one by one, to the last bit.
   * @param of what the k-th of them is given @returns loss, metrics and gradient's norm of each
   */
  async runMany(count: number, of: (k: number) => StepInput): Promise<Record<string, number>[]> {
    const { layout, metrics } = this.#step;
    const all: Record<string, ort.Tensor> = { count: new ort.Tensor("int64", BigInt64Array.of(BigInt(count)), []) };
    for (const [name, tensor] of this.#stack(count, of)) all[`stacked.${name}`] = tensor;
    for (const name of layout.arrays().keys()) all[`first.state.${name}`] = this.#state.get(name)!;
    for (const name of Object.keys(all)) if (!this.#inputs.has(name)) delete all[name];
    const out = await this.#session.run(all);
    for (const name of layout.arrays().keys()) {
      this.#state.get(name)!.dispose();
      this.#state.set(name, out[`new.state.${name}`]!);
    }
    this.#steps += count;
    const series = ["loss", ...metrics].map((name) => {
      const tensor = out[name === "loss" ? "new.loss" : `new.metric.${name}`]!;
      const values = (tensor.data as Float32Array).slice();
      tensor.dispose();
      return [name, values] as const;
    });
    return Array.from({ length: count }, (_, k) =>
      Object.fromEntries(series.map(([name, values]) => [name, values[k]!])),
    );
  }

  /** The inputs of the next steps, one after the other. */
  #stack(count: number, of: (k: number) => StepInput): Map<string, ort.Tensor> {
    const { inputs, betas } = this.#step;
    const stacked = new Map<string, TypedArray>();
    for (let k = 0; k < count; k++) {
      const { feeds, learningRate, emaDecay = 0.99 } = of(k);
      const t = this.#steps + k + 1;
      const values: Feeds = {
        ...feeds,
        learningRate: Float32Array.of(learningRate),
        emaDecay: Float32Array.of(emaDecay),
        // In double precision: 1 - beta^t of the first steps would lose digits in float32.
        correction1: Float32Array.of(1 - betas[0] ** t),
        rootCorrection2: Float32Array.of(Math.sqrt(1 - betas[1] ** t)),
      };
      for (const [name, { shape }] of inputs) {
        const data = values[name];
        const size = sizeOf(shape);
        if (!data || data.length !== size) {
          throw new ShapeError(
            `step input ${name}: ${data ? `${data.length} values` : "nothing"} for ${showShape(shape)}`,
          );
        }
        if (!stacked.has(name)) stacked.set(name, emptyLike(data, count * size));
        (stacked.get(name) as Float32Array).set(data as Float32Array, k * size);
      }
    }
    return new Map(
      [...stacked].map(([name, data]) => {
        const { shape, dtype } = inputs.get(name)!;
        return [name, toOrt(data, dtype, [count, ...shape])];
      }),
    );
  }

  /** A copy of everything: parameters, optimiser, averages, statistics, step count. */
  state(): State {
    const state = this.#step.layout.toState(this.#arrays());
    state.set("step", { shape: [1], data: Float32Array.of(this.#steps) });
    return state;
  }

  /** Writes the profile asked for with {@link SessionOptions.profile}. */
  endProfile(): void {
    this.#session.endProfiling();
  }

  dispose(): void {
    for (const tensor of this.#state.values()) tensor.dispose();
    this.#state.clear();
    void this.#session.release();
  }

  #arrays(): Map<string, Float32Array> {
    return new Map([...this.#state].map(([name, tensor]) => [name, (tensor.data as Float32Array).slice()]));
  }

  #set(arrays: ReadonlyMap<string, Float32Array>): void {
    for (const tensor of this.#state.values()) tensor.dispose();
    this.#state = new Map([...arrays].map(([name, data]) => [name, toOrt(data, "float32", [data.length])]));
  }
}

const BYTES_OF: Record<DType, number> = { float32: 4, int64: 8, int32: 4, uint8: 1, bool: 1 };

function emptyLike(data: TypedArray, length: number): TypedArray {
  return new (data.constructor as new (length: number) => TypedArray)(length);
}

export interface RunOutput {
  data: TypedArray;
  dims: readonly number[];
}

/** Runs a graph forward. */
export class InferenceRunner {
  readonly #session: ort.InferenceSession;
  readonly #inputs: ReadonlyMap<string, { shape: readonly number[]; dtype: DType }>;

  private constructor(
    session: ort.InferenceSession,
    inputs: ReadonlyMap<string, { shape: readonly number[]; dtype: DType }>,
  ) {
    this.#session = session;
    this.#inputs = inputs;
  }

  /**
   * @param model .onnx bytes, or the outputs of a graph
   * @throws FormatError where ONNX Runtime refuses the bytes
   */
  static async create(
    model: Uint8Array | Readonly<Record<string, Tensor>>,
    options: SessionOptions = {},
  ): Promise<InferenceRunner> {
    const bytes = model instanceof Uint8Array ? model : compile(model);
    const session = await ort.InferenceSession.create(bytes, sessionOptions(options)).catch((cause: Error) => {
      throw new FormatError(`ONNX Runtime cannot load this as a model: ${cause.message}`, { cause });
    });
    const inputs = new Map<string, { shape: readonly number[]; dtype: DType }>();
    for (const info of session.inputMetadata) {
      if (info.isTensor)
        inputs.set(info.name, {
          dtype: info.type as DType,
          shape: info.shape.map((d) => (typeof d === "number" ? d : -1)),
        });
    }
    return new InferenceRunner(session, inputs);
  }

  /** @param shapes of inputs with more than one dynamic dimension; a single one follows from the data's length */
  async run(
    feeds: Feeds,
    shapes: Readonly<Record<string, readonly number[]>> = {},
  ): Promise<Record<string, RunOutput>> {
    const all: Record<string, ort.Tensor> = {};
    for (const [name, { shape, dtype }] of this.#inputs) {
      const data = feeds[name];
      if (!data) throw new ShapeError(`input ${name} of ${showShape(shape)} was not given`);
      all[name] = toOrt(data, dtype, shapes[name] ?? fill(name, shape, data.length));
    }
    const out = await this.#session.run(all);
    return Object.fromEntries(
      Object.entries(out).map(([name, tensor]) => {
        const result = { data: tensor.data as TypedArray, dims: tensor.dims };
        return [name, result];
      }),
    );
  }

  dispose(): void {
    void this.#session.release();
  }
}

function fill(name: string, shape: readonly number[], length: number): number[] {
  const known = shape.reduce((product, d) => (d === -1 ? product : product * d), 1);
  const holes = shape.filter((d) => d === -1).length;
  if (holes > 1 || (holes === 0 && known !== length) || length % known !== 0) {
    throw new ShapeError(`input ${name}: ${length} values for ${showShape(shape)}`);
  }
  return shape.map((d) => (d === -1 ? length / known : d));
}
