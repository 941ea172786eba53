/** The gain from pairing by seed: the correlation between the runs of one seed in different cells. */
import type { NamedMetric } from '../stages/metrics.js';
import type { Measurement } from '../evidence/measurements.js';
import { appliesTo, varyingKeys, type Configuration } from '../evidence/configuration.js';
import { taskName } from '../spec/objective.js';

export interface Pairing {
  /** Cells with at least two seeds, and runs in them. */
  cells: number;
  runs: number;
  /** Standard deviation over the seeds of a cell, pooled over cells. */
  seedStd: number;
  /** Standard deviation over the seeds of the difference of two cells, pooled over pairs of cells. */
  differenceStd: number;
  /** √2 · `seedStd`: the value of `differenceStd` if the runs of a seed were independent. */
  unpairedStd: number;
  /** Correlation of the seeds of two cells: 1 − differenceStd² / unpairedStd². */
  correlation: number;
}

/** Seed → accuracy of one cell. */
export type CellBySeed = ReadonlyMap<number, number>;

/**
 * Pools standard deviations over cells, and over those pairs of them that are compared.
 *
 * @param compared Whether two cells, by their places, are compared with each other; all are by default.
 * @returns null if no two cells share two seeds, or no cell has a spread.
 */
export function pairingOf(
  cells: readonly CellBySeed[],
  compared: (a: number, b: number) => boolean = () => true,
): Pairing | null {
  const own = poolOfSeeds(cells);
  const pairs = { squares: 0, degrees: 0 };
  cells.forEach((a, i) => {
    for (let j = 0; j < i; j++) {
      if (!compared(i, j)) continue;
      const b = cells[j]!;
      const { squares, degrees } = squaresOf(
        [...a].flatMap(([seed, value]) => (b.has(seed) ? [value - b.get(seed)!] : [])),
      );
      pairs.squares += squares;
      pairs.degrees += degrees;
    }
  });
  if (own === null || pairs.degrees === 0 || own.std === 0) return null;
  const variance = own.std ** 2;
  const ofDifference = pairs.squares / pairs.degrees;
  return {
    cells: own.groups,
    runs: own.degrees + own.groups,
    seedStd: own.std,
    differenceStd: Math.sqrt(ofDifference),
    unpairedStd: Math.sqrt(2 * variance),
    correlation: 1 - ofDifference / (2 * variance),
  };
}

/** A standard deviation pooled over groups. */
export interface Pooled {
  std: number;
  degrees: number;
  /** Groups with at least two values. */
  groups: number;
}

/** Pools the standard deviations of groups of values; null: no group has two values. */
export function pooled(groups: readonly (readonly number[])[]): Pooled | null {
  const taken = groups.map(squaresOf).filter(({ degrees }) => degrees > 0);
  if (taken.length === 0) return null;
  const degrees = taken.reduce((sum, each) => sum + each.degrees, 0);
  const squares = taken.reduce((sum, each) => sum + each.squares, 0);
  return { std: Math.sqrt(squares / degrees), degrees, groups: taken.length };
}

/** The standard deviation over the seeds of a cell, pooled over cells. */
export const poolOfSeeds = (cells: readonly CellBySeed[]): Pooled | null =>
  pooled(cells.map((cell) => [...cell.values()]));

/** Squared deviations from the mean, and their degrees of freedom. */
function squaresOf(values: readonly number[]): { squares: number; degrees: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { squares, degrees: Math.max(0, values.length - 1) };
}

interface Cell {
  pretrained: boolean;
  /** The values of the keys that vary and apply to it, strengths aside. */
  shared: Configuration;
  values: Map<number, number>;
}

/** The cells of a sweep, and which of them are compared with each other, by their places. */
export interface ComparedCells {
  cells: readonly CellBySeed[];
  compared: (a: number, b: number) => boolean;
}

/**
 * The cells of measurements, without those that have no result that counts. Two cells are compared if only their tasks
 * differ; scratch is compared with every cell that shares its settings.
 */
export function comparedCells(measurements: readonly Measurement[]): ComparedCells {
  const keys = varyingKeys(measurements);
  const cells = new Map<string, Cell>();
  for (const measurement of measurements) {
    const { task, weights, seed, configuration, strengths, accuracy } = measurement;
    if (accuracy === null) continue;
    const shared = new Map(
      keys.filter((key) => appliesTo(key, measurement)).map((key) => [key, configuration.get(key) ?? 'unset']),
    );
    const what = `${taskName(task, weights)} ${task?.maskRatio ?? ''}`;
    const identity = JSON.stringify([what, [...shared], [...strengths]]);
    const cell = cells.get(identity) ?? {
      pretrained: task !== null || weights !== undefined,
      shared,
      values: new Map<number, number>(),
    };
    cell.values.set(seed, accuracy);
    cells.set(identity, cell);
  }
  const listed = [...cells.values()];
  const settings = listed.map(({ shared }) => JSON.stringify([...shared]));
  return {
    cells: listed.map(({ values }) => values),
    compared(i, j) {
      const [a, b] = [listed[i]!, listed[j]!];
      if (a.pretrained === b.pretrained) return settings[i] === settings[j];
      return [...a.shared].every(([key, value]) => (b.shared.get(key) ?? value) === value);
    },
  };
}

/** {@link pairingOf} for a sweep. */
export function pairingOfMeasurements(measurements: readonly Measurement[]): Pairing | null {
  const { cells, compared } = comparedCells(measurements);
  return pairingOf(cells, compared);
}

/** Degrees of freedom from which a pooled standard deviation is known to about a sixth: 1/√(2·20). */
export const ENOUGH_DEGREES = 20;

/** In a sentence or two. */
export function describePairing(pairing: Pairing, metric: NamedMetric): string {
  const { cells, runs, seedStd, differenceStd, unpairedStd, correlation } = pairing;
  const share = differenceStd ** 2 / unpairedStd ** 2;
  const { unit, digits } = metric.metric;
  const inUnits = (value: number): string => value.toFixed(digits);
  return (
    `Pairing by seed (${metric.name}, ${runs} runs in ${cells} cells): the seeds of two cells correlate with ` +
    `${signed(correlation)}. Standard deviation of a seed: ${inUnits(seedStd)}${unit === null ? '' : ` ${unit.difference}`}; of a difference paired by seed: ` +
    `${inUnits(differenceStd)}, unpaired (√2 times the deviation of a seed): ${inUnits(unpairedStd)}. ` +
    (runs - cells >= ENOUGH_DEGREES
      ? `So a paired difference needs ${share.toFixed(2)} times the seeds of an unpaired one.`
      : 'These runs are too few to show the gain from pairing.')
  );
}

const signed = (value: number): string => value.toFixed(2).replace('-', '−');
