/**
 * Which stage is next. Pure: it starts nothing. A stage becomes ready when its parent is settled; among ready stages
 * those with the longest chain of work behind them go first, then those that can use the features of the stage before
 * them, then those first in the plan.
 */
import { canonicalJson } from '../common/canonical.js';
import type { Stage } from '../spec/stages.js';
import { leavesCheckpoint } from '../stages/index.js';

/**
 * The encoder whose features a stage leaves in its process (`training/shared-features.ts`); null: it leaves none. Stages
 * with the same encoder share features.
 */
export function encoderOf({ config, parent }: Stage): string | null {
  if (leavesCheckpoint(config.kind)) return null;
  return parent ?? canonicalJson([config.seed, config.model, config.weights]);
}

/** What is known of the process that the next stage runs in, and of those beside it. */
export interface Place {
  /** The encoder of its last stage. */
  readonly last: string | null;
  /** The encoders of the stages that run now. */
  readonly others: readonly (string | null)[];
}

const ANYWHERE: Place = { last: null, others: [] };

export class StageQueue {
  /** Ready stages by the length of the chain that hangs on them. */
  readonly #ready: Stage[][] = [];
  readonly #children = new Map<string, Stage[]>();
  readonly #chain = new Map<string, number>();

  /** Stages that were added and are not done. */
  readonly #unsettled = new Set<string>();

  /** @param stages As {@link add} has them. */
  constructor(stages: readonly Stage[]) {
    this.add(stages);
  }

  /**
   * Adds stages to run.
   *
   * @param stages Parents before children. A parent that is neither among them nor added before has its results already.
   */
  add(stages: readonly Stage[]): void {
    for (const { id } of stages) this.#unsettled.add(id);
    const waits = ({ parent }: Stage): boolean => parent !== null && this.#unsettled.has(parent);
    for (const stage of stages.toReversed()) {
      const parent = waits(stage) ? stage.parent : null;
      const length = this.#chain.get(stage.id) ?? 1;
      this.#chain.set(stage.id, length);
      if (parent === null) continue;
      this.#chain.set(parent, Math.max(this.#chain.get(parent) ?? 1, length + 1));
      this.#children.set(parent, [stage, ...(this.#children.get(parent) ?? [])]);
    }
    for (const stage of stages) if (!waits(stage)) this.#push(stage);
  }

  #push(stage: Stage): void {
    this.#readyLike(stage).push(stage);
  }

  /** The ready stages with as long a chain. */
  #readyLike({ id }: Stage): Stage[] {
    const length = this.#chain.get(id)!;
    while (this.#ready.length <= length) this.#ready.push([]);
    return this.#ready[length]!;
  }

  /**
   * Takes the next stage out, or undefined while none is ready. Of equally long chains it prefers the encoder of the last
   * stage, then one that no other process works on.
   */
  next({ last, others }: Place = ANYWHERE): Stage | undefined {
    const ready = this.#ready.findLast((stages) => stages.length > 0);
    if (ready === undefined) return undefined;
    const encoders = ready.map(encoderOf);
    const same = last === null ? -1 : encoders.indexOf(last);
    const own = encoders.findIndex((encoder) => encoder === null || !others.includes(encoder));
    const [stage] = ready.splice(same >= 0 ? same : Math.max(own, 0), 1);
    return stage;
  }

  /** A stage that was taken out is ready again, and goes first among its equals. */
  again(stage: Stage): void {
    this.#readyLike(stage).unshift(stage);
  }

  /** The stage has its results: its children are ready. */
  done(stage: Stage): void {
    this.#unsettled.delete(stage.id);
    for (const child of this.#children.get(stage.id) ?? []) this.#push(child);
  }

  /** Every stage that can no longer run when this one has failed, parents first. */
  blockedBy(stage: Stage): Stage[] {
    return (this.#children.get(stage.id) ?? []).flatMap((child) => [child, ...this.blockedBy(child)]);
  }
}
