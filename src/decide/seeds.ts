/**
 * The rule `seeds`: at each look the verdicts are judged on the seeds so far, and further seeds run only if some
 * verdict is not decided. Pure.
 *
 * A look waits for every stage of its seeds, but for those that failed and what starts from them: they are missing
 * runs, as unhealthy ones are, and the estimates fill them by the fit of cells and seeds
 * (`statistics/cells-and-seeds.ts`).
 */
import { areDecided, judgeAtLook, type Judged } from '../evidence/looks.js';
import { findMetric } from '../evidence/metric.js';
import { measurementsOf, type Results, type StageOutcome } from '../evidence/measurements.js';
import { canBeAsked, questionsOf, rankings } from '../evidence/questions.js';
import type { ObjectivePair, Job, Plan, SeedsRule, Stage } from '../spec/stages.js';
import type { NamedMetric } from '../stages/metrics.js';
import type { StageResult } from '../store/records.js';
import type { Need, Rule } from './rules.js';
import type { Standing, StandingOf } from './standing.js';

/** How far the seeds of a plan are. */
export interface SeedsProgress {
  /** Seeds of the last look whose results are all there; null: none yet. */
  readonly look: number | null;
  /** Why no more seeds run; null: the next look is to come. */
  readonly end: 'decided' | 'last look' | null;
}

/** The seeds of the first `look` of a rule. */
export const seedsAt = ({ seeds }: SeedsRule, look: number): ReadonlySet<number> => new Set(seeds.slice(0, look));

/** A plan with a rule of seeds. */
type PlanWithSeeds = Pick<Plan, 'jobs' | 'stages' | 'compare'> & { seeds: SeedsRule };

/** The last look that is complete, and whether it is the last one. */
export function seedsProgress(plan: PlanWithSeeds, standingOf: StandingOf): SeedsProgress {
  const { seeds: rule } = plan;
  let last: number | null = null;
  for (const look of rule.looks) {
    const own = seedsAt(rule, look);
    const stages = plan.stages.filter(({ config }) => own.has(config.seed));
    const standings = stages.map(standingOf);
    if (standings.some(({ kind }) => kind === 'awaited')) return { look: last, end: null };
    if (decidedAt(plan, look, stages, standings)) return { look, end: 'decided' };
    last = look;
  }
  return { look: last, end: 'last look' };
}

/** The results by which a look was judged, and the outcome. */
interface JudgedLook {
  readonly jobs: readonly Job[];
  readonly compare: readonly ObjectivePair[] | undefined;
  /** Of each stage of the look, in the order of the plan: its result, or why it has none. */
  readonly outcomes: readonly (StageResult | Standing['kind'])[];
  readonly decided: boolean;
}

/** The judged looks of each rule, which is applied after every stage. The results of a complete look do not change. */
const judgedLooks = new WeakMap<SeedsRule, Map<number, JudgedLook>>();

/** Whether every verdict is decided at a look. The same results are judged once. */
function decidedAt(
  { jobs, seeds: rule, compare }: PlanWithSeeds,
  look: number,
  stages: readonly Stage[],
  standings: readonly Standing[],
): boolean {
  const known = judgedLooks.get(rule) ?? new Map<number, JudgedLook>();
  judgedLooks.set(rule, known);
  const outcomes = standings.map((standing) => (standing.kind === 'done' ? standing.result : standing.kind));
  const before = known.get(look);
  const isSame =
    before?.jobs === jobs &&
    before.compare === compare &&
    before.outcomes.length === outcomes.length &&
    before.outcomes.every((outcome, i) => outcome === outcomes[i]);
  if (isSame) return before.decided;
  const results = resultsOf(jobs, stages, standings);
  const metric = findMetric(results);
  const decided = metric !== null && areDecided(judgeSeeds(results, { rule, compare, look, metric }));
  known.set(look, { jobs, compare, outcomes, decided });
  return decided;
}

export interface LookOptions {
  rule: SeedsRule;
  compare: readonly ObjectivePair[] | undefined;
  look: number;
  metric: NamedMetric;
}

/** The verdicts of a sweep at a look: what the runner decides by, and what a report shows. */
export function judgeSeeds(results: Results, { rule, compare, look, metric }: LookOptions): Judged[] {
  const own = seedsAt(rule, look);
  const jobs = results.jobs.filter(({ seed }) => own.has(seed));
  return judgeAtLook(questionsOf(measurementsOf({ ...results, jobs }, metric), compare), rule, look);
}

/** How many verdicts a plan can decide. */
export function plannedVerdicts(
  { jobs, stages, compare }: Pick<Plan, 'jobs' | 'stages' | 'compare'>,
  rule: SeedsRule,
): number {
  const outcomes = new Map(stages.map((stage) => [stage.id, { stage, result: null }]));
  const first = seedsAt(rule, rule.looks[0]!);
  const results = { jobs: jobs.filter(({ seed }) => first.has(seed)), stages: outcomes };
  const metric = findMetric(results);
  return metric === null ? 0 : questionsOf(measurementsOf(results, metric), compare).filter(canBeAsked).length;
}

/** Why the rule of a plan can decide nothing, as a sentence; null: it can, or the plan has no such rule. */
export function seedsProblem(plan: Plan): string | null {
  if (plan.seeds === undefined) return null;
  const metrics = rankings(plan.jobs);
  if (metrics.length !== 1) {
    const what = metrics.length === 0 ? 'no job has an evaluation' : `the jobs are ranked by ${metrics.join(' and ')}`;
    return `seeds decides by the first evaluation of evaluate, and ${what}; give all jobs the same one, or use grid.seed`;
  }
  if (plannedVerdicts(plan, plan.seeds) > 0) return null;
  return (
    'seeds has no verdict to decide: no two objectives of the sweep differ in one principle of the paper; ' +
    'add compare: [[objective, objective]], or use grid.seed'
  );
}

/** The jobs of these stages, without those that are not needed. */
function resultsOf(jobs: readonly Job[], stages: readonly Stage[], standings: readonly Standing[]): Results {
  const outcomes = new Map<string, StageOutcome>();
  for (const [i, stage] of stages.entries()) {
    const standing = standings[i]!;
    if (standing.kind === 'unneeded') continue;
    outcomes.set(stage.id, { stage, result: standing.kind === 'done' ? standing.result : null });
  }
  return { jobs: neededJobs(jobs, (id) => outcomes.has(id)), stages: outcomes };
}

/** Jobs without the evaluations that are not needed; jobs of which none is left are left out. */
export function neededJobs<J extends Job>(jobs: readonly J[], isNeeded: (id: string) => boolean): J[] {
  return jobs.flatMap((job): J[] => {
    const needed = Object.entries(job.evaluations).flatMap(([name, ids]) => {
      const own = [ids].flat().filter(isNeeded);
      return own.length === 0 ? [] : [[name, typeof ids === 'string' ? ids : own] as const];
    });
    if (needed.length > 0) return [{ ...job, evaluations: Object.fromEntries(needed) }];
    const isWhole = Object.keys(job.evaluations).length === 0 && job.pretrain !== null && isNeeded(job.pretrain);
    return isWhole ? [job] : [];
  });
}

export const seedsRule: Rule = (plan, standingOf) => {
  const { seeds: rule } = plan;
  if (rule === undefined) return new Map();
  const { look, end } = seedsProgress({ ...plan, seeds: rule }, standingOf);
  const place = new Map(rule.seeds.map((seed, i) => [seed, i]));
  const next = end === null ? nextLook(rule, look)! : look!;
  const need: Exclude<Need, { kind: 'wanted' }> =
    end === null
      ? { kind: 'open', why: `needs the look at ${next} seeds` }
      : { kind: 'unneeded', why: `decided at ${next} seeds` };
  return new Map(
    plan.stages.flatMap((stage) => {
      const at = place.get(stage.config.seed);
      return at === undefined || at < next ? [] : [[stage.id, need] as const];
    }),
  );
};

/** The look that follows; undefined: none does. */
const nextLook = ({ looks }: SeedsRule, look: number | null): number | undefined =>
  looks[look === null ? 0 : looks.indexOf(look) + 1];
