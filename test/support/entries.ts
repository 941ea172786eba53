/** Evaluations and metrics of plans by their names. */
import { repeatsOf, type Job } from '../../src/spec/stages.js';
import { EVALUATION_NAMES } from '../../src/stages/index.js';
import { metricsOf, type NamedMetric } from '../../src/stages/metrics.js';

/** A metric of an evaluation that is named by its protocol: `finetune`, `finetune.top5`. */
export function metric(name: string): NamedMetric {
  return EVALUATION_NAMES.flatMap((protocol) => metricsOf(protocol, protocol)).find((each) => each.name === name)!;
}

/** The stage of an evaluation without repeats; undefined: the job does not have it. */
export const evaluationOf = (job: Pick<Job, 'evaluations'>, name: string): string | undefined =>
  repeatsOf(job, name)[0];
