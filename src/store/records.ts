/** What the JSON files of a results folder hold, checked whenever one is read. */
import { z } from 'zod';
import { FAILURE_CAUSES, type FailureCause } from '../common/errors.js';
import { identify } from '../spec/plan.js';
import type { Plan, Stage, StageKind } from '../spec/stages.js';

/** How far a stage is (`state.json`). It is pending where there is no such file. */
export const stateSchema = z.strictObject({
  status: z.enum(['running', 'done', 'failed', 'interrupted']),
  attempt: z.int().positive(),
  pid: z.int().nullable(),
  host: z.string(),
  /** ISO 8601. */
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  /** Why it failed: in words, and as one of a few causes. */
  reason: z.string().nullable(),
  cause: z.enum(FAILURE_CAUSES).nullable().default(null),
});
export type StageState = z.output<typeof stateSchema>;

/** What results of engine revision 1 do not have. */
const sinceRevision2 = <T extends z.ZodType>(schema: T) => schema.nullable().default(null as never);

const work = {
  /** Epochs and optimiser steps done; what the numbers below were read after. */
  epochs: z.number().nonnegative(),
  steps: z.int().nonnegative(),
  /** Training images per second of the last attempt, and its wall time; null where nothing was trained. */
  imagesPerSecond: z.number().nullable(),
  seconds: z.number(),
  /** Files that could not be decoded and were passed over. */
  corruptImages: z.array(z.string()),
  /** Identity of the stage. */
  stage: sinceRevision2(z.string()),
  /** The pre-training that it started from, and the digest of that checkpoint (`safetensors.ts`); null: none. */
  parent: sinceRevision2(z.strictObject({ id: z.string(), sha256: z.string() })),
  /** Digest of the checkpoint that it left; null: it leaves none. */
  checkpoint: sinceRevision2(z.string()),
};

/** How the training went; see `health.ts`. */
const training = {
  /** Mean training loss of the last epoch. */
  loss: z.number(),
  /** Training loss of the first step. */
  firstLoss: sinceRevision2(z.number()),
  /** Largest global L2 norm of a step's gradients, before clipping. */
  largestGradientNorm: sinceRevision2(z.number()),
  /** Images in a step: less than the recipe's `batchSize` where the split is smaller. */
  batchSize: sinceRevision2(z.int().positive()),
};

/** What predicting equal odds for every class scores: the logarithm of their number. */
const chanceLoss = sinceRevision2(z.number());

const accuracy = {
  /** Top-1 on the test set, in percent. */
  accuracy: z.number(),
  /** Top-5 in percent; null with five classes or fewer. */
  top5: z.number().nullable(),
  testImages: z.int(),
  trainImages: z.int(),
};

/** Final numbers of a stage (`result.json`). */
export const resultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('pretrain'),
    ...work,
    ...training,
    /** Mean training loss of each epoch. */
    losses: z.array(z.number()),
    /** What a prediction of zero scores on the same task. */
    zeroLoss: z.number(),
    trainImages: z.int(),
  }),
  z.strictObject({
    kind: z.literal('finetune'),
    ...work,
    ...training,
    chanceLoss,
    ...accuracy,
  }),
  z.strictObject({
    kind: z.literal('linear'),
    ...work,
    /** Mean training loss of the last epoch. */
    loss: sinceRevision2(z.number()),
    batchSize: training.batchSize,
    chanceLoss,
    ...accuracy,
  }),
  z.strictObject({
    kind: z.literal('knn'),
    ...work,
    /** Neighbours that voted: less than the recipe's `k` where there are fewer training images. */
    k: sinceRevision2(z.int().positive()),
    ...accuracy,
  }),
]);
export type StageResult = z.output<typeof resultSchema>;

/** Whether a finished stage of a kind has a checkpoint, which its result then names. */
export const LEAVES_CHECKPOINT: Record<StageKind, boolean> = {
  pretrain: true,
  finetune: true,
  linear: false,
  knn: false,
};

/** A result without what is known of its files alone. */
export type StageNumbers = Numbers<StageResult>;
// Distributes over the kinds of stages; a plain Omit keeps only the keys that all of them have.
type Numbers<Result> = Result extends unknown ? Omit<Result, 'stage' | 'parent' | 'checkpoint'> : never;

/** What a worker tells its parent, one JSON line each on its standard output. */
export type StageEvent =
  | { type: 'started'; device: string; steps: number; fromStep: number }
  | { type: 'progress'; epoch: number; step: number; steps: number; loss: number; imagesPerSecond: number }
  | { type: 'evaluated'; epoch: number; accuracy: number }
  | { type: 'warning'; message: string }
  | { type: 'done'; result: StageResult }
  | { type: 'failed'; cause: FailureCause; reason: string }
  /** Nothing new, but it lives. */
  | { type: 'alive' };

/** A plan that this version wrote; what is in it was checked when it was made. */
export const planSchema = z.custom<Plan>(
  (value) => typeof value === 'object' && value !== null && 'version' in value && value.version === 1,
  'it has another version',
);

/** A stage whose identity is still the hash of its content, so that a file edited by hand is found out. */
export const stageSchema = z.custom<Stage>((value) => {
  const { id, config, parent, dataFingerprint } = value as Stage;
  return identify(config, parent, dataFingerprint).id === id;
}, 'its content does not match its identity: it was edited, or written by a version with other numerics');

/** A stage as it was written, by this version or an earlier one; whether it has its identity is another question. */
export const storedStageSchema = z.custom<Stage>((value) => {
  const { id, config } = (value ?? {}) as Partial<Stage>;
  return typeof id === 'string' && typeof config?.kind === 'string';
}, 'it describes no stage');
