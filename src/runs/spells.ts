/** When processes were at work, from which follow the time that passed and the memory they had together. */

import { peakRss } from "./memory.ts";

/** A stretch of work in one process. */
export interface Spell {
  /** Milliseconds since 1970. */
  from: number;
  to: number;
  /** The process's number. */
  process: number;
  /** The most memory that the process had until its end. */
  peakRssBytes: number;
}

/** The stretch from a time until now, in this process. */
export function spellSince(from: number): Spell {
  return { from, to: Date.now(), process: process.pid, peakRssBytes: peakRss() };
}

/** Seconds of work, summed over processes. */
export function workSeconds(spells: readonly Spell[]): number {
  return spells.reduce((sum, { from, to }) => sum + (to - from), 0) / 1000;
}

/** Seconds in which at least one was at work: what a person waited. Pauses between sessions do not count. */
export function elapsedSeconds(spells: readonly Spell[]): number {
  let [until, sum] = [Number.NEGATIVE_INFINITY, 0];
  for (const { from, to } of [...spells].sort((a, b) => a.from - b.from)) {
    sum += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return sum / 1000;
}

/** The largest sum of a figure over spells that were under way at one time; 0 without spells. */
export function mostAtOnce(spells: readonly Spell[], figure: (spell: Spell) => number): number {
  const at = ({ from, to }: Spell, time: number) => from <= time && time < to;
  // The sum only grows where one begins.
  return spells.reduce((most, { from }) => {
    const sum = spells.reduce((total, spell) => total + (at(spell, from) ? figure(spell) : 0), 0);
    return Math.max(most, sum);
  }, 0);
}
