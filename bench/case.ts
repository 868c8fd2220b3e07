/** What the harness measures: cases in bench/cases/*.ts, each with our side and its peers. */

/** Of one turn. */
export interface Timing {
  seconds: number;
  /** Processor time of all threads of the contestant's process. */
  cpu: number;
}

/** One side, started and warm: does work when it is told to and says how long it took. */
export interface Contestant {
  /** With its version, where it has one. */
  name: string;
  /** @param amount units of work to do, e.g. steps */
  turn(amount: number): Promise<Timing>;
  stop(): Promise<void>;
}

export interface BenchmarkPeer {
  /** Stable name, without a version: it identifies results. */
  peer: string;
  /** The command that installs it. */
  install: string;
  /** Units of work in one of its turns, where the case's own would take minutes. Our turns are then as long. */
  amount?: number;
  /** What a reader must know to judge the comparison, in a sentence. */
  note?: string;
  /** @returns undefined where it is not installed */
  start(threads: number): Promise<Contestant | undefined>;
}

export interface BenchmarkCase {
  /** With slashes, general to special: train-step/resnet18-64-b32. */
  name: string;
  unit: string;
  /** Units of work in one turn: long enough to be timed, short enough that the machine is the same for both. */
  amount: number;
  /** How many of `unit` are in one unit of work, e.g. images per step. */
  unitsPer: number;
  ours(threads: number): Promise<Contestant>;
  peers: BenchmarkPeer[];
}
