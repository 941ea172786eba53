/** The metric of a plan with a name, by the protocol of its evaluation. */
import { repeatsOf, type Job, type Plan } from '../spec/stages.js';
import { metricsOf, type NamedMetric } from '../stages/metrics.js';

/** @returns undefined: no job has an evaluation with such a metric. */
export function metricCalled(
  name: string,
  { jobs, stages }: { jobs: readonly Job[]; stages: Plan['stages'] },
): NamedMetric | undefined {
  const kinds = new Map(stages.map(({ id, config }) => [id, config.kind]));
  for (const job of jobs) {
    for (const entry of Object.keys(job.evaluations)) {
      const kind = kinds.get(repeatsOf(job, entry)[0] ?? '');
      if (kind === undefined || kind === 'pretrain') continue;
      const found = metricsOf(entry, kind).find((metric) => metric.name === name);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
