/**
 * Results → measurements: one number for each encoder under each evaluation, with what it was measured on. Everything that
 * is inferred from a sweep starts from these.
 */
import type { Job, Stage, StageConfig } from '../spec/stages.js';
import { numberIn } from '../stages/fields.js';
import { metricNamed, type MetricName } from '../stages/metrics.js';
import type { StageResult } from '../store/records.js';
import { configurationOf, strengthsOf, type Configuration, type Configured } from './configuration.js';
import { runProblem } from './health.js';

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
export interface Measurement extends Configured {
  seed: number;
  strengths: Configuration;
  /** What was measured. */
  metric: MetricName;
  /** Its value, such as an accuracy in percent; null: missing, or unhealthy. */
  accuracy: number | null;
  /** Why its accuracy does not count, as a clause; null: it does, or it is missing. */
  unhealthy: string | null;
  /** Epochs of the evaluation after which that was read. */
  epochs: number | null;
  pretrain: Extract<StageResult, { kind: 'pretrain' }> | null;
  /** The configuration of the pre-training; null: none. */
  pretrainConfig: Extract<StageConfig, { kind: 'pretrain' }> | null;
}

/** The measurements of a metric, each stage once even if several jobs share it. */
export function measurementsOf(data: Results, metric: MetricName): readonly Measurement[] {
  const known = measured.get(data) ?? new Map<MetricName, readonly Measurement[]>();
  measured.set(data, known);
  let measurements = known.get(metric);
  if (measurements === undefined) known.set(metric, (measurements = measure(data, metric)));
  return measurements;
}

/** Every table and figure asks for them, and there may be tens of thousands. */
const measured = new WeakMap<Results, Map<MetricName, readonly Measurement[]>>();

function measure(data: Results, metric: MetricName): Measurement[] {
  const stages = new Set<string>();
  const { evaluation: measuredBy, key } = metricNamed(metric);
  return data.jobs.flatMap(({ task, seed, pretrain, evaluations }): Measurement[] => {
    const id = evaluations[measuredBy];
    if (id === undefined || stages.has(id)) return [];
    stages.add(id);
    const evaluation = data.stages.get(id)!;
    const before = pretrain === null ? undefined : data.stages.get(pretrain)!;
    const unhealthy = runProblem(evaluation, before);
    // An unhealthy run counts nowhere. This is the only place that ensures it.
    const result = unhealthy === null ? evaluation.result : null;
    return [
      {
        task,
        seed,
        configuration: configurationOf([...(before === undefined ? [] : [before.stage]), evaluation.stage]),
        strengths: strengthsOf(task),
        metric,
        accuracy: result === null ? null : numberIn(result, key),
        unhealthy,
        epochs: result?.epochs ?? null,
        pretrain: before?.result?.kind === 'pretrain' ? before.result : null,
        pretrainConfig: before?.stage.config.kind === 'pretrain' ? before.stage.config : null,
      },
    ];
  });
}
