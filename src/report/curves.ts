/** The curves of a stage: the points of its `metrics.jsonl`, each step once. */
import { z } from 'zod';
import { readJsonLines } from '../store/files.js';
import type { StagePaths } from '../store/layout.js';
import { timeSchema } from '../store/time.js';

const lineSchema = z.looseObject({
  step: z.int().nonnegative(),
  epoch: z.number().nonnegative(),
  loss: z.number().optional(),
  learningRate: z.number().optional(),
  imagesPerSecond: z.number().optional(),
  /** Metrics on the validation images. */
  validation: z.record(z.string(), z.number().nullable()).optional(),
  /** Files of earlier versions have none. */
  time: timeSchema.optional(),
});
export type CurvePoint = z.output<typeof lineSchema>;

/**
 * Reads the points in the order of their steps. Work that was done again after an interruption stands twice in the file;
 * the later counts. Losses and metrics of one step are one point.
 */
export function readCurve({ metrics }: Pick<StagePaths, 'metrics'>): CurvePoint[] {
  const points = new Map<number, CurvePoint>();
  for (const line of readJsonLines(metrics, lineSchema)) {
    points.set(line.step, { ...points.get(line.step), ...line });
  }
  return [...points.values()].sort((a, b) => a.step - b.step);
}
