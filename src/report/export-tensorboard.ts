/** A results folder as TensorBoard reads it: a run for each stage. */
import { join } from 'node:path';
import { describeStage } from '../spec/describe.js';
import type { Plan, StageKind } from '../spec/stages.js';
import { numberIn } from '../stages/fields.js';
import { STAGE_ENTRIES } from '../stages/index.js';
import { writeFileAtomic } from '../store/files.js';
import { sweepPaths, type StagePaths } from '../store/layout.js';
import { readState } from '../store/state.js';
import { readCurve, type CurvePoint } from './curves.js';
import { toEventFile, type Scalar } from './writers/tensorboard.js';

/** What every training logs, and under which tag. */
const TAGS = { loss: 'loss', learningRate: 'learning rate', imagesPerSecond: 'images per second' };

/** What a kind of stage logs, with its tags. */
function tagsOf(kind: StageKind): [key: string, tag: string][] {
  const metrics = Object.entries(STAGE_ENTRIES[kind].metrics).map(([key, { tag }]): [string, string] => [key, tag]);
  return [...Object.entries(TAGS), ...metrics];
}

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
    const name = `${describeStage(plan, stage)} ${stage.id.slice(0, 6)}`
      .replaceAll(/[^\w.=+-]+/g, '_')
      .slice(-MOST_NAME);
    const file = join(out, name, 'events.out.tfevents.vitmim');
    writeFileAtomic(
      file,
      toEventFile(curve.flatMap((point) => scalarsOf(point, tagsOf(stage.config.kind), startOf(paths)))),
    );
    return [file];
  });
}

/** Of a folder's name; file systems allow 255 bytes. The end of the name distinguishes stages. */
const MOST_NAME = 200;

function scalarsOf(point: CurvePoint, tags: readonly [key: string, tag: string][], start: number): Scalar[] {
  const time = point.time === undefined ? start : Date.parse(point.time) / 1000;
  const scalar = (values: Readonly<Record<string, unknown>>, key: string, tag: string): Scalar[] => {
    const value = numberIn(values, key);
    return value === null ? [] : [{ tag, step: point.step, value, time }];
  };
  return tags.flatMap(([key, tag]) => [
    ...scalar(point, key, tag),
    ...scalar(point.validation ?? {}, key, `validation ${tag}`),
  ]);
}

/** When the stage's last attempt began, in seconds since 1970: for points that do not say when they were. */
function startOf(paths: StagePaths): number {
  const startedAt = readState(paths)?.startedAt;
  return startedAt === undefined ? 0 : Date.parse(startedAt) / 1000;
}
