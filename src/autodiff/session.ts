/** Running graphs in ONNX Runtime: a training session that keeps its state, and an inference runner. */
import "./telemetry.ts";
import * as ort from "onnxruntime-node";
import { compile } from "./onnx.ts";
import type { RandomSource, State } from "./scope.ts";
import { type DType, FormatError, ShapeError, showShape, sizeOf, type Tensor, type TypedArray } from "./tensor.ts";
import type { TrainingStep } from "./training.ts";

export type Feeds = Readonly<Record<string, TypedArray>>;

export interface SessionOptions {
  /** Threads inside one operator. Results are byte-identical for the same number. */
  threads?: number;
  /** Path prefix: write ONNX Runtime's profile there when disposed. */
  profile?: string;
}

function sessionOptions({ threads = 2, profile }: SessionOptions): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: ["cpu"],
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

/** Trains: holds parameters and optimiser state in ONNX Runtime and passes each step's outputs to the next as they are. */
export class TrainingSession {
  readonly #session: ort.InferenceSession;
  readonly #step: TrainingStep;
  #state = new Map<string, ort.Tensor>();
  #steps = 0;

  private constructor(session: ort.InferenceSession, step: TrainingStep) {
    this.#session = session;
    this.#step = step;
  }

  static async create(step: TrainingStep, options: SessionOptions = {}): Promise<TrainingSession> {
    return new TrainingSession(await ort.InferenceSession.create(step.bytes, sessionOptions(options)), step);
  }

  /** Steps done. */
  get steps(): number {
    return this.#steps;
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
  async run(
    feeds: Feeds,
    { learningRate, emaDecay = 0.99 }: { learningRate: number; emaDecay?: number },
  ): Promise<Record<string, number>> {
    const { inputs, layout, betas, metrics } = this.#step;
    const t = this.#steps + 1;
    const all: Record<string, ort.Tensor> = {
      learningRate: scalar(learningRate),
      emaDecay: scalar(emaDecay),
      correction1: scalar(1 - betas[0] ** t),
      rootCorrection2: scalar(Math.sqrt(1 - betas[1] ** t)),
    };
    for (const [name, { shape, dtype }] of inputs) {
      const data = feeds[name];
      if (!data || data.length !== sizeOf(shape)) {
        throw new ShapeError(
          `step input ${name}: ${data ? `${data.length} values` : "nothing"} for ${showShape(shape)}`,
        );
      }
      all[name] = toOrt(data, dtype, shape);
    }
    for (const name of layout.arrays().keys()) all[`state.${name}`] = this.#state.get(name)!;
    const used = new Set(this.#session.inputNames);
    for (const name of Object.keys(all)) if (!used.has(name)) delete all[name];
    const out = await this.#session.run(all);
    for (const name of layout.arrays().keys()) {
      this.#state.get(name)!.dispose();
      this.#state.set(name, out[`new.state.${name}`]!);
    }
    this.#steps = t;
    const read = (name: string) => {
      const value = (out[name]!.data as Float32Array)[0]!;
      out[name]!.dispose();
      return value;
    };
    return Object.fromEntries([
      ["loss", read("new.loss")],
      ...metrics.map((name) => [name, read(`new.metric.${name}`)]),
    ]);
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

function scalar(value: number): ort.Tensor {
  return new ort.Tensor("float32", Float32Array.of(value), []);
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
