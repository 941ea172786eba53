/** The state of a stage, as far as decisions depend on it. Reads the results folder through `src/store`. */
import type { Stage } from '../spec/stages.js';
import { readResult } from '../store/chain.js';
import type { SweepPaths } from '../store/layout.js';
import type { StageResult } from '../store/records.js';
import { readState } from '../store/state.js';

export type Standing =
  | { readonly kind: 'done'; readonly result: StageResult }
  /** It failed, or what it starts from did: nothing waits for its result. */
  | { readonly kind: 'failed'; readonly diverged?: boolean }
  /** Its result is still to come. It may have diverged before, and be tried again. */
  | { readonly kind: 'awaited'; readonly diverged?: boolean }
  /** A rule has decided against it. */
  | { readonly kind: 'unneeded' };

export type StandingOf = (stage: Stage) => Standing;

/** Stages that failed before and will be tried again; none by default. */
export type IsTriedAgain = (id: string) => boolean;

/** The standing of the stages in a results folder, by their files. Results are read once; they do not change. */
export function standingsIn(paths: SweepPaths): (isTriedAgain?: IsTriedAgain) => StandingOf {
  const done = new Map<string, Standing>();
  return (isTriedAgain = () => false) =>
    (stage) => {
      const known = done.get(stage.id);
      if (known !== undefined) return known;
      const own = paths.stage(stage.id);
      const stored = readResult(stage, own);
      if (stored.kind === 'present') {
        const standing: Standing = { kind: 'done', result: stored.value };
        done.set(stage.id, standing);
        return standing;
      }
      const state = readState(own);
      const failed = state?.status === 'failed';
      const diverged = failed && state.cause === 'diverged';
      return { kind: failed && !isTriedAgain(stage.id) ? 'failed' : 'awaited', diverged };
    };
}
