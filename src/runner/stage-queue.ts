/**
 * Which stage is next. Pure: it starts nothing. A stage becomes ready when its parent is settled. Among ready stages
 * the earliest round goes first (`src/spec/rounds.ts`), in a round the longest chain of work, then the stages that can
 * use the features of the stage before them, then the order of the plan.
 */
import { canonicalJson } from '../common/canonical.js';
import { addTo } from '../common/group-by.js';
import type { Stage } from '../spec/stages.js';
import { leavesCheckpoint } from '../stages/index.js';

/**
 * The encoder whose features a stage leaves in its process (`training/shared-features.ts`); null: it leaves none.
 * Stages with the same encoder share features.
 */
export function encoderOf({ config, parent }: Stage): string | null {
  if (leavesCheckpoint(config.kind)) return null;
  return parent ?? canonicalJson([config.seed, config.model, config.weights]);
}

/** The state of the process for the next stage, and of the other processes. */
export interface WorkerSlot {
  /** The encoder of its last stage. */
  readonly last: string | null;
  /** The encoders of the stages that run now. */
  readonly others: readonly (string | null)[];
}

const ANYWHERE: WorkerSlot = { last: null, others: [] };

export class StageQueue {
  readonly #rounds: ReadonlyMap<string, number>;
  /** In the order in which they became ready. */
  readonly #ready: Stage[] = [];
  readonly #children = new Map<string, Stage[]>();
  /** For each stage, the stages of the longest chain from it to a last child, itself included. */
  readonly #chain = new Map<string, number>();
  /** Stages that were added and are not done. */
  readonly #unsettled = new Set<string>();

  /**
   * @param stages As {@link add} has them.
   * @param rounds The round of each stage; a stage without one is of the first.
   */
  constructor(stages: readonly Stage[], rounds: ReadonlyMap<string, number> = new Map()) {
    this.#rounds = rounds;
    this.add(stages);
  }

  /**
   * Adds stages to run.
   *
   * @param stages Parents before children. A parent that is neither among them nor added before has its results
   *   already.
   */
  add(stages: readonly Stage[]): void {
    for (const { id } of stages) this.#unsettled.add(id);
    const waits = (stage: Stage): stage is Stage & { parent: string } =>
      stage.parent !== null && this.#unsettled.has(stage.parent);
    for (const stage of stages) {
      if (waits(stage)) addTo(this.#children, stage.parent, stage);
    }
    for (const stage of stages.toReversed()) {
      const parent = waits(stage) ? stage.parent : null;
      const length = this.#chain.get(stage.id) ?? 1;
      this.#chain.set(stage.id, length);
      if (parent === null) continue;
      this.#chain.set(parent, Math.max(this.#chain.get(parent) ?? 1, length + 1));
    }
    this.#ready.push(...stages.filter((stage) => !waits(stage)));
  }

  /**
   * Takes the next stage out, or undefined while none is ready. Of equals it prefers the encoder of the last stage,
   * then one that no other process works on.
   */
  next({ last, others }: WorkerSlot = ANYWHERE): Stage | undefined {
    const [first, ...rest] = this.#ready.keys();
    if (first === undefined) return undefined;
    const best = rest.reduce((one, other) => (this.#compare(other, one) < 0 ? other : one), first);
    const equals = [...this.#ready.keys()].filter((place) => this.#compare(place, best) === 0);
    const encoderAt = (place: number): string | null => encoderOf(this.#ready[place]!);
    const isFree = (encoder: string | null): boolean => encoder === null || !others.includes(encoder);
    const chosen =
      (last === null ? undefined : equals.find((place) => encoderAt(place) === last)) ??
      equals.find((place) => isFree(encoderAt(place))) ??
      best;
    return this.#ready.splice(chosen, 1)[0];
  }

  /** Negative: the stage at the first place goes before that at the second; 0: they are equals. */
  #compare(a: number, b: number): number {
    const [one, other] = [this.#ready[a]!.id, this.#ready[b]!.id];
    const round = (id: string): number => this.#rounds.get(id) ?? 0;
    return round(one) - round(other) || this.#chain.get(other)! - this.#chain.get(one)!;
  }

  /** A stage that was taken out is ready again, and goes first among its equals. */
  again(stage: Stage): void {
    this.#ready.unshift(stage);
  }

  /** The stage has its results: its children are ready. */
  done(stage: Stage): void {
    this.#unsettled.delete(stage.id);
    this.#ready.push(...(this.#children.get(stage.id) ?? []));
  }

  /** Every stage that can no longer run when this one has failed, parents first. */
  blockedBy(stage: Stage): Stage[] {
    return (this.#children.get(stage.id) ?? []).flatMap((child) => [child, ...this.blockedBy(child)]);
  }
}
