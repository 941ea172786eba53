/**
 * The rule `select`: for each cell, the candidate with the best mean on the validation images is chosen, and only its
 * runs on the reported seeds are needed. Pure.
 *
 * A candidate is judged when all of its trials are done. It loses if one of them diverged, or if its training did not
 * work: such a candidate cannot be recommended, even if the other seeds are good. A trial that failed for another
 * reason, such as a lack of memory, is no evidence about its candidate, so nothing is chosen until it is done.
 */
import { mean } from '../common/sums.js';
import { groupBy } from '../common/group-by.js';
import { runProblem } from '../evidence/health.js';
import { metricsIn } from '../evidence/metric.js';
import { describeCellWithoutSeed } from '../spec/cells.js';
import {
  repeatsOf,
  stageIds,
  type Job,
  type JobCandidate,
  type Plan,
  type Selection,
  type Stage,
} from '../spec/stages.js';
import { numberIn } from '../stages/fields.js';
import type { NamedMetric } from '../stages/metrics.js';
import type { Need, Rule } from './rules.js';
import type { Standing, StandingOf } from './standing.js';

/** The outcome of one trial. */
export type Trial =
  | { readonly kind: 'value'; readonly value: number }
  /** Its candidate loses; `why` is a clause. */
  | { readonly kind: 'lost'; readonly why: string }
  | { readonly kind: 'awaited' };

/** A candidate with its trials. */
export interface JudgedCandidate {
  readonly index: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly trials: readonly Trial[];
}

export type Choice =
  /** Nothing yet: trials are to come. */
  | { readonly kind: 'open'; readonly awaited: number }
  /** Every candidate lost. */
  | { readonly kind: 'none'; readonly why: string }
  | {
      readonly kind: 'chosen';
      readonly candidate: JudgedCandidate;
      /** Mean over the trials; null: there was nothing to compare. */
      readonly mean: number | null;
      /** The distance to the mean of the second best candidate; null: no other candidate has a mean. */
      readonly margin: number | null;
    };

/**
 * Chooses the candidate with the best mean over its trials; of equally good ones, the earlier.
 *
 * @param candidates In the order of their indices; at least one. A single one needs no trial.
 */
export function choose(candidates: readonly JudgedCandidate[], better: 'higher' | 'lower'): Choice {
  const [only, ...others] = candidates;
  if (only !== undefined && others.length === 0) return { kind: 'chosen', candidate: only, mean: null, margin: null };
  const judged = candidates.map((candidate) => ({ candidate, mean: meanOf(candidate), why: lossOf(candidate) }));
  const awaited = judged.filter(({ why }) => why === null).flatMap(({ candidate }) => awaitedIn(candidate));
  if (awaited.length > 0) return { kind: 'open', awaited: awaited.length };
  const sign = better === 'higher' ? 1 : -1;
  const ranked = judged
    .flatMap(({ candidate, mean, why }) => (mean === null || why !== null ? [] : [{ candidate, mean }]))
    .sort((a, b) => sign * (b.mean - a.mean) || a.candidate.index - b.candidate.index);
  const [best, next] = ranked;
  if (best === undefined) {
    return { kind: 'none', why: [...new Set(judged.map(({ why }) => why))].join('; ') };
  }
  return { kind: 'chosen', ...best, margin: next === undefined ? null : sign * (best.mean - next.mean) };
}

const awaitedIn = ({ trials }: JudgedCandidate): Trial[] => trials.filter(({ kind }) => kind === 'awaited');

/** Why a candidate loses; null: it does not, as far as is known. */
function lossOf({ trials }: JudgedCandidate): string | null {
  return trials.flatMap((trial) => (trial.kind === 'lost' ? [trial.why] : []))[0] ?? null;
}

/** null: some trial has no value. */
function meanOf({ trials }: JudgedCandidate): number | null {
  const values = trials.flatMap((trial) => (trial.kind === 'value' ? [trial.value] : []));
  if (values.length < trials.length || values.length === 0) return null;
  return mean(values);
}

// --- in a plan -------------------------------------------------------------------------------------------------------

/** A selection with what was found. */
export interface SelectionOutcome {
  readonly selection: Selection;
  /** The metric of `selection.by`. */
  readonly metric: NamedMetric;
  readonly candidates: readonly JudgedCandidate[];
  readonly choice: Choice;
}

type SelectingPlan = Pick<Plan, 'jobs' | 'stages' | 'selections'>;
type CandidateJob = Job & { candidate: JobCandidate };

/** What the trials of a plan say, selection by selection. */
export function selectionsOf(plan: SelectingPlan, standingOf: StandingOf): SelectionOutcome[] {
  const stages = new Map(plan.stages.map((stage) => [stage.id, stage]));
  const jobs = groupBy(candidateJobs(plan), ({ candidate }) => candidate.selection);
  const metrics = metricsIn({
    jobs: plan.jobs,
    stages: new Map(plan.stages.map((stage) => [stage.id, { stage, result: null }])),
  });
  return (plan.selections ?? []).flatMap((selection): SelectionOutcome[] => {
    const own = jobs.get(selection.id);
    if (own === undefined) return []; // in another shard
    const metric = metrics.find(({ name }) => name === selection.by);
    if (metric === undefined) return []; // a plan of another version
    const candidates = [...byIndex(own).values()]
      .map((each): JudgedCandidate => {
        const { index, values } = each[0]!.candidate;
        const trials = each.filter(({ candidate }) => candidate.isTrial);
        return { index, values, trials: trials.flatMap((job) => trialsOf(job, metric, stages, standingOf)) };
      })
      .sort((a, b) => a.index - b.index);
    return [{ selection, metric, candidates, choice: choose(candidates, metric.metric.better) }];
  });
}

function candidateJobs({ jobs }: Pick<Plan, 'jobs'>): CandidateJob[] {
  return jobs.filter((job): job is CandidateJob => job.candidate !== undefined);
}

const byIndex = (jobs: readonly CandidateJob[]): Map<string, CandidateJob[]> =>
  groupBy(jobs, ({ candidate }) => String(candidate.index));

/** One for each repeat of the evaluation. */
function trialsOf(
  job: Job,
  { entry, key }: NamedMetric,
  stages: ReadonlyMap<string, Stage>,
  standingOf: StandingOf,
): Trial[] {
  const before = job.pretrain === null ? undefined : stages.get(job.pretrain);
  return repeatsOf(job, entry).flatMap((id) => {
    const stage = stages.get(id);
    return stage === undefined ? [] : [trialOf(stage, key, before, standingOf)];
  });
}

function trialOf(stage: Stage, key: string, before: Stage | undefined, standingOf: StandingOf): Trial {
  const [own, parent] = [standingOf(stage), before === undefined ? undefined : standingOf(before)];
  if (hasDiverged(own) || (parent !== undefined && hasDiverged(parent))) return { kind: 'lost', why: 'diverged' };
  if (own.kind !== 'done') return { kind: 'awaited' };
  const pretraining =
    before === undefined ? undefined : { stage: before, result: parent?.kind === 'done' ? parent.result : null };
  const problem = runProblem({ stage, result: own.result }, pretraining);
  if (problem !== null) return { kind: 'lost', why: problem };
  const value = numberIn(own.result, key);
  return value === null ? { kind: 'lost', why: 'was not measured' } : { kind: 'value', value };
}

const hasDiverged = (standing: Standing): boolean =>
  (standing.kind === 'failed' || standing.kind === 'awaited') && standing.diverged === true;

/** The rule: runs of candidates that are not chosen are not needed. */
export const selectionRule: Rule = (plan, standingOf) => {
  const outcomes = new Map(selectionsOf(plan, standingOf).map((outcome) => [outcome.selection.id, outcome]));
  const byId = new Map(plan.stages.map((stage) => [stage.id, stage]));
  const inAll = commonStages(candidateJobs(plan));
  const needs = new Map<string, Need>();
  for (const job of plan.jobs) {
    for (const id of stageIds(job)) {
      const need = needFor(job, id, outcomes, inAll, byId, standingOf);
      const known = needs.get(id);
      if (known === undefined || URGENCY[need.kind] > URGENCY[known.kind]) needs.set(id, need);
    }
  }
  return new Map([...needs].flatMap(([id, need]) => (need.kind === 'wanted' ? [] : [[id, need] as const])));
};

const URGENCY: Record<Need['kind'], number> = { unneeded: 0, open: 1, wanted: 2 };

function needFor(
  { candidate }: Job,
  id: string,
  outcomes: ReadonlyMap<string, SelectionOutcome>,
  inAll: ReadonlyMap<string, ReadonlySet<string>>,
  stages: ReadonlyMap<string, Stage>,
  standingOf: StandingOf,
): Need {
  const outcome = candidate === undefined ? undefined : outcomes.get(candidate.selection);
  if (candidate === undefined || outcome === undefined) return { kind: 'wanted' };
  const { choice, selection } = outcome;
  if (candidate.isTrial) {
    // The candidate lost by it. It would diverge again.
    return choice.kind === 'chosen' && hasDiverged(standingOf(stages.get(id)!))
      ? { kind: 'unneeded', why: 'diverged, so another candidate was chosen' }
      : { kind: 'wanted' };
  }
  if (inAll.get(candidate.selection)?.has(id) === true) return { kind: 'wanted' };
  switch (choice.kind) {
    case 'chosen':
      return choice.candidate.index === candidate.index
        ? { kind: 'wanted' }
        : { kind: 'unneeded', why: `other values were chosen by ${selection.by} on validation` };
    case 'open':
      return { kind: 'open', why: `waits for trials by ${selection.by} on validation` };
    case 'none':
      return { kind: 'open', why: noneOf(selection, choice.why) };
  }
}

/** Why a cell has no values, with the remedy. */
function noneOf({ cell, keys }: Selection, why: string): string {
  return `no candidate of ${describeCellWithoutSeed(cell)} can be chosen (${why}); change ${keys.join(', ')} in select.over`;
}

/** For each selection, the stages that the runs of all candidates have: they are needed whichever is chosen. */
function commonStages(jobs: readonly CandidateJob[]): ReadonlyMap<string, ReadonlySet<string>> {
  const runs = groupBy(
    jobs.filter(({ candidate }) => !candidate.isTrial),
    ({ candidate }) => candidate.selection,
  );
  return new Map(
    [...runs].map(([selection, own]) => {
      const sets = [...byIndex(own).values()].map((each) => new Set(each.flatMap(stageIds)));
      return [selection, new Set([...(sets[0] ?? [])].filter((id) => sets.every((set) => set.has(id))))] as const;
    }),
  );
}
