/** Validated cells + fingerprints of the data → jobs and stages with identities: the frozen plan of a sweep. */
import { canonicalJson, sha256 } from '../common/canonical.js';
import { dataOfStages, jobStages, stageConfigs } from './jobs.js';
import {
  ENGINE_REVISION,
  withoutPlaces,
  type Job,
  type Plan,
  type Stage,
  type StageConfig,
  type UnlabelledData,
  type WeightsInput,
} from './stages.js';
import type { Sweep } from './sweep.js';

/** The distinct data sets of a sweep, in the order of the cells: those to open before {@link buildPlan}. */
export function datasetsOf(sweep: Sweep): UnlabelledData[] {
  const all = sweep.cells.flatMap(({ job, task }) => dataOfStages(job, task));
  return [...new Map(all.map((data) => [canonicalJson(data), data])).values()];
}

/** The stages of a sweep that start from given weights, as far as they are known without the files. */
export function weightsOf(sweep: Sweep): (StageConfig & { weights: WeightsInput })[] {
  return sweep.cells.flatMap(({ job, model, task }) =>
    stageConfigs(job, model, task).flatMap((config) => {
      const { weights } = config;
      return weights === undefined ? [] : [{ ...config, weights }];
    }),
  );
}

function noDigest(file: string): never {
  throw new Error(`the digest of ${file} is not known`);
}

/**
 * Builds the plan. Cells that reduce to the same stages are one job; jobs share their common stages.
 *
 * @param fingerprintOf The fingerprint of a data set's content, for each of {@link datasetsOf}.
 * @param digestOf The SHA-256 of a file of weights, for each of {@link weightsOf}.
 */
export function buildPlan(
  sweep: Sweep,
  fingerprintOf: (data: UnlabelledData) => string,
  digestOf: (file: string) => string = noDigest,
): Plan {
  const identified = (config: StageConfig, parent: string | null, fingerprint: string): Stage => {
    const { weights } = config;
    if (weights === undefined) return identify(config, parent, fingerprint);
    return identify({ ...config, weights: { ...weights, sha256: digestOf(weights.file) } }, parent, fingerprint);
  };
  const stages = new Map<string, Stage>();
  const jobs = new Map<string, Job>();
  const add = (stage: Stage): string => {
    stages.set(stage.id, stage); // a stage that is set again keeps its position before its children
    return stage.id;
  };

  for (const resolved of sweep.cells) {
    const { cell, job, task } = resolved;
    const { pretraining, evaluations } = jobStages(resolved);
    const pretrain =
      pretraining === null ? null : add(identified(pretraining.config, null, fingerprintOf(pretraining.data)));
    const ids = {
      pretrain,
      evaluations: Object.fromEntries(
        evaluations.map(({ name, data, configs }) => {
          const fingerprint = fingerprintOf(data);
          const own = configs.map((config) => add(identified(config, pretrain, fingerprint)));
          return [name, own.length === 1 ? own[0]! : own];
        }),
      ),
    };
    const given = job.objective === 'pretrained' ? { weights: digestOf(job.model.weights!.file) } : {};
    const identity = canonicalJson(ids);
    const same = jobs.get(identity);
    if (same !== undefined) same.cells.push(cell);
    else
      jobs.set(identity, {
        cells: [cell],
        task,
        ...given,
        seed: job.seed,
        ...ids,
        rankedBy: evaluations[0]?.name ?? null,
      });
  }
  const { name, description, leftOut } = sweep;
  return {
    version: 1,
    name,
    ...(description === undefined ? {} : { description }),
    jobs: [...jobs.values()],
    stages: [...stages.values()],
    leftOut,
  };
}

const ID_LENGTH = 16;

/**
 * Gives a stage its identity. The places of data and weights and the folders of splits do not enter it; their content does,
 * by its fingerprint or digest.
 */
export function identify(
  config: StageConfig,
  parent: string | null,
  dataFingerprint: string,
  engineRevision = ENGINE_REVISION,
): Stage {
  const content = { parent, dataFingerprint, engineRevision };
  const hashed = canonicalJson({ config: withoutPlaces(config), ...content });
  return { id: sha256(hashed).slice(0, ID_LENGTH), config, ...content };
}
