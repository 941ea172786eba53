/**
 * Measured encoders, gathered into the rows of a comparison: one row for each objective and setting, its seeds
 * together. A setting is what differs besides objective and seed; only rows whose settings agree are compared.
 */
import { groupBy } from '../common/group-by.js';
import { resolveTriple } from '../spec/cells.js';
import { appliesTo, varyingKeys, type Configuration } from '../evidence/configuration.js';
import type { Measurement } from '../evidence/measurements.js';
import { MASK_RATIO, settingsAmong, type SettingEntry } from '../evidence/variants.js';
import { compareObjectives } from './objective-order.js';
import {
  namedTask,
  OBJECTIVE_ORDER,
  PAPER_MASK_RATIO,
  paperObjective,
  type NamedTask,
  type PaperObjective,
} from './paper.js';
import { ranks, summaryStatistics, type Summary } from '../statistics/summary.js';

/** One row: the seeds of an objective in one setting. */
export interface ObjectiveRow extends NamedTask {
  /** `key=value` of what differs between the rows of the table; empty if nothing differs. */
  setting: string;
  /** The part of the setting that other objectives have too, and its text. */
  shared: Configuration;
  sharedSetting: string;
  /** Empty if no job of the sweep is this objective. */
  measurements: Measurement[];
  /** Of the runs that count. */
  statistics: Summary;
}

/**
 * The rows of every task that is measured, in the order of {@link compareObjectives}; lower mask ratios first.
 *
 * The mask ratio is part of the setting of masked tasks if they have several. Strengths of a degradation are part of a
 * setting only if one objective has several: between objectives they differ anyway.
 */
export function rowsOf(measurements: readonly Measurement[]): ObjectiveRow[] {
  const keys = varyingKeys(measurements);
  const describe = settingsAmong(measurements);
  const severalRatios = haveSeveralMasks(measurements.map(({ task }) => namedTask(task)));
  const byObjective = groupBy(measurements, ({ task, weights }) => namedTask(task, weights).objective);
  return [...byObjective.values()]
    .flatMap((own) => {
      const strengths = varyingKeys(
        own.map(({ task, weights, strengths: configuration }) => ({ task, weights, configuration })),
      );
      const sharedOf = (measurement: Measurement): SettingEntry[] =>
        keys
          .filter((key) => appliesTo(key, measurement))
          .map((key) => [key, measurement.configuration.get(key) ?? 'unset']);
      const allOf = (measurement: Measurement): SettingEntry[] => {
        const { maskRatio } = namedTask(measurement.task);
        return [
          ...(severalRatios && maskRatio > 0 ? [[MASK_RATIO, String(maskRatio)] as const] : []),
          ...sharedOf(measurement),
          ...strengths.map((key) => [key, measurement.strengths.get(key) ?? 'unset'] as const),
        ];
      };
      const groups = groupBy(own, (measurement) => JSON.stringify(allOf(measurement)));
      return [...groups.values()].map((members): ObjectiveRow => {
        const [first] = members as [Measurement, ...Measurement[]];
        const shared = sharedOf(first);
        return {
          ...namedTask(first.task, first.weights),
          setting: describe(allOf(first), first),
          shared: new Map(shared),
          sharedSetting: describe(shared, first),
          measurements: members,
          statistics: summaryStatistics(members.flatMap(({ accuracy }) => accuracy ?? [])),
        };
      });
    })
    .sort(compareRows);
}

/** Whether masked tasks have different mask ratios. */
export const haveSeveralMasks = (tasks: readonly NamedTask[]): boolean =>
  new Set(tasks.map(({ maskRatio }) => maskRatio).filter((ratio) => ratio > 0)).size > 1;

/** Compares tasks, by {@link compareObjectives} and then by mask ratio. */
export const compareRows = (a: NamedTask, b: NamedTask): number =>
  compareObjectives(a.objective, b.objective) || a.maskRatio - b.maskRatio;

/**
 * Rows with an empty one for each of the paper's objectives that they lack, in the order of {@link OBJECTIVE_ORDER};
 * tasks that are not in it come after.
 */
export function withPaperRows(rows: readonly ObjectiveRow[], objectives: readonly PaperObjective[]): ObjectiveRow[] {
  const present = new Set(rows.map(paperObjective));
  const lacking = objectives.filter((objective) => !present.has(objective));
  const placeOf = (row: ObjectiveRow): number => {
    const objective = paperObjective(row);
    return objective === undefined ? OBJECTIVE_ORDER.length : OBJECTIVE_ORDER.indexOf(objective);
  };
  return [...rows, ...lacking.map(emptyRow)].sort((a, b) => placeOf(a) - placeOf(b));
}

/** A row without measurements, for an objective that a table always shows. */
export function emptyRow(objective: PaperObjective): ObjectiveRow {
  const triple = resolveTriple(objective, {});
  const maskRatio = triple.kind === 'triple' ? triple.maskRatio : 0;
  const statistics = summaryStatistics([]);
  return { objective, maskRatio, setting: '', shared: new Map(), sharedSetting: '', measurements: [], statistics };
}

/** Whether two rows differ in nothing but objective, strengths and seed. */
export function comparable(a: ObjectiveRow, b: ObjectiveRow): boolean {
  return [...a.shared].every(([key, value]) => (b.shared.get(key) ?? value) === value);
}

/**
 * The row of that objective that a row can be compared with; undefined if there is none, or more than one. Masked rows
 * are compared at one mask ratio; of several ratios, a row without a mask is compared with the paper's.
 */
export function counterpart(
  row: ObjectiveRow,
  objective: PaperObjective,
  rows: readonly ObjectiveRow[],
): ObjectiveRow | undefined {
  const candidates = rows.filter(
    (other) =>
      other.objective === objective && other.statistics.n > 0 && comparable(row, other) && haveOneMask(row, other),
  );
  const [only, ...others] =
    candidates.length > 1 ? candidates.filter(({ maskRatio }) => maskRatio === PAPER_MASK_RATIO) : candidates;
  return others.length === 0 ? only : undefined;
}

const haveOneMask = (a: ObjectiveRow, b: ObjectiveRow): boolean =>
  a.maskRatio === b.maskRatio || a.maskRatio === 0 || b.maskRatio === 0;

/** Rows that can all be compared, and the setting they share. */
export interface Comparison {
  setting: string;
  rows: ObjectiveRow[];
}

/** The sets of comparable rows that have results; from-scratch rows may belong to several. */
export function comparisonsOf(rows: readonly ObjectiveRow[]): Comparison[] {
  const measured = rows.filter(({ statistics }) => statistics.n > 0);
  const pretrained = measured.filter(({ objective }) => objective !== 'scratch');
  const leaders = new Map((pretrained.length > 0 ? pretrained : measured).map((row) => [row.sharedSetting, row]));
  return [...leaders].map(([setting, leader]) => ({
    setting,
    rows: measured.filter((row) => comparable(leader, row)),
  }));
}

/** The seeds that every one of the rows has a result of. Means over others would compare seeds, not objectives. */
export function commonSeeds(rows: readonly ObjectiveRow[]): number[] {
  const sets = rows.map((row) => new Set(accuraciesBySeed(row).keys()));
  return [...(sets[0] ?? [])].filter((seed) => sets.every((set) => set.has(seed))).sort((a, b) => a - b);
}

/** The mean of each row over the seeds that all of them have; undefined if they share no seed. */
function meansOverCommonSeeds(rows: readonly ObjectiveRow[]): number[] | undefined {
  const seeds = commonSeeds(rows);
  if (seeds.length === 0) return undefined;
  return rows.map((row) => summaryStatistics(valuesBySeed(row, seeds)).mean!);
}

/** The accuracies of a row at seeds that it has, in their order. */
export function valuesBySeed(row: ObjectiveRow, seeds: readonly number[]): number[] {
  const accuracies = accuraciesBySeed(row);
  return seeds.map((seed) => accuracies.get(seed)!);
}

function accuraciesBySeed({ measurements }: ObjectiveRow): Map<number, number> {
  return new Map(measurements.flatMap(({ seed, accuracy }) => (accuracy === null ? [] : [[seed, accuracy] as const])));
}

/**
 * Ranks by mean, over the seeds that all comparable rows have. A row that belongs to several sets has no rank. If the
 * rows share no seed, none has a rank.
 */
export function ranksOf(comparisons: readonly Comparison[]): Map<ObjectiveRow, number> {
  const found = comparisons.flatMap(({ rows }) => {
    const means = meansOverCommonSeeds(rows) ?? [];
    const places = ranks(higherIsBetter(rows) ? means : means.map((mean) => -mean));
    return places.map((place, i) => ({ row: rows[i]!, place }));
  });
  return new Map(
    [...groupBy(found, ({ row }) => row)].flatMap(([row, own]) => (own.length === 1 ? [[row, own[0]!.place]] : [])),
  );
}

function higherIsBetter(rows: readonly ObjectiveRow[]): boolean {
  const measured = rows.flatMap(({ measurements }) => measurements)[0];
  return measured === undefined || measured.metric.metric.better === 'higher';
}

/** Differences a − b between measurements of one seed. */
export function pairedDifferences(a: ObjectiveRow, b: ObjectiveRow): number[] {
  const bySeed = new Map(b.measurements.map(({ seed, accuracy }) => [seed, accuracy]));
  return a.measurements.flatMap(({ seed, accuracy }) => {
    const other = bySeed.get(seed) ?? null;
    return accuracy === null || other === null ? [] : [accuracy - other];
  });
}

/** The epochs after which a row's accuracies were read, joined by slashes if its runs differ. */
export function epochsOfRow({ measurements }: { measurements: readonly Measurement[] }): number | string | null {
  const epochs = [...new Set(measurements.flatMap((measurement) => measurement.epochs ?? []))].sort((a, b) => a - b);
  return epochs.length > 1 ? epochs.join('/') : (epochs[0] ?? null);
}

/** How many runs are left out because their training did not work. */
export function unhealthyIn({ measurements }: { measurements: readonly Measurement[] }): number {
  return measurements.filter(({ unhealthy }) => unhealthy !== null).length;
}
