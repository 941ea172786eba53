/** The schemas of the JSON files in a results folder. Every file is checked when it is read. */
import { z } from 'zod';
import { FAILURE_CAUSES, type FailureCause } from '../common/errors.js';
import { identify } from '../spec/plan.js';
import type { TrainingEvent } from '../stages/events.js';
import { EVALUATIONS, STAGES } from '../stages/index.js';
import type { FileKeys } from '../stages/stage.js';
import { FILE_KINDS } from './files.js';
import { MEBIBYTE } from './open.js';
import { storedStageSchema } from './plan-schema.js';
import { timeSchema } from './time.js';

/** How far a stage is (`state.json`). It is pending if there is no such file. */
export const stateSchema = z
  .strictObject({
    status: z.enum(['running', 'done', 'failed', 'interrupted']),
    attempt: z.int().positive(),
    pid: z.int().positive().nullable(),
    host: z.string(),
    startedAt: timeSchema,
    endedAt: timeSchema.nullable(),
    /** Why it failed: in words, and as one of a few causes. */
    reason: z.string().nullable(),
    cause: z.enum(FAILURE_CAUSES).nullable().default(null),
  })
  .register(FILE_KINDS, { mostBytes: MEBIBYTE });
export type StageState = z.output<typeof stateSchema>;

/** Final numbers of a stage (`result.json`). */
export const resultSchema = z
  .discriminatedUnion('kind', [STAGES.pretrain.result, ...Object.values(EVALUATIONS).map(({ result }) => result)])
  .register(FILE_KINDS, { mostBytes: 256 * MEBIBYTE }); // it may name every image of a data set as corrupt
export type StageResult = z.output<typeof resultSchema>;

/** A result without the values that follow from its files. */
export type StageNumbers = Numbers<StageResult>;
// Distributes over the kinds of stages; a plain Omit keeps only the keys that all of them have.
type Numbers<Result> = Result extends unknown ? Omit<Result, FileKeys> : never;

/** The reports of a worker to its sweep, one JSON line each on its standard output. */
export type StageEvent =
  | TrainingEvent
  | { type: 'done'; result: StageResult }
  | { type: 'failed'; cause: FailureCause; reason: string }
  /** Sent every few seconds: whether the worker made progress since the last one, or waits. */
  | { type: 'alive'; working: boolean }
  /** The last event of a stage: the worker is ready for another one, and may be given it or ended. */
  | { type: 'idle' };

/**
 * A stage whose identity is still the hash of its content, so that a file edited by hand is found out; of this
 * version's numerics.
 */
export const stageSchema = storedStageSchema
  .refine(
    ({ id, config, parent, dataFingerprint }) => identify(config, parent, dataFingerprint).id === id,
    'its content does not match its identity: it was edited, or written by a version with other numerics',
  )
  .register(FILE_KINDS, { mostBytes: MEBIBYTE });

export { keptPlanSchema, partialPlanSchema, planSchema, storedStageSchema } from './plan-schema.js';
