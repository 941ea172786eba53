/**
 * The stages that a run is about: those with results, those to run, and those that the rules of the plan do not want,
 * or not yet. Reads files, changes none.
 */
import { needOf } from '../decide/rules.js';
import type { Stage } from '../spec/stages.js';
import type { SweepPaths } from '../store/layout.js';
import { inspectPlan, type Inspection } from './inspect.js';
import type { RunOptions } from './run-options.js';

/** The stages that the rules want after new results. */
export interface Extension {
  /** The stages to run, parents before children. */
  toRun: Stage[];
  /** How many more stages have results already. Negative: a pre-training that counted as done runs again. */
  hits: number;
  /** The result that they waited for, as in `needs the look at 5 seeds`. */
  why: string;
}

/** The numbers of stages that the rules do not want. */
export interface Unwanted {
  open: number;
  /** The result that the first open stage waits for; null: none is open. */
  waitsFor: string | null;
  unneeded: number;
  /** Why the first of them is not needed; null: there is none. */
  decidedBy: string | null;
}

export class Worklist {
  /** In the order of the plan. */
  readonly stages: readonly Stage[];
  /** How many other stages of the plan are to run. */
  readonly left: number;
  readonly #options: Pick<RunOptions, 'plan' | 'changes' | 'needs'>;
  readonly #paths: SweepPaths;
  readonly #inspections: Map<string, Inspection>;
  readonly #ids: ReadonlySet<string>;
  /** Stages that the rules do not want, or not yet. */
  readonly #unwanted = new Map<string, Stage>();

  constructor(options: Pick<RunOptions, 'plan' | 'only' | 'changes' | 'needs'>, paths: SweepPaths) {
    const { plan, only, changes, needs } = options;
    this.#options = options;
    this.#paths = paths;
    const named = only ?? new Set(plan.stages.map(({ id }) => id));
    this.#inspections = inspectPlan(
      plan,
      paths,
      changes,
      needs?.((id) => named.has(id)),
    );
    this.#ids = this.#withParents(plan.stages, named);
    this.stages = plan.stages.filter(({ id }) => this.#ids.has(id));
    this.left = plan.stages.filter((stage) => !this.#ids.has(stage.id) && this.#is('run', stage)).length;
    for (const stage of [...this.of('open'), ...this.of('unneeded')]) this.#unwanted.set(stage.id, stage);
  }

  /** The identities, with those of all parents that have to run for them. */
  #withParents(stages: readonly Stage[], named: ReadonlySet<string>): ReadonlySet<string> {
    const ids = new Set(named);
    for (const { id, parent } of stages.toReversed()) {
      if (parent !== null && ids.has(id) && this.#inspections.get(parent)?.kind === 'run') ids.add(parent);
    }
    return ids;
  }

  inspectionOf({ id }: Stage): Inspection {
    return this.#inspections.get(id)!;
  }

  #is(kind: Inspection['kind'], stage: Stage): boolean {
    return this.inspectionOf(stage).kind === kind;
  }

  /** The stages of a kind, in the order of the plan. */
  of(kind: Inspection['kind']): Stage[] {
    return this.stages.filter((stage) => this.#is(kind, stage));
  }

  /**
   * Adds the stages that the rules want by now.
   *
   * @param hasFailed Whether a stage failed in this run, or cannot run since its parent failed.
   * @returns undefined: no more than before.
   */
  extend(hasFailed: (id: string) => boolean): Extension | undefined {
    const { needs: ask, plan, changes } = this.#options;
    if (ask === undefined || this.#unwanted.size === 0) return undefined;
    const needs = ask((id) => this.#ids.has(id) && !hasFailed(id));
    const wanted = new Set<Stage>();
    let why = '';
    for (const stage of this.#unwanted.values()) {
      const need = needOf(needs, stage);
      if (need.kind !== 'wanted') this.#inspections.set(stage.id, need);
      else {
        if (this.#is('open', stage)) why ||= this.inspectionOf(stage).why;
        wanted.add(stage);
      }
    }
    if (wanted.size === 0) return undefined;
    for (const { id } of wanted) this.#unwanted.delete(id);
    // A pre-training that was done before must still have its checkpoint, now that a stage begins from it.
    const starts = new Set([...wanted].map(({ parent }) => parent));
    const again = (stage: Stage): boolean => starts.has(stage.id) && this.#is('hit', stage);
    const stages = plan.stages.filter((stage) => wanted.has(stage) || again(stage));
    const before = new Set(stages.filter((stage) => !wanted.has(stage)));
    for (const [id, inspection] of inspectPlan({ ...plan, stages }, this.#paths, changes, needs)) {
      this.#inspections.set(id, inspection);
    }
    const toRun = stages.filter((stage) => this.#is('run', stage));
    const newHits = stages.filter((stage) => this.#is('hit', stage) && !before.has(stage)).length;
    return { toRun, hits: newHits - toRun.filter((stage) => before.has(stage)).length, why };
  }

  /** The stages that the rules do not want, counted. */
  unwanted(): Unwanted {
    const inspections = [...this.#unwanted.values()].map((stage) => this.inspectionOf(stage));
    const [open, unneeded] = [
      inspections.filter(({ kind }) => kind === 'open'),
      inspections.filter(({ kind }) => kind !== 'open'),
    ];
    return {
      open: open.length,
      waitsFor: open[0]?.why ?? null,
      unneeded: unneeded.length,
      decidedBy: unneeded[0]?.why ?? null,
    };
  }
}
