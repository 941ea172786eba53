/** Where things lie in a results folder. Plain files are the database; nothing else knows these names. */
import { dirname, join } from 'node:path';

/** The files of a sweep. */
export function sweepPaths(folder: string) {
  return {
    folder,
    /** Every plan that ran in the folder, each in `<its identity>.json`; see `plans.ts`. */
    plans: join(folder, 'plans'),
    /** The only plan of a folder that an earlier version wrote. */
    plan: join(folder, 'plan.json'),
    /** A file for each sweep that works in the folder; see `sweeps.ts`. */
    sweeps: join(folder, 'sweeps'),
    stages: join(folder, 'stages'),
    tables: join(folder, 'tables'),
    report: join(folder, 'report.md'),
    page: join(folder, 'report.html'),
    /** What the sweep was run from, with diffs; see `provenance.ts`. */
    provenance: join(folder, 'provenance'),
    stage: (id: string) => stagePaths(join(folder, 'stages', id)),
  };
}

/** The files of a stage. */
export function stagePaths(folder: string) {
  return {
    folder,
    stage: join(folder, 'stage.json'),
    state: join(folder, 'state.json'),
    metrics: join(folder, 'metrics.jsonl'),
    log: join(folder, 'log.txt'),
    checkpoint: join(folder, 'checkpoint.safetensors'),
    /** The one before it, until the stage is done. */
    previousCheckpoint: join(folder, 'checkpoint-previous.safetensors'),
    /** The weights that did best on the test set, where a fine-tuning is evaluated on the way. */
    bestCheckpoint: join(folder, 'checkpoint-best.safetensors'),
    result: join(folder, 'result.json'),
    provenance: join(folder, 'provenance.json'),
    /** What a pre-training's model makes of a few held-out images. */
    preview: join(folder, 'preview.png'),
  };
}

/** The files of another stage of the same results folder: stages lie side by side. */
export function siblingPaths({ folder }: Pick<StagePaths, 'folder'>, id: string): StagePaths {
  return stagePaths(join(dirname(folder), id));
}

export type SweepPaths = ReturnType<typeof sweepPaths>;
export type StagePaths = ReturnType<typeof stagePaths>;
