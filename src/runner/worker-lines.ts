/** The messages between a sweep and its workers: JSON lines on the worker's standard output and standard input. */
import { z } from 'zod';
import { FAILURE_CAUSES } from '../common/errors.js';
import { resultSchema, type StageEvent } from '../store/records.js';

/** The next stage for a worker that is idle. */
export const orderSchema = z.strictObject({
  /** Path of its `stage.json`. */
  stage: z.string(),
  /** The claim under which the worker runs it. */
  claim: z.string(),
});
export type StageOrder = z.output<typeof orderSchema>;

const count = z.number().nonnegative();

const eventSchema: z.ZodType<StageEvent> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('started'), device: z.string(), steps: count, fromStep: count }),
  z.object({
    type: z.literal('progress'),
    epoch: count,
    step: count,
    steps: count,
    loss: z.number(),
    imagesPerSecond: count,
  }),
  z.object({
    type: z.literal('evaluated'),
    epoch: count,
    metrics: z.record(z.string(), z.number().nullable()),
    split: z.literal('validation').optional(),
  }),
  z.object({ type: z.literal('advice'), message: z.string() }),
  z.object({ type: z.literal('warning'), message: z.string() }),
  z.object({ type: z.literal('done'), result: resultSchema }),
  z.object({ type: z.literal('failed'), cause: z.enum(FAILURE_CAUSES), reason: z.string() }),
  z.object({ type: z.literal('alive'), working: z.boolean() }),
  z.object({ type: z.literal('idle') }),
]);

const MOST_QUOTED = 200;

/** Reads one line of a worker's output. A library may write there too: a line that is no event becomes a warning. */
export function parseEvent(line: string): StageEvent {
  try {
    return eventSchema.parse(JSON.parse(line));
  } catch {
    const quoted = line.length > MOST_QUOTED ? `${line.slice(0, MOST_QUOTED)}…` : line;
    return { type: 'warning', message: `unexpected output: ${quoted}` };
  }
}
