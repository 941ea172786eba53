/** The curves of a stage: the points of its `metrics.jsonl`, each step once. */
import { z } from 'zod';
import { readJsonLines } from '../store/files.js';
import type { StagePaths } from '../store/layout.js';

const lineSchema = z.looseObject({
  step: z.int().nonnegative(),
  epoch: z.number(),
  loss: z.number().optional(),
  learningRate: z.number().optional(),
  imagesPerSecond: z.number().optional(),
  /** ISO 8601; files of earlier versions have none. */
  time: z.string().optional(),
});
export type CurvePoint = z.output<typeof lineSchema>;

/**
 * Reads the points in the order of their steps. Work that was done again after an interruption stands twice in the file;
 * the later counts. Losses and metrics of one step are one point.
 */
export function readCurve({ metrics }: Pick<StagePaths, 'metrics'>): CurvePoint[] {
  const points = new Map<number, CurvePoint>();
  for (const line of readJsonLines(metrics)) {
    const parsed = lineSchema.safeParse(line);
    if (parsed.success) points.set(parsed.data.step, { ...points.get(parsed.data.step), ...parsed.data });
  }
  return [...points.values()].sort((a, b) => a.step - b.step);
}
