/** The spreads of all evaluations in a results folder. */
import type { NamedMetric } from '../../stages/metrics.js';
import type { ReportData } from '../collect.js';
import { measurementsOf } from '../../evidence/measurements.js';
import { findMetric, metricsIn } from '../../evidence/metric.js';
import { spreadOfMeasurements, type Spread, type SpreadLack } from './spread.js';

/** By the names of the metrics. */
export interface CollectedSpreads {
  spreads: ReadonlyMap<string, Spread>;
  /** Metrics without a spread. */
  lacks: ReadonlyMap<string, SpreadLack>;
}

/**
 * The spreads of a folder.
 *
 * @param name Of a metric; by default, the first metric of each evaluation of its jobs.
 * @throws UsageError if no job measures it.
 */
export function spreadsOf(data: ReportData, name?: string): CollectedSpreads {
  const spreads = new Map<string, Spread>();
  const lacks = new Map<string, SpreadLack>();
  const named = name === undefined ? null : findMetric(data, name);
  for (const metric of named === null ? firstMetrics(data) : [named]) {
    const found = spreadOfMeasurements(measurementsOf(data, metric));
    if (typeof found === 'string') lacks.set(metric.name, found);
    else spreads.set(metric.name, { ...found, scale: { unit: metric.metric.unit, digits: metric.metric.digits } });
  }
  return { spreads, lacks };
}

const firstMetrics = (data: ReportData): NamedMetric[] => metricsIn(data).filter(({ name, entry }) => name === entry);

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
