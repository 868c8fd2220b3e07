/** Runs one case against its peers, turn by turn. */
import { loadavg } from "node:os";
import type { BenchmarkCase, BenchmarkPeer, Contestant, Timing } from "./case.ts";
import { oursFirst, pairedRatios, rates, type Spread, spread } from "./statistics.ts";

/** One line of the results. The first six keys are the contract; the others say how the figures came about. */
export interface Entry {
  name: string;
  peer: string;
  /** Median of `unit`; null, as theirs and ratio, where the peer is not installed. */
  ours: number | null;
  theirs: number | null;
  /** Median of the ratios of neighbouring turns; above 1 we are faster. */
  ratio: number | null;
  unit: string;
  /** The peer with its version. */
  version?: string;
  note?: string;
  /** Ratio of processor time: where other programs take part of the machine, the steadier figure. */
  cpuRatio?: number;
  spread?: { ours: Spread; theirs: Spread; ratio: Spread; cpuRatio: Spread };
  threads: number;
  rounds: number;
  /** Load average over one minute, before and after. */
  load: { before: number; after: number };
  date: string;
}

export interface MatchOptions {
  threads: number;
  rounds: number;
  onRound?(round: number): void;
}

/** @returns undefined where the peer is not installed */
export async function match(
  { name, unit, unitsPer, ...test }: BenchmarkCase,
  peer: BenchmarkPeer,
  ours: Contestant,
  { threads, rounds, onRound }: MatchOptions,
): Promise<Entry> {
  const before = loadavg()[0]!;
  const entry = { name, peer: peer.peer, ours: null, theirs: null, ratio: null, unit };
  const common = () => ({
    ...(peer.note === undefined ? {} : { note: peer.note }),
    threads,
    rounds,
    load: { before, after: loadavg()[0]! },
    date: new Date().toISOString().slice(0, 10),
  });
  const theirs = await peer.start(threads);
  if (!theirs) return { ...entry, ...common() };
  const amount = peer.amount ?? test.amount;
  const turns = { ours: [] as Timing[], theirs: [] as Timing[] };
  try {
    // First turns pay for memory and caches.
    await ours.turn(amount);
    await theirs.turn(amount);
    for (let round = 0; round < rounds; round++) {
      const order = oursFirst(round) ? (["ours", "theirs"] as const) : (["theirs", "ours"] as const);
      for (const side of order) turns[side].push(await (side === "ours" ? ours : theirs).turn(amount));
      onRound?.(round + 1);
    }
  } finally {
    await theirs.stop();
  }
  const figures = {
    ours: spread(rates(turns.ours, unitsPer * amount)),
    theirs: spread(rates(turns.theirs, unitsPer * amount)),
    ratio: spread(pairedRatios(turns.ours, turns.theirs, "seconds")),
    cpuRatio: spread(pairedRatios(turns.ours, turns.theirs, "cpu")),
  };
  return {
    ...entry,
    ours: figures.ours.median,
    theirs: figures.theirs.median,
    ratio: figures.ratio.median,
    version: theirs.name,
    cpuRatio: figures.cpuRatio.median,
    spread: figures,
    ...common(),
  };
}
