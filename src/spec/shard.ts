/**
 * A plan in parts, for several machines without a scheduler. Only the plan determines the part of each stage, so
 * machines that read the same spec need not communicate.
 */
import { groupBy } from '../common/group-by.js';
import { stageIds, type Plan, type Stage } from './stages.js';

/** One part of `count`. */
export interface Shard {
  /** From 1 to `count`. */
  index: number;
  count: number;
}

/** `2/4`, the form on the command line. */
export function formatShard({ index, count }: Shard): string {
  return `${index}/${count}`;
}

/**
 * Parses `2/4`.
 *
 * @returns undefined for all but i/n with 1 ≤ i ≤ n.
 */
export function parseShard(text: string): Shard | undefined {
  const [, index, count] = (/^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? []).map(Number);
  return index === undefined || count === undefined || index > count ? undefined : { index, count };
}

/**
 * The part of a plan that a shard runs, in the plan's order.
 *
 * Jobs that share a stage or a selection are in the same shard, and so are a stage and its parent. Shards are disjoint,
 * include the parents of their stages, and together are the plan. Their numbers of pre-trainings differ by at most one.
 * If results decide how many seeds run, this also holds for the seeds of the first look. A shard may be empty.
 */
export function shardPlan(plan: Plan, { index, count }: Shard): Plan {
  const loads: Load[] = Array.from({ length: count }, () => ({ pretrainings: 0, stages: 0 }));
  const own = new Set<string>();
  for (const family of inOrder(familiesOf(plan), plan)) {
    const lightest = loads.reduce((best, load, at) => (isLighter(load, loads[best]!) ? at : best), 0);
    const load = loads[lightest]!;
    load.pretrainings += pretrainingsOf(family);
    load.stages += family.length;
    if (lightest === index - 1) for (const { id } of family) own.add(id);
  }
  return {
    ...plan,
    stages: plan.stages.filter(({ id }) => own.has(id)),
    jobs: plan.jobs.filter((job) => stageIds(job).some((id) => own.has(id))),
  };
}

interface Load {
  pretrainings: number;
  stages: number;
}

const isLighter = (a: Load, b: Load): boolean => (a.pretrainings - b.pretrainings || a.stages - b.stages) < 0;

const pretrainingsOf = (stages: readonly Stage[]): number =>
  stages.filter(({ config }) => config.kind === 'pretrain').length;

/**
 * Families of earlier looks first, since later ones may not run. Then those with the most pre-trainings, since smaller
 * ones fill the gaps; equal ones in the plan's order.
 */
function inOrder(families: readonly Stage[][], { seeds }: Plan): Stage[][] {
  const places = new Map(seeds?.seeds.map((seed, place) => [seed, place]));
  const lookOf = (family: readonly Stage[]): number =>
    Math.min(
      ...family.map(({ config }) => seeds?.looks.findIndex((look) => (places.get(config.seed) ?? 0) < look) ?? 0),
    );
  const ranked = families.map((family) => ({ family, look: lookOf(family), heavy: pretrainingsOf(family) }));
  return ranked.sort((a, b) => a.look - b.look || b.heavy - a.heavy).map(({ family }) => family);
}

/** Groups of stages that must be in the same shard, in the order of the first stage of each in the plan. */
function familiesOf(plan: Plan): Stage[][] {
  const kin = new Kin();
  for (const job of plan.jobs) kin.join(stageIds(job));
  // The results of its trials decide which runs of a selection are needed.
  for (const jobs of groupBy(plan.jobs, ({ candidate }) => candidate?.selection ?? '').values()) {
    if (jobs[0]?.candidate !== undefined) kin.join(jobs.flatMap(stageIds));
  }
  for (const { id, parent } of plan.stages) kin.join(parent === null ? [id] : [parent, id]);
  return [...groupBy(plan.stages, ({ id }) => kin.headOf(id)).values()];
}

/** Disjoint sets of identities (union-find): each points to another of its set, and the head to itself. */
class Kin {
  readonly #next = new Map<string, string>();

  headOf(id: string): string {
    const next = this.#next.get(id) ?? id;
    if (next === id) return id;
    const head = this.headOf(next);
    this.#next.set(id, head); // shortens the next search to one step
    return head;
  }

  join([first, ...others]: readonly string[]): void {
    if (first === undefined) return;
    for (const other of others) this.#next.set(this.headOf(other), this.headOf(first));
  }
}
