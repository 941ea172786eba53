/** Validated cells + fingerprints of the data → jobs and stages with identities: the frozen plan of a sweep. */
import { canonicalJson, sha256 } from '../common/canonical.js';
import { entriesOf } from './entries.js';
import { compareKeys } from './expand.js';
import { dataOfStages, jobStages, stageConfigs } from './jobs.js';
import type { ResolvedCell } from './resolve.js';
import type { CandidateRuns, SweepSelection } from './selection.js';
import {
  ENGINE_REVISION,
  withoutPlaces,
  type Job,
  type JobCandidate,
  type Plan,
  type Selection,
  type Stage,
  type StageConfig,
  type TransferMetrics,
  type UnlabelledData,
  type WeightsInput,
} from './stages.js';
import type { Sweep } from './sweep.js';

/** The jobs of a plan before their stages have identities: the cells, or the trials and runs of every candidate. */
export function resolvedJobs({ cells, selection }: Sweep): ResolvedCell[] {
  if (selection === undefined) return cells;
  return selection.cells.flatMap(({ candidates }) => candidates.flatMap(({ trials, runs }) => [...trials, ...runs]));
}

/** The distinct data sets of a sweep, in the order of the jobs: those to open before {@link buildPlan}. */
export function datasetsOf(sweep: Sweep): UnlabelledData[] {
  const all = resolvedJobs(sweep).flatMap(({ job, task }) => dataOfStages(job, task));
  return [...new Map(all.map((data) => [canonicalJson(data), data])).values()];
}

/** The stages of a sweep that start from given weights, as far as they are known without the files. */
export function weightsOf(sweep: Sweep): (StageConfig & { weights: WeightsInput })[] {
  return resolvedJobs(sweep).flatMap((resolved) =>
    stageConfigs(resolved).flatMap((config) => {
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

  const addJob = (resolved: ResolvedCell, candidate?: JobCandidate): void => {
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
    const identity = canonicalJson({ ...ids, candidate });
    const same = jobs.get(identity);
    const own = candidate === undefined ? {} : { candidate };
    if (same !== undefined) same.cells.push(cell);
    else {
      const rankedBy = evaluations[0]?.name ?? null;
      jobs.set(identity, { cells: [cell], task, ...given, seed: job.seed, ...ids, rankedBy, ...own });
    }
  };
  if (sweep.selection === undefined) for (const resolved of sweep.cells) addJob(resolved);
  const selections = sweep.selection === undefined ? undefined : addSelection(sweep.selection, addJob);
  const { name, description, seeds, compare, leftOut } = sweep;
  const metrics = metricsOfEntries(sweep);
  return {
    version: 1,
    name,
    ...(description === undefined ? {} : { description }),
    jobs: [...jobs.values()],
    stages: [...stages.values()],
    ...(seeds === undefined ? {} : { seeds }),
    ...(compare === undefined ? {} : { compare }),
    ...(metrics === undefined ? {} : { metrics }),
    leftOut,
    ...(selections === undefined ? {} : { selections }),
  };
}

/** The metrics that entries of `evaluate` set; undefined: none is set. */
function metricsOfEntries({ cells }: Sweep): TransferMetrics | undefined {
  const entries = cells.flatMap(({ job }) => entriesOf(job));
  const set = entries.flatMap(({ name, metric }) => (metric === undefined ? [] : [[name, metric] as const]));
  return set.length === 0 ? undefined : Object.fromEntries(set);
}

/** Adds the trials and runs of every candidate of every cell. */
function addSelection(
  { spec, planned, cells }: SweepSelection,
  addJob: (resolved: ResolvedCell, candidate: JobCandidate) => void,
): Selection[] {
  const { by, seeds, train } = spec;
  const keys = Object.keys(spec.over).sort(compareKeys);
  return cells.map(({ cell, candidates }) => {
    const shared = { by, keys, seeds, planned, train, cell };
    const id = sha256(canonicalJson({ ...shared, candidates: candidates.map(({ values }) => values) })).slice(
      0,
      ID_LENGTH,
    );
    const distinct = distinctCandidates(candidates);
    for (const [index, { values, trials, runs }] of distinct.entries()) {
      const candidate = { selection: id, index, values };
      // A single candidate needs no trial.
      for (const trial of distinct.length > 1 ? trials : []) addJob(trial, { ...candidate, isTrial: true });
      for (const run of runs) addJob(run, { ...candidate, isTrial: false });
    }
    return { id, ...shared };
  });
}

/** The candidates without those that are the same work as an earlier one: scratch has no keys of a pre-training. */
function distinctCandidates(candidates: readonly CandidateRuns[]): CandidateRuns[] {
  const byWork = new Map<string, CandidateRuns>();
  for (const candidate of candidates) {
    const work = canonicalJson([...candidate.trials, ...candidate.runs].map(stageConfigs));
    if (!byWork.has(work)) byWork.set(work, candidate);
  }
  return [...byWork.values()];
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
