/**
 * Which stage is next. Pure: it starts nothing. A stage becomes ready when its parent is settled; among ready stages
 * those with the longest chain of work behind them go first, then those first in the plan.
 */
import type { Stage } from '../spec/stages.js';

export class StageQueue {
  /** Ready stages by the length of the chain that hangs on them. */
  readonly #ready: Stage[][];
  readonly #children = new Map<string, Stage[]>();
  readonly #chain = new Map<string, number>();

  /**
   * @param stages Those to run, parents before children. A parent that is not among them has its results already.
   */
  constructor(stages: readonly Stage[]) {
    const ids = new Set(stages.map(({ id }) => id));
    for (const stage of stages.toReversed()) {
      const parent = stage.parent !== null && ids.has(stage.parent) ? stage.parent : null;
      const length = this.#chain.get(stage.id) ?? 1;
      this.#chain.set(stage.id, length);
      if (parent === null) continue;
      this.#chain.set(parent, Math.max(this.#chain.get(parent) ?? 1, length + 1));
      this.#children.set(parent, [stage, ...(this.#children.get(parent) ?? [])]);
    }
    this.#ready = Array.from({ length: 1 + Math.max(0, ...new Set(this.#chain.values())) }, () => []);
    for (const stage of stages) if (stage.parent === null || !ids.has(stage.parent)) this.#push(stage);
  }

  #push(stage: Stage): void {
    this.#ready[this.#chain.get(stage.id)!]!.push(stage);
  }

  /** Takes the next stage out, or undefined while none is ready. */
  next(): Stage | undefined {
    return this.#ready.findLast((stages) => stages.length > 0)?.shift();
  }

  /** A stage that was taken out is ready again, and goes first among its equals. */
  again(stage: Stage): void {
    this.#ready[this.#chain.get(stage.id)!]!.unshift(stage);
  }

  /** The stage has its results: its children are ready. */
  done(stage: Stage): void {
    for (const child of this.#children.get(stage.id) ?? []) this.#push(child);
  }

  /** Every stage that can no longer run when this one has failed, parents first. */
  blockedBy(stage: Stage): Stage[] {
    return (this.#children.get(stage.id) ?? []).flatMap((child) => [child, ...this.blockedBy(child)]);
  }
}
