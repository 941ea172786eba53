/**
 * Objectives × evaluations: the mean of each evaluation for each pre-training, and how the objectives rank over the
 * data sets. Evaluations on one data set are related, so that they rank as one. Rows differ in the objective and in
 * keys of pre-training; keys of evaluations make no rows.
 */
import { UsageError } from '../common/errors.js';
import { groupBy } from '../common/group-by.js';
import { stream } from '../common/random.js';
import { measurementsOf, type Measurement } from '../evidence/measurements.js';
import { friedmanTest, type Friedman } from '../statistics/friedman.js';
import { ranks, summaryStatistics, type Summary } from '../statistics/summary.js';
import type { NamedMetric } from '../stages/metrics.js';
import type { ReportData } from './collect.js';
import { commonSeeds, comparisonsOf, rowsOf, valuesBySeed, type ObjectiveRow } from './comparison.js';
import { metricsIn } from '../evidence/metric.js';
import { transferMetricOf } from '../spec/stages.js';

export interface Transfer {
  /** One of each evaluation; see {@link metricsOfEntries}. */
  metrics: NamedMetric[];
  rows: TransferRow[];
  /** One for each set of rows that can be compared. */
  tests: TransferTest[];
  /**
   * Evaluations that have several values for a pre-training, since a key of theirs varies. They have no values here.
   */
  ambiguous: string[];
}

export interface TransferRow {
  objective: ObjectiveRow['objective'];
  setting: string;
  /** By the name of the metric; an evaluation of which the row has no result has n = 0. */
  cells: ReadonlyMap<string, TransferCell>;
  /**
   * The mean over the data sets of the mean place within each, over the evaluations that all comparable rows have;
   * null: there are none, or the row is in several comparisons.
   */
  meanRank: number | null;
  /** Evaluations in which no row is better; null as above. */
  wins: number | null;
  /** p value of Nemenyi's test against the row with the best mean rank, 1 for that row; null without a test. */
  behindBest: number | null;
}

export interface TransferCell {
  statistics: Summary;
  values: readonly number[];
  unhealthy: number;
}

export interface TransferTest {
  setting: string;
  /** Rows, the evaluations over which they are ranked, and the number of data sets of these. */
  objectives: number;
  evaluations: string[];
  datasets: number;
  /** Over the data sets; null: fewer than two rows or data sets, or all mean places are equal. */
  friedman: Friedman | null;
}

/**
 * @param compared The metric of the report.
 * @returns null: fewer than two evaluations.
 * @throws UsageError if the plan sets a metric that an evaluation does not have; a plan of another version may.
 */
export function transferOf(data: ReportData, compared: NamedMetric): Transfer | null {
  const metrics = metricsOfEntries(data, compared);
  if (metrics.length < 2) return null;
  const ambiguous = metrics.filter((metric) => hasSeveral(measurementsOf(data, metric)));
  const counted = metrics.filter((metric) => !ambiguous.includes(metric));
  const measurements = new Map(counted.map((metric) => [metric, measurementsOf(data, metric).map(byPretraining)]));
  const all = rowsOf([...measurements.values()].flat());
  const perMetric = new Map(counted.map((metric) => [metric, all.map((row) => restricted(row, metric))]));
  const comparisons = comparisonsOf(all).map(({ setting, rows }) => ({
    setting,
    members: rows.map((row) => all.indexOf(row)),
  }));
  const ranked = comparisons.map(({ setting, members }) => {
    const blocks = counted.flatMap((metric) => {
      const values = valuesOf(members.map((i) => perMetric.get(metric)![i]!));
      // The first rank is the best.
      return values === null
        ? []
        : [{ metric, values: isHigherBetter(metric) ? values : values.map((value) => -value) }];
    });
    const datasets = [...groupBy(blocks, ({ metric: { data: name, entry } }) => name ?? entry).values()];
    const places = datasets.map((own) => meanPlaces(own.map(({ values }) => values)));
    const friedman =
      members.length < 2 || datasets.length < 2
        ? null
        : friedmanTest(
            // The first place is the best.
            places.map((own) => own.map((place) => -place)),
            stream(0, 'report', 'friedman', setting),
          );
    return { setting, members, blocks, places, friedman };
  });
  return {
    metrics,
    ambiguous: ambiguous.map(({ name }) => name),
    rows: all.map(({ objective, setting }, index): TransferRow => {
      const own = ranked.filter(({ members }) => members.includes(index));
      const [only] = own;
      const places =
        own.length === 1 && only!.members.length > 1
          ? only!.places.map((ofDataset) => ofDataset[only!.members.indexOf(index)]!)
          : [];
      const meanRank = summaryStatistics(places).mean;
      const best = only?.blocks.filter(({ values }) => values[only.members.indexOf(index)] === Math.max(...values));
      return {
        objective,
        setting,
        cells: new Map(counted.map((metric) => [metric.name, cellOf(perMetric.get(metric)![index]!)])),
        meanRank,
        wins: places.length === 0 ? null : best!.length,
        behindBest: places.length === 0 ? null : (only!.friedman?.behindBest[only!.members.indexOf(index)] ?? null),
      };
    }),
    tests: ranked.map(({ setting, members, blocks, places, friedman }) => ({
      setting,
      objectives: members.length,
      evaluations: blocks.map(({ metric }) => metric.name),
      datasets: places.length,
      friedman,
    })),
  };
}

/** One metric of each evaluation: the metric of its entry, else the compared one if it has it, else its first. */
function metricsOfEntries(data: ReportData, compared: NamedMetric): NamedMetric[] {
  return [...groupBy(metricsIn(data), ({ entry }) => entry)].map(([entry, own]) => {
    const set = transferMetricOf(data.metrics, entry);
    const found = own.find(({ key }) => key === (set ?? compared.key));
    if (found === undefined && set !== undefined) {
      throw new UsageError(
        `the plan has the metric ${set} for the evaluation ${entry}, which has ${own.map(({ key }) => key).join(', ')}; ` +
          'run the sweep again with one of these',
      );
    }
    return found ?? own[0]!;
  });
}

/** The place of each row, averaged over evaluations. */
function meanPlaces(evaluations: readonly (readonly number[])[]): number[] {
  const places = evaluations.map(ranks);
  return places[0]!.map((_, row) => summaryStatistics(places.map((own) => own[row]!)).mean!);
}

const isHigherBetter = ({ metric }: NamedMetric): boolean => metric.better === 'higher';

/** Whether an evaluation has several values for one pre-training. */
function hasSeveral(measurements: readonly Measurement[]): boolean {
  const seen = new Set<string>();
  return measurements.some((measurement) => {
    const { task, seed, strengths, configuration } = byPretraining(measurement);
    const key = JSON.stringify([task, seed, [...strengths], [...configuration]]);
    return seen.size === seen.add(key).size;
  });
}

/**
 * The measurement with those keys of its configuration that concern the pre-training. Those of its data have
 * `pretrain.` in front, so that rows from scratch, which have no such keys, are compared with all.
 */
function byPretraining(measurement: Measurement): Measurement {
  const { configuration, task } = measurement;
  const hasOwnData = [...configuration.keys()].some((key) => key.startsWith('pretrain.data.'));
  const kept = [...configuration].flatMap(([key, value]): [string, string][] => {
    if (key.startsWith('model.') || key === 'engineRevision') return [[key, value]];
    if (task === null) return [];
    if (key.startsWith('pretrain.')) return [[key, value]];
    const ofLabels = key === 'data.labelFraction' || key === 'data.shots';
    return key.startsWith('data.') && !hasOwnData && !ofLabels ? [[`pretrain.${key}`, value]] : [];
  });
  return { ...measurement, configuration: new Map(kept) };
}

function restricted(row: ObjectiveRow, { name }: NamedMetric): ObjectiveRow {
  const measurements = row.measurements.filter(({ metric }) => metric.name === name);
  const values = measurements.flatMap(({ accuracy }) => accuracy ?? []);
  return { ...row, measurements, statistics: summaryStatistics(values) };
}

/** The means of rows over the seeds that all rows have; null if there is no such seed. */
function valuesOf(rows: readonly ObjectiveRow[]): number[] | null {
  const seeds = commonSeeds(rows);
  return seeds.length === 0 ? null : rows.map((row) => summaryStatistics(valuesBySeed(row, seeds)).mean!);
}

function cellOf({ statistics, measurements }: ObjectiveRow): TransferCell {
  return {
    statistics,
    values: measurements.flatMap(({ accuracy }) => accuracy ?? []),
    unhealthy: measurements.filter(({ unhealthy }) => unhealthy !== null).length,
  };
}
