/**
 * What a plan and a stage look like on disk. The keys that commands compute with are checked, type and range; further
 * keys, which versions differ in, are kept as they are. Nothing is transformed, so that identities stay what they are.
 */
import { z } from 'zod';
import { namesOf } from '../common/registry.js';
import { DATASETS } from '../data/registry.js';
import { ENTRY_NAME, MOST_REPEATS } from '../spec/evaluate-schema.js';
import { TRAIN_ON } from '../spec/select-schema.js';
import { evaluationIds, stageIds, type Plan, type Stage } from '../spec/stages.js';
import { NAME } from '../spec/sweep-schema.js';
import { MASK_KINDS, MISALIGNMENTS, PRETRAIN_TARGETS, STYLE_KINDS } from '../spec/task.js';
import { EVALUATION_NAMES } from '../stages/index.js';
import { FILE_KINDS } from './files.js';
import { STAGE_ID } from './layout.js';
import { MEBIBYTE } from './open.js';
import { timeSchema } from './time.js';

const id = z.string().regex(STAGE_ID, 'an identity has 16 hexadecimal digits');
const seed = z.int().nonnegative();

/** Far above any model, and small enough to loop over. */
const size = z.int().positive().max(1_000_000);
const depth = size.max(10_000);

const data = z.looseObject({ name: z.enum(namesOf(DATASETS)), path: z.string().optional() });

const model = z.looseObject({
  imageSize: size,
  patchSize: size,
  dim: size,
  depth,
  heads: size,
  mlpRatio: z.number().positive().max(1000),
  classToken: z.boolean(),
});
const decoder = z.looseObject({ dim: size, depth, heads: size });

const task = z.looseObject({
  maskRatio: z.number().min(0).lt(1),
  mask: z.looseObject({ kind: z.enum(MASK_KINDS) }).optional(),
  geometry: z.looseObject({ kind: z.enum(MISALIGNMENTS) }),
  style: z.looseObject({ kind: z.enum(STYLE_KINDS) }),
  target: z.enum(PRETRAIN_TARGETS),
});

const recipe = z.looseObject({ epochs: z.number().nonnegative().max(1e9).optional() });

const config = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('pretrain'), seed, data, model: model.extend({ decoder }), task, recipe }),
  z.looseObject({ kind: z.enum(EVALUATION_NAMES), seed, data, model, recipe }),
]);

const stage = z.strictObject({
  id,
  config,
  parent: id.nullable(),
  dataFingerprint: z.string().min(1).max(1000),
  engineRevision: z.int().positive(),
});

/**
 * A stage as it was written, by this version or an earlier one; whether it has its identity is another question. The
 * schema checks less than the type: kinds by their names, and of their numbers those that every kind has.
 */
export const storedStageSchema = stage.register(FILE_KINDS, { mostBytes: MEBIBYTE }) as unknown as z.ZodType<Stage>;

const cell = z.strictObject({
  objective: z.string(),
  maskRatio: z.number().nullable(),
  misalignment: z.string().nullable(),
  stylePreservation: z.union([z.string(), z.boolean()]).nullable(),
  seed,
  overrides: z.record(z.string(), z.unknown()),
});

const entry = z.string().regex(ENTRY_NAME, 'it cannot name an evaluation').max(200);

const job = z.strictObject({
  cells: z.array(cell).min(1),
  task: task.nullable(),
  weights: z.string().optional(),
  seed,
  pretrain: id.nullable(),
  evaluations: z.record(entry, z.union([id, z.array(id).min(2).max(MOST_REPEATS)])),
  rankedBy: entry.nullable(),
  candidate: z
    .strictObject({
      selection: id,
      index: z.int().nonnegative().max(1_000_000),
      values: z.record(z.string(), z.unknown()),
      isTrial: z.boolean(),
    })
    .optional(),
});

const selection = z.strictObject({
  id,
  by: z.string().min(1).max(200),
  keys: z.array(z.string()).min(1),
  seeds: z.array(seed).min(1),
  planned: z.int().positive(),
  train: z.enum(TRAIN_ON),
  cell,
});

const seeds = z
  .strictObject({
    seeds: z.array(seed).max(1000),
    looks: z.array(z.int().positive()).min(1).max(1000),
    alpha: z.number().positive().lt(1),
    smallest: z.number().positive().nullable(),
  })
  .refine(
    ({ seeds: all, looks }) => looks.every((look, i) => look > (looks[i - 1] ?? 0)) && looks.at(-1) === all.length,
    {
      error: 'the looks must ascend to the number of seeds',
    },
  );

const part = z.strictObject({
  version: z.literal(1),
  name: z.string().regex(NAME, 'it cannot name a sweep').max(200),
  description: z.string().optional(),
  jobs: z.array(job),
  stages: z.array(stage),
  seeds: seeds.optional(),
  compare: z
    .array(z.tuple([z.string(), z.string()]))
    .max(1000)
    .optional(),
  metrics: z.record(entry, z.string().min(1).max(200)).optional(),
  leftOut: z.array(z.strictObject({ cell, reason: z.string() })),
  selections: z.array(selection).optional(),
});

/** A sweep of the largest number of cells has some 60 MB. */
const PLAN_BYTES = { mostBytes: 256 * MEBIBYTE };

/** A plan of which some stages were left out, as a submission to Slurm has it. */
export const partialPlanSchema = part.register(FILE_KINDS, PLAN_BYTES) as unknown as z.ZodType<Plan>;

const whole = part.superRefine(({ jobs, stages, selections = [] }, context) => {
  const known = new Set<string>();
  const pretrainings = new Set(stages.flatMap(({ id: own, config: { kind } }) => (kind === 'pretrain' ? [own] : [])));
  for (const { id: own, parent } of stages) {
    if (known.has(own)) context.addIssue({ code: 'custom', message: `it holds stage ${own} twice` });
    if (parent !== null && !known.has(parent)) {
      context.addIssue({
        code: 'custom',
        message: `stage ${own} comes before stage ${parent}, which it starts from`,
      });
    }
    known.add(own);
  }
  const missing = jobs.flatMap(stageIds).find((one) => !known.has(one));
  if (missing !== undefined)
    context.addIssue({ code: 'custom', message: `a job names stage ${missing}, which it lacks` });
  const selected = new Set(selections.map(({ id: own }) => own));
  const unknown = jobs.find(({ candidate }) => candidate !== undefined && !selected.has(candidate.selection));
  if (unknown !== undefined)
    context.addIssue({
      code: 'custom',
      message: `a job names selection ${unknown.candidate!.selection}, which it lacks`,
    });
  const wrong = jobs.flatMap(evaluationIds).find((one) => pretrainings.has(one));
  if (wrong !== undefined)
    context.addIssue({ code: 'custom', message: `a job has the pre-training ${wrong} as an evaluation` });
});

/** A whole plan: every stage once, parents before children, and no job that names another one. */
export const planSchema = whole.register(FILE_KINDS, PLAN_BYTES) as unknown as z.ZodType<Plan>;

/** A plan as it is kept (`plans/<identity>.json`), with the time at which a sweep last started with it, ISO 8601. */
export const keptPlanSchema = z
  .strictObject({ startedAt: timeSchema, plan: whole })
  .register(FILE_KINDS, PLAN_BYTES) as unknown as z.ZodType<{ startedAt: string; plan: Plan }>;
