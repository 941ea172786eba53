/** The spreads of all evaluations in a results folder. */
import { EVALUATION_NAMES } from '../../stages/index.js';
import type { MetricName } from '../../stages/metrics.js';
import type { ReportData } from '../collect.js';
import { measurementsOf } from '../../evidence/measurements.js';
import { spreadOfMeasurements, type Spread, type SpreadLack } from './spread.js';

export interface CollectedSpreads {
  spreads: ReadonlyMap<MetricName, Spread>;
  /** Metrics without a spread. */
  lacks: ReadonlyMap<MetricName, SpreadLack>;
}

/**
 * The spreads of a folder.
 *
 * @param metrics By default, the first metric of each evaluation of its jobs.
 */
export function spreadsOf(data: ReportData, metrics: readonly MetricName[] = firstMetrics(data)): CollectedSpreads {
  const spreads = new Map<MetricName, Spread>();
  const lacks = new Map<MetricName, SpreadLack>();
  for (const metric of metrics) {
    const found = spreadOfMeasurements(measurementsOf(data, metric));
    if (typeof found === 'string') lacks.set(metric, found);
    else spreads.set(metric, found);
  }
  return { spreads, lacks };
}

const firstMetrics = ({ jobs }: ReportData): MetricName[] =>
  EVALUATION_NAMES.filter((evaluation) => jobs.some(({ evaluations }) => evaluations[evaluation] !== undefined));

const LACKS: Record<SpreadLack, string> = {
  'no results': 'has no result that counts',
  'one seed': 'has one seed in each cell, and a spread needs two',
  'equal seeds': 'has the same value for all seeds of a cell, to the last digit',
};

/** Why metrics have no spread, a sentence for each reason: `finetune, knn: one seed in each cell, …`. */
export function describeLacks(lacks: CollectedSpreads['lacks']): string[] {
  const reasons = [...new Set(lacks.values())];
  return reasons.map((reason) => {
    const metrics = [...lacks].flatMap(([metric, why]) => (why === reason ? [metric] : []));
    return metrics.map((metric) => `${metric} ${LACKS[reason]}`).join('; ');
  });
}
