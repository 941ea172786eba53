/** The paths in a results folder. Plain files are the database; only this file has their names. */
import { basename, dirname, join } from 'node:path';

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
    tables: join(folder, 'tables'),
    report: join(folder, 'report.md'),
    page: join(folder, 'report.html'),
    /** The origins of the sweep, with diffs; see `provenance.ts`. */
    provenance: join(folder, 'provenance'),
    stages: join(folder, 'stages'),
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
    /** The weights with the best metric so far, if a fine-tuning is evaluated between epochs. */
    bestCheckpoint: join(folder, 'checkpoint-best.safetensors'),
    result: join(folder, 'result.json'),
    provenance: join(folder, 'provenance.json'),
    /** Predictions of a pre-training's model for a few held-out images. */
    preview: join(folder, 'preview.png'),
  };
}

/** An identity of a stage: the name of its folder. */
export const STAGE_ID = /^[0-9a-f]{16}$/;

/** Folders of a results folder with files in them, and those with one folder for each stage or submission. */
const FLAT: ReadonlySet<string> = new Set(['plans', 'sweeps', 'provenance', 'tables']);
const NESTED: ReadonlyMap<string, RegExp> = new Map([
  ['stages', STAGE_ID],
  ['slurm', /^\d{8}-\d{6}$/],
]);

/** The folders between a results folder and one of its files, the innermost first. */
export function foldersInside(path: string): string[] {
  const folder = dirname(path);
  if (FLAT.has(basename(folder))) return [folder];
  const above = dirname(folder);
  return NESTED.get(basename(above))?.test(basename(folder)) === true ? [folder, above] : [];
}

/** The files of another stage of the same results folder: stages lie side by side. */
export function siblingPaths({ folder }: Pick<StagePaths, 'folder'>, id: string): StagePaths {
  return stagePaths(join(dirname(folder), id));
}

export type SweepPaths = ReturnType<typeof sweepPaths>;
export type StagePaths = ReturnType<typeof stagePaths>;
