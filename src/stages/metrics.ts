/** The metrics of evaluations by their names, as written in `--metric` and tables. */
import { valueAt } from '../common/tree.js';
import { numberIn, type Metric } from './fields.js';
import { EVALUATION_ENTRIES, EVALUATION_NAMES, STAGE_ENTRIES, type Evaluation, type StageKind } from './index.js';

/** A metric of an evaluation of a sweep. */
export interface NamedMetric {
  /** `pets`: the first metric of the evaluation of that name. `pets.top5`: another one. */
  name: string;
  /** The name of the evaluation in `evaluate`. */
  entry: string;
  protocol: Evaluation;
  /** The key of the number in a result. */
  key: string;
  metric: Metric;
  /** The data set on which it is measured, in words; null: not one for all jobs. */
  data: string | null;
  /** Runs of the evaluation for each pre-training, over which values are averaged; the most of any job. */
  repeats: number;
}

/** The data set of an evaluation and the number of its repeats. */
export type Measured = Pick<NamedMetric, 'data' | 'repeats'>;

/** The metrics of an evaluation. The first one has only the name of the evaluation. */
export function metricsOf(
  entry: string,
  protocol: Evaluation,
  { data, repeats }: Measured = { data: null, repeats: 1 },
): NamedMetric[] {
  return Object.entries(EVALUATION_ENTRIES[protocol].metrics).map(([key, metric], i) => ({
    name: i === 0 ? entry : `${entry}.${key}`,
    ...{ entry, protocol, key, metric, data, repeats },
  }));
}

/** The names of the metrics of evaluations that are named by their protocols. */
export const PROTOCOL_METRICS: readonly string[] = EVALUATION_NAMES.flatMap((protocol) =>
  metricsOf(protocol, protocol).map(({ name }) => name),
);

/**
 * The key of a recipe without which a metric is not measured.
 *
 * @returns null: the metric is measured.
 */
export function missingKeyOf(protocol: Evaluation, metric: string, recipe: object): string | null {
  const optional = EVALUATION_ENTRIES[protocol].corruptions?.optional;
  if (optional?.metrics.includes(metric) !== true) return null;
  const value = valueAt(recipe, [optional.key]);
  return value === undefined || value === optional.off ? optional.key : null;
}

/** A metric in a sentence: `top-1 accuracy in percent (finetune on shapes)`. */
export function describeMetric({ name, metric, data }: NamedMetric): string {
  const { name: inWords, unit } = metric;
  return `${inWords}${unit === null ? '' : ` ${unit.words}`} (${name}${data === null ? '' : ` on ${data}`})`;
}

/** A metric on the axis of a chart: `Top-1 (%), finetune`. */
export function metricTitle({ name, metric: { title, unit } }: NamedMetric): string {
  return `${title}${unit === null ? '' : ` (${unit.symbol})`}, ${name}`;
}

/** The first metric of a kind of stage; null: the kind is not an evaluation. */
export function firstMetricOf(kind: StageKind): { key: string; metric: Metric } | null {
  const [first] = Object.entries(STAGE_ENTRIES[kind].metrics);
  return first === undefined ? null : { key: first[0], metric: first[1] };
}

/** The first metric of a stage's result, as one line: `81.20 %`, or with its name if it has no unit. */
export function describeMeasured(kind: StageKind, values: Readonly<Record<string, unknown>>): string {
  const first = firstMetricOf(kind);
  if (first === null) return 'nothing measured';
  const { key, metric } = first;
  const value = numberIn(values, key);
  const shown = value === null ? 'not measured' : formatValue(value, metric);
  return metric.unit === null ? `${metric.label} ${shown}` : shown;
}

/** A value with its unit: `81.20 %`. */
export function formatValue(value: number, { digits, unit }: Pick<Metric, 'digits' | 'unit'>): string {
  return `${value.toFixed(digits)}${unit === null ? '' : ` ${unit.symbol}`}`;
}
