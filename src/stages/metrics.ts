/** The names of metrics, as written in `--metric` and tables. */
import { numberIn, type Metric } from './fields.js';
import { EVALUATION_ENTRIES, EVALUATION_NAMES, STAGE_ENTRIES, type Evaluation, type StageKind } from './index.js';

/** `finetune`: the first metric of that evaluation. `finetune.top5`: another one. */
export type MetricName = Evaluation | `${Evaluation}.${string}`;

/** A metric with its key in the results. */
export interface NamedMetric {
  evaluation: Evaluation;
  /** The key of the number in a result. */
  key: string;
  metric: Metric;
}

const NAMED: ReadonlyMap<MetricName, NamedMetric> = new Map(
  EVALUATION_NAMES.flatMap((evaluation) => {
    const metrics = Object.entries(EVALUATION_ENTRIES[evaluation].metrics);
    return metrics.map(([key, metric], i): [MetricName, NamedMetric] => [
      i === 0 ? evaluation : `${evaluation}.${key}`,
      { evaluation, key, metric },
    ]);
  }),
);

/** Every metric, by evaluation. */
export const METRIC_NAMES: readonly MetricName[] = [...NAMED.keys()];

/** The metric of that name. */
export function metricNamed(name: MetricName): NamedMetric {
  const found = NAMED.get(name);
  if (found === undefined) throw new Error(`no metric is called ${name}; there are ${METRIC_NAMES.join(', ')}`);
  return found;
}

/** A metric in a sentence: `top-1 accuracy in percent (finetune)`. */
export function describeMetric(name: MetricName): string {
  const { name: inWords, unit } = metricNamed(name).metric;
  return `${inWords}${unit === null ? '' : ` ${unit.words}`} (${name})`;
}

/** A metric on the axis of a chart: `Top-1 (%), finetune`. */
export function metricTitle(name: MetricName): string {
  const { title, unit } = metricNamed(name).metric;
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
