/**
 * The rules by which stages of a plan are not needed. A plan contains every stage that may be needed; its rules and the
 * results that are there say which of them are. Pure.
 */
import type { Plan, Stage } from '../spec/stages.js';
import type { StandingOf } from './standing.js';

/** Whether a stage is to run. */
export type Need =
  /** Now. */
  | { readonly kind: 'wanted' }
  /** Never, by the results so far; `why` as in `decided at 5 seeds`. */
  | { readonly kind: 'unneeded'; readonly why: string }
  /** Not known yet; `why` as in `needs the look at 5 seeds`. */
  | { readonly kind: 'open'; readonly why: string };

/** The needs of the stages that are not wanted now, by their identities. */
export type Needs = ReadonlyMap<string, Exclude<Need, { kind: 'wanted' }>>;

/**
 * A rule.
 *
 * @param standingOf Stages that an earlier rule has decided against are `unneeded`; those it leaves open are `awaited`.
 * @returns the stages that are not wanted, of those that the rule is about.
 */
export type Rule = (plan: Plan, standingOf: StandingOf) => Needs;

export const WANTED: Need = { kind: 'wanted' };
export const ALL_WANTED: Needs = new Map();

export const needOf = (needs: Needs, { id }: Pick<Stage, 'id'>): Need => needs.get(id) ?? WANTED;
