/** An expectation of a report, `masked>=20`: the metric of every run of an objective is on that side of a number. */
import { objectiveName, parseObjective, taskName } from '../spec/objective.js';
import { formatValue, type NamedMetric } from '../stages/metrics.js';
import type { ReportData } from './collect.js';
import { measurementsOf } from '../evidence/measurements.js';

const COMPARISONS = {
  '>=': (value: number, limit: number) => value >= limit,
  '<=': (value: number, limit: number) => value <= limit,
  '>': (value: number, limit: number) => value > limit,
  '<': (value: number, limit: number) => value < limit,
} as const;

export interface Expectation {
  /** As it was written. */
  text: string;
  /** In its canonical spelling. */
  objective: string;
  comparison: keyof typeof COMPARISONS;
  /** In the unit of the metric. */
  limit: number;
}

const FORM = /^\s*([^<>=]+?)\s*(>=|<=|>|<)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*$/i;

/** Reads `OBJECTIVE>=NUMBER` (or `<=`, `>`, `<`), or returns why it cannot. */
export function parseExpectation(text: string): Expectation | { reason: string } {
  const [, name, comparison, limit] = FORM.exec(text) ?? [];
  if (name === undefined || limit === undefined || !isComparison(comparison)) {
    return { reason: 'expected an objective, one of >=, <=, > and <, and a number, as in masked>=20' };
  }
  const objective = parseObjective(name);
  if (objective.kind === 'invalid') return objective;
  return { text, objective: objectiveName(objective), comparison, limit: Number(limit) };
}

const isComparison = (text: string | undefined): text is keyof typeof COMPARISONS =>
  text !== undefined && Object.hasOwn(COMPARISONS, text);

/** Why an expectation is not met; null: every run of its objective meets it. A run without a result does not. */
export function unmet(
  data: ReportData,
  metric: NamedMetric,
  { text, objective, comparison, limit }: Expectation,
): string | null {
  const runs = measurementsOf(data, metric).filter(({ task, weights }) => taskName(task, weights) === objective);
  if (runs.length === 0) return `expected ${text}: no run of the sweep has the objective ${objective}`;
  const failures = runs.filter(({ accuracy }) => accuracy === null || !COMPARISONS[comparison](accuracy, limit));
  const [first] = failures;
  if (first === undefined) return null;
  const { seed, accuracy, unhealthy } = first;
  const found = accuracy === null ? (unhealthy ?? 'no result') : formatValue(accuracy, metric.metric);
  const others = failures.length > 1 ? `, and ${failures.length - 1} more of ${runs.length} runs` : '';
  return `expected ${text} (${metric.name}): seed ${seed} has ${found}${others}`;
}
