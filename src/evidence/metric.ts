/** The metrics of a collection of results, and the one that a report compares. */
import { basename } from 'node:path';
import { UsageError } from '../common/errors.js';
import { repeatsOf, type UnlabelledData } from '../spec/stages.js';
import type { Evaluation } from '../stages/index.js';
import { metricsOf, type NamedMetric } from '../stages/metrics.js';
import type { Results } from './measurements.js';

/**
 * Every metric that some job measures, by evaluation, in the order of the jobs.
 *
 * @throws UsageError if one name has two protocols, in plans of different specs.
 */
export function metricsIn(data: Results): NamedMetric[] {
  return entriesIn(data).flatMap(({ name, protocol, data: sets, repeats }) => {
    const [only, ...others] = sets;
    return metricsOf(name, protocol, { data: others.length === 0 ? (only ?? null) : null, repeats });
  });
}

interface MeasuredEntry {
  name: string;
  protocol: Evaluation;
  data: ReadonlySet<string>;
  repeats: number;
}

function entriesIn({ jobs, stages }: Results): MeasuredEntry[] {
  const found = new Map<string, { protocol: Evaluation; data: Set<string>; repeats: number }>();
  for (const job of jobs) {
    for (const name of Object.keys(job.evaluations)) {
      const ids = repeatsOf(job, name);
      const config = stages.get(ids[0] ?? '')?.stage.config;
      if (config === undefined || config.kind === 'pretrain') continue; // in another shard; no valid plan has the latter
      const known = found.get(name) ?? { protocol: config.kind, data: new Set(), repeats: 0 };
      if (known.protocol !== config.kind) {
        throw new UsageError(
          `the evaluation ${name} is ${known.protocol} in one plan and ${config.kind} in another; choose one with --plan`,
        );
      }
      known.data.add(describeData(config.data));
      found.set(name, { ...known, repeats: Math.max(known.repeats, ids.length) });
    }
  }
  return [...found].map(([name, entry]) => ({ name, ...entry }));
}

/** A data set in a few words: `shapes`, or `image-folder pets`. */
export function describeData(data: UnlabelledData): string {
  const path = 'path' in data && typeof data.path === 'string' ? basename(data.path) : '';
  return path === '' || path === data.name ? data.name : `${data.name} ${path}`;
}

/**
 * The metric that a report compares.
 *
 * @param name As in `--metric`; undefined: the one that all jobs are ranked by.
 * @returns null if no job has an evaluation: only the tables of losses and runs have content.
 * @throws UsageError if no job measures it, or the jobs do not agree on one.
 */
export function findMetric(data: Results, name?: string): NamedMetric | null {
  const measured = metricsIn(data);
  if (measured.length === 0) return null;
  const wanted = name ?? rankedBy(data, measured);
  const found = measured.find((metric) => metric.name === wanted) ?? firstByKey(measured, wanted);
  if (found !== undefined) return found;
  const names = measured.map((metric) => metric.name).join(', ');
  throw new UsageError(`no job measures ${wanted}; choose --metric among ${names}`);
}

/** The first metric of an evaluation by its whole name: `finetune.accuracy` for `finetune`. */
function firstByKey(measured: readonly NamedMetric[], name: string): NamedMetric | undefined {
  return measured.find(({ entry, key }) => `${entry}.${key}` === name);
}

/** The evaluation that all jobs are ranked by; the first one if no job names one. */
function rankedBy({ jobs }: Results, measured: readonly NamedMetric[]): string {
  const names = [...new Set(jobs.map((job) => job.rankedBy))].filter((name) => name !== null);
  if (names.length <= 1) return names[0] ?? measured[0]!.name;
  throw new UsageError(`the jobs are ranked by different metrics; choose --metric among ${names.join(', ')}`);
}
