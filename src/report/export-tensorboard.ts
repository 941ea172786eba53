/** A results folder as TensorBoard reads it: a run for each stage. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeStage } from '../runner/describe.js';
import type { Plan } from '../spec/stages.js';
import { readJson, writeFileAtomic } from '../store/files.js';
import { sweepPaths, type StagePaths } from '../store/layout.js';
import { stateSchema } from '../store/records.js';
import { readCurve, type CurvePoint } from './curves.js';
import { toEventFile, type Scalar } from './writers/tensorboard.js';

/** What is drawn, and under which tag. */
const TAGS = {
  loss: 'loss',
  learningRate: 'learning rate',
  imagesPerSecond: 'images per second',
  accuracy: 'accuracy/top-1',
  top5: 'accuracy/top-5',
} as const;

/**
 * Writes `<out>/<stage>/events.out.tfevents.vitmim` for every stage that has curves.
 *
 * @returns the files written.
 */
export function exportTensorboard(plan: Plan, folder: string, out: string): string[] {
  return plan.stages.flatMap((stage) => {
    const paths = sweepPaths(folder).stage(stage.id);
    const curve = readCurve(paths);
    if (curve.length === 0) return [];
    const name = `${describeStage(plan, stage)} ${stage.id.slice(0, 6)}`.replaceAll(/[^\w.=+-]+/g, '_');
    const file = join(out, name, 'events.out.tfevents.vitmim');
    writeFileAtomic(file, toEventFile(curve.flatMap((point) => scalarsOf(point, startOf(paths)))));
    return [file];
  });
}

function scalarsOf(point: CurvePoint, start: number): Scalar[] {
  const time = point.time === undefined ? start : Date.parse(point.time) / 1000;
  return (Object.keys(TAGS) as (keyof typeof TAGS)[]).flatMap((key) => {
    const value = point[key];
    return value == null ? [] : [{ tag: TAGS[key], step: point.step, value, time }];
  });
}

/** When the stage's last attempt began, in seconds since 1970: for points that do not say when they were. */
function startOf({ state }: StagePaths): number {
  const startedAt = existsSync(state) ? readJson(state, stateSchema)?.startedAt : undefined;
  return startedAt === undefined ? 0 : Date.parse(startedAt) / 1000;
}
