/** Which stages of a plan are needed: every rule is applied, and a stage is wanted only if all rules want it. */
import type { Plan, Stage } from '../spec/stages.js';
import type { SweepPaths } from '../store/layout.js';
import { ALL_WANTED, needOf, type Need, type Needs, type Rule } from './rules.js';
import { seedsRule } from './seeds.js';
import { selectionRule } from './selection.js';
import { standingsIn, type IsTriedAgain, type Standing, type StandingOf } from './standing.js';

/**
 * The rules, in the order in which they are applied: each has the decisions of those before it. `selection` is before
 * `seeds`, so that a look waits for the chosen values only.
 */
const RULES: readonly { readonly name: string; readonly appliesTo: (plan: Plan) => boolean; readonly rule: Rule }[] = [
  { name: 'selection', appliesTo: ({ selections }) => selections !== undefined, rule: selectionRule },
  { name: 'seeds', appliesTo: ({ seeds }) => seeds !== undefined, rule: seedsRule },
];

/** Whether any stage of a plan may not be needed. */
export const hasRules = (plan: Plan): boolean => RULES.some(({ appliesTo }) => appliesTo(plan));

/**
 * The stages that are not wanted now. A stage is unneeded if it is so by one rule, and else open if it is so by one
 * rule. What starts from a stage that is not wanted is not wanted either.
 *
 * @param plan The whole plan: a part of it has a part of the results.
 */
export function needsOf(plan: Plan, standingOf: StandingOf): Needs {
  if (!hasRules(plan)) return ALL_WANTED;
  const needs = new Map<string, Exclude<Need, { kind: 'wanted' }>>();
  const standing = standingUnder(plan, needs, standingOf);
  for (const { appliesTo, rule } of RULES) {
    if (!appliesTo(plan)) continue;
    for (const [id, need] of rule(plan, standing)) {
      if (needs.get(id)?.kind !== 'unneeded') needs.set(id, need);
    }
    for (const { id, parent } of plan.stages) {
      const need = parent === null ? undefined : needs.get(parent);
      if (need !== undefined && needs.get(id)?.kind !== 'unneeded') needs.set(id, need);
    }
  }
  return needs;
}

/**
 * The standing of a stage under the needs of its plan: a stage that is not needed has no result to wait for, and what
 * starts from a stage that failed has failed too.
 */
export function standingUnder({ stages }: Pick<Plan, 'stages'>, needs: Needs, standingOf: StandingOf): StandingOf {
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const standing = (stage: Stage): Standing => {
    const need = needs.get(stage.id);
    if (need !== undefined) return { kind: need.kind === 'unneeded' ? 'unneeded' : 'awaited' };
    const own = standingOf(stage);
    const parent = own.kind === 'awaited' && stage.parent !== null ? byId.get(stage.parent) : undefined;
    if (parent === undefined) return own;
    const before = standing(parent);
    return before.kind === 'failed' ? before : own;
  };
  return standing;
}

/** The needs over several plans: a stage is not wanted only if no plan that contains it wants it. */
export function needsOfAll(plans: readonly Plan[], standingOf: StandingOf): Needs {
  const [first, ...others] = plans.map((plan) => ({ plan, needs: needsOf(plan, standingOf) }));
  if (first === undefined) return ALL_WANTED;
  if (others.length === 0) return first.needs;
  const united = new Map<string, Need>();
  for (const { plan, needs } of [first, ...others]) {
    for (const stage of plan.stages) {
      const [before, own] = [united.get(stage.id), needOf(needs, stage)];
      if (before === undefined || URGENCY[own.kind] > URGENCY[before.kind]) united.set(stage.id, own);
    }
  }
  return new Map([...united].flatMap(([id, need]) => (need.kind === 'wanted' ? [] : [[id, need] as const])));
}

const URGENCY: Record<Need['kind'], number> = { unneeded: 0, open: 1, wanted: 2 };

/** Asks again and again which stages of a plan are needed, by the files of its results folder. */
export type AskNeeds = (isTriedAgain?: IsTriedAgain) => Needs;

export function askerOf(plan: Plan, paths: SweepPaths): AskNeeds {
  const standings = standingsIn(paths);
  return (isTriedAgain) => needsOf(plan, standings(isTriedAgain));
}
