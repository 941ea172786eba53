/**
 * Measured encoders, gathered into the rows of a comparison: one row for each objective and setting, its seeds
 * together. A setting is what differs besides objective and seed; only rows whose settings agree are compared.
 */
import { appliesTo, varyingKeys, type Configuration } from '../evidence/configuration.js';
import type { Measurement } from '../evidence/measurements.js';
import { settingsAmong, type Entry } from '../evidence/variants.js';
import { paperObjective, type PaperObjective } from './paper.js';
import { ranks, summaryStatistics, type Summary } from '../statistics/summary.js';

/** One row: the seeds of an objective in one setting. */
export interface ResultRow {
  objective: PaperObjective;
  /** `key=value` of what differs between the rows of the table; empty where nothing does. */
  setting: string;
  /** The part of the setting that other objectives have too, and its text. */
  shared: Configuration;
  sharedSetting: string;
  /** Empty where no job of the sweep is this objective. */
  measurements: Measurement[];
  /** Of the runs that count. */
  statistics: Summary;
}

/**
 * The rows of the given objectives, in that order; an objective without measurements has one empty row.
 *
 * Strengths of a degradation are part of a setting only if one objective has several: between objectives they differ
 * anyway.
 */
export function rowsOf(measurements: readonly Measurement[], objectives: readonly PaperObjective[]): ResultRow[] {
  const relevant = measurements.flatMap((measurement) => {
    const objective = paperObjective(measurement.task, measurement.weights);
    return objective === undefined || !objectives.includes(objective) ? [] : [{ objective, measurement }];
  });
  const keys = varyingKeys(relevant.map(({ measurement }) => measurement));
  const describe = settingsAmong(relevant.map(({ measurement }) => measurement));
  return objectives.flatMap((objective) => {
    const own = relevant.filter((entry) => entry.objective === objective).map(({ measurement }) => measurement);
    if (own.length === 0) return [rowOf(objective, new Map(), { setting: '', sharedSetting: '' }, [])];
    const strengths = varyingKeys(
      own.map(({ task, weights, strengths: configuration }) => ({ task, weights, configuration })),
    );
    const settings = new Map<string, { shared: Configuration; all: Entry[]; members: Measurement[] }>();
    for (const measurement of own) {
      const shared = new Map(
        keys
          .filter((key) => appliesTo(key, measurement))
          .map((key) => [key, measurement.configuration.get(key) ?? 'unset']),
      );
      const all = [...shared, ...strengths.map((key) => [key, measurement.strengths.get(key) ?? 'unset'] as const)];
      const setting = JSON.stringify(all);
      const known = settings.get(setting);
      if (known === undefined) settings.set(setting, { shared, all, members: [measurement] });
      else known.members.push(measurement);
    }
    return [...settings.values()].map(({ shared, all, members }) => {
      const setting = describe(all, members[0]!);
      return rowOf(objective, shared, { setting, sharedSetting: describe([...shared], members[0]!) }, members);
    });
  });
}

function rowOf(
  objective: PaperObjective,
  shared: Configuration,
  texts: Pick<ResultRow, 'setting' | 'sharedSetting'>,
  measurements: Measurement[],
): ResultRow {
  const accuracies = measurements.flatMap(({ accuracy }) => accuracy ?? []);
  return { objective, ...texts, shared, measurements, statistics: summaryStatistics(accuracies) };
}

/** Whether two rows differ in nothing but objective, strengths and seed. */
export function comparable(a: ResultRow, b: ResultRow): boolean {
  return [...a.shared].every(([key, value]) => (b.shared.get(key) ?? value) === value);
}

/** The row of that objective that a row can be compared with; undefined if there is none, or more than one. */
export function counterpart(
  row: ResultRow,
  objective: PaperObjective,
  rows: readonly ResultRow[],
): ResultRow | undefined {
  const candidates = rows.filter(
    (other) => other.objective === objective && other.statistics.n > 0 && comparable(row, other),
  );
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Rows that can all be compared, and the setting they share. */
export interface Comparison {
  setting: string;
  rows: ResultRow[];
}

/** The sets of comparable rows that have results; from-scratch rows may belong to several. */
export function comparisonsOf(rows: readonly ResultRow[]): Comparison[] {
  const measured = rows.filter(({ statistics }) => statistics.n > 0);
  const pretrained = measured.filter(({ objective }) => objective !== 'scratch');
  const leaders = new Map((pretrained.length > 0 ? pretrained : measured).map((row) => [row.sharedSetting, row]));
  return [...leaders].map(([setting, leader]) => ({
    setting,
    rows: measured.filter((row) => comparable(leader, row)),
  }));
}

/** The seeds that every one of the rows has a result of. Means over others would compare seeds, not objectives. */
export function commonSeeds(rows: readonly ResultRow[]): number[] {
  const sets = rows.map((row) => new Set(accuraciesBySeed(row).keys()));
  return [...(sets[0] ?? [])].filter((seed) => sets.every((set) => set.has(seed))).sort((a, b) => a - b);
}

/** The mean of each row over the seeds that all of them have; undefined where there is no such seed. */
function meansOverCommonSeeds(rows: readonly ResultRow[]): number[] | undefined {
  const seeds = commonSeeds(rows);
  if (seeds.length === 0) return undefined;
  return rows.map((row) => summaryStatistics(valuesBySeed(row, seeds)).mean!);
}

/** The accuracies of a row at seeds that it has, in their order. */
export function valuesBySeed(row: ResultRow, seeds: readonly number[]): number[] {
  const accuracies = accuraciesBySeed(row);
  return seeds.map((seed) => accuracies.get(seed)!);
}

function accuraciesBySeed({ measurements }: ResultRow): Map<number, number> {
  return new Map(measurements.flatMap(({ seed, accuracy }) => (accuracy === null ? [] : [[seed, accuracy] as const])));
}

/**
 * Ranks by mean, over the seeds that all have, among the comparable rows that `counts` admits. Rows that belong to
 * several sets have none, and none has one where no seed is common to all.
 */
export function ranksOf(
  comparisons: readonly Comparison[],
  counts: (row: ResultRow) => boolean,
): Map<ResultRow, number> {
  const found = new Map<ResultRow, number[]>();
  for (const comparison of comparisons) {
    const rows = comparison.rows.filter(counts);
    const means = meansOverCommonSeeds(rows) ?? [];
    const places = ranks(higherIsBetter(rows) ? means : means.map((mean) => -mean));
    if (places.length === 0) continue;
    rows.forEach((row, i) => found.set(row, [...(found.get(row) ?? []), places[i]!]));
  }
  return new Map([...found].flatMap(([row, places]) => (places.length === 1 ? [[row, places[0]!]] : [])));
}

function higherIsBetter(rows: readonly ResultRow[]): boolean {
  const measured = rows.flatMap(({ measurements }) => measurements)[0];
  return measured === undefined || measured.metric.metric.better === 'higher';
}

/** Differences a − b between measurements of one seed. */
export function pairedDifferences(a: ResultRow, b: ResultRow): number[] {
  const bySeed = new Map(b.measurements.map(({ seed, accuracy }) => [seed, accuracy]));
  return a.measurements.flatMap(({ seed, accuracy }) => {
    const other = bySeed.get(seed) ?? null;
    return accuracy === null || other === null ? [] : [accuracy - other];
  });
}

/** The epochs after which a row's accuracies were read; several, joined by a slash, where its runs differ. */
export function epochsOf({ measurements }: { measurements: readonly Measurement[] }): number | string | null {
  const epochs = [...new Set(measurements.flatMap((measurement) => measurement.epochs ?? []))].sort((a, b) => a - b);
  return epochs.length > 1 ? epochs.join('/') : (epochs[0] ?? null);
}

/** How many runs are left out because their training did not work. */
export function unhealthyIn({ measurements }: { measurements: readonly Measurement[] }): number {
  return measurements.filter(({ unhealthy }) => unhealthy !== null).length;
}
