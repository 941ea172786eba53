/**
 * A plan in parts, for several machines without a scheduler: which part each stage is in follows from the plan alone, so
 * machines that read the same spec need not speak with each other.
 */
import type { Job, Plan, Stage } from './stages.js';

/** One part of `count`. */
export interface Shard {
  /** From 1 to `count`. */
  index: number;
  count: number;
}

/** `2/4`, as the command line writes it. */
export function formatShard({ index, count }: Shard): string {
  return `${index}/${count}`;
}

/**
 * Reads `2/4`.
 *
 * @returns undefined for anything but i/n with 1 ≤ i ≤ n.
 */
export function parseShard(text: string): Shard | undefined {
  const [, index, count] = (/^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? []).map(Number);
  return index === undefined || count === undefined || index > count ? undefined : { index, count };
}

/**
 * The part of a plan that a shard runs, in the plan's order.
 *
 * Jobs that share a stage stay together, and so do a stage and its parent: shards are disjoint, hold the parents of
 * their stages, and make up the plan. Numbers of pre-trainings differ by one at most; a shard may be empty.
 */
export function shardPlan(plan: Plan, { index, count }: Shard): Plan {
  const loads: Load[] = Array.from({ length: count }, () => ({ pretrainings: 0, stages: 0 }));
  const own = new Set<string>();
  for (const family of heaviestFirst(familiesOf(plan))) {
    const lightest = loads.reduce((best, load, at) => (isLighter(load, loads[best]!) ? at : best), 0);
    const load = loads[lightest]!;
    load.pretrainings += pretrainingsOf(family);
    load.stages += family.length;
    if (lightest === index - 1) for (const { id } of family) own.add(id);
  }
  return {
    ...plan,
    stages: plan.stages.filter(({ id }) => own.has(id)),
    jobs: plan.jobs.filter((job) => stagesOf(job).some((id) => own.has(id))),
  };
}

interface Load {
  pretrainings: number;
  stages: number;
}

const isLighter = (a: Load, b: Load): boolean => (a.pretrainings - b.pretrainings || a.stages - b.stages) < 0;

const pretrainingsOf = (stages: readonly Stage[]): number =>
  stages.filter(({ config }) => config.kind === 'pretrain').length;

/** Those with the most pre-trainings first, since the others are what fills up; in the plan's order among equals. */
function heaviestFirst(families: readonly Stage[][]): Stage[][] {
  return families.toSorted((a, b) => pretrainingsOf(b) - pretrainingsOf(a));
}

const stagesOf = ({ pretrain, evaluations }: Job): string[] =>
  [pretrain, ...Object.values(evaluations)].filter((id) => id !== null);

/** Stages that must not be torn apart, by the first of each in the plan. */
function familiesOf(plan: Plan): Stage[][] {
  const kin = new Kin();
  for (const job of plan.jobs) kin.join(stagesOf(job));
  for (const { id, parent } of plan.stages) kin.join(parent === null ? [id] : [parent, id]);
  const families = new Map<string, Stage[]>();
  for (const stage of plan.stages) {
    const head = kin.headOf(stage.id);
    families.set(head, [...(families.get(head) ?? []), stage]);
  }
  return [...families.values()];
}

/** Disjoint sets of identities: each points at another of its set, the head at itself. */
class Kin {
  readonly #next = new Map<string, string>();

  headOf(id: string): string {
    const next = this.#next.get(id) ?? id;
    if (next === id) return id;
    const head = this.headOf(next);
    this.#next.set(id, head); // the next search is one step
    return head;
  }

  join([first, ...others]: readonly string[]): void {
    if (first === undefined) return;
    for (const other of others) this.#next.set(this.headOf(other), this.headOf(first));
  }
}
