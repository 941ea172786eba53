/**
 * Results → measurements: one number for each encoder under each evaluation, with what it was measured on. Everything
 * that is inferred from a sweep starts from these.
 */
import { mean } from '../common/sums.js';
import { repeatsOf, type Job, type Stage, type StageConfig } from '../spec/stages.js';
import { numberIn } from '../stages/fields.js';
import type { NamedMetric } from '../stages/metrics.js';
import type { StageResult } from '../store/records.js';
import { configurationOf, strengthsOf, withoutKeys } from './configuration.js';
import { runProblem } from './health.js';
import { variantsOf, type Varied } from './variants.js';

/** The jobs of a sweep and what became of their stages. */
export interface Results {
  readonly jobs: readonly Job[];
  /** Every stage of the jobs, by identity. */
  readonly stages: ReadonlyMap<string, StageOutcome>;
}

/** A stage and its result. */
export interface StageOutcome {
  readonly stage: Stage;
  /** null: missing. */
  readonly result: StageResult | null;
}

/** One encoder under one evaluation. */
export interface Measurement extends Varied {
  seed: number;
  /** What was measured. */
  metric: NamedMetric;
  /** Its value, such as an accuracy in percent: the mean of its repeats; null: missing, or unhealthy. */
  accuracy: number | null;
  /** The values of the repeats that have a result; one value if the evaluation has no repeats. */
  repeats: readonly number[];
  /** Why its accuracy does not count, as a clause; null: it does, or it is missing. */
  unhealthy: string | null;
  /** Epochs of the evaluation after which that was read. */
  epochs: number | null;
  pretrain: Extract<StageResult, { kind: 'pretrain' }> | null;
  /** The configuration of the pre-training; null: none. */
  pretrainConfig: Extract<StageConfig, { kind: 'pretrain' }> | null;
}

/** The measurements of a metric, each stage once even if several jobs share it. */
export function measurementsOf(data: Results, metric: NamedMetric): readonly Measurement[] {
  const known = measured.get(data) ?? new Map<string, readonly Measurement[]>();
  measured.set(data, known);
  let measurements = known.get(metric.name);
  if (measurements === undefined) known.set(metric.name, (measurements = measure(data, metric)));
  return measurements;
}

/** Every table and figure uses them, and there may be tens of thousands. */
const measured = new WeakMap<Results, Map<string, readonly Measurement[]>>();

function measure(data: Results, metric: NamedMetric): Measurement[] {
  const stages = new Set<string>();
  return data.jobs.flatMap((job): Measurement[] => {
    const { cells, task, weights, seed, pretrain, candidate } = job;
    const ids = repeatsOf(job, metric.entry);
    const [first] = ids;
    if (first === undefined || stages.has(ids.join())) return [];
    stages.add(ids.join());
    const evaluations = ids.map((id) => data.stages.get(id)!);
    const before = pretrain === null ? undefined : data.stages.get(pretrain)!;
    const unhealthy = problemOf(evaluations, before);
    // An unhealthy run counts nowhere. This is the only place that ensures it.
    const results = unhealthy === null ? evaluations.flatMap(({ result }) => result ?? []) : [];
    const repeats = results.flatMap((result) => numberIn(result, metric.key) ?? []);
    return [
      {
        task,
        weights,
        seed,
        // A cell with the values that were chosen for it is one cell: they do not distinguish it from others.
        configuration: withoutKeys(
          configurationOf([...(before === undefined ? [] : [before.stage]), evaluations[0]!.stage]),
          Object.keys(candidate?.values ?? {}),
        ),
        strengths: withoutKeys(strengthsOf(task, weights), Object.keys(candidate?.values ?? {})),
        variants: variantsOf(cells),
        metric,
        accuracy: repeats.length === 0 ? null : mean(repeats),
        repeats,
        unhealthy,
        epochs: results[0]?.epochs ?? null,
        pretrain: before?.result?.kind === 'pretrain' ? before.result : null,
        pretrainConfig: before?.stage.config.kind === 'pretrain' ? before.stage.config : null,
      },
    ];
  });
}

/**
 * Why a run does not count: one of its repeats, or its pre-training, did not work. The mean of the other repeats would
 * be biased towards the repeats that worked.
 */
function problemOf(evaluations: readonly StageOutcome[], before: StageOutcome | undefined): string | null {
  for (const [index, evaluation] of evaluations.entries()) {
    const problem = runProblem(evaluation, before);
    if (problem !== null) return evaluations.length === 1 ? problem : `repeat ${index + 1}: ${problem}`;
  }
  return null;
}
