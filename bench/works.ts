/**
 * The works that are measured, as works.json states them for bench/step.ts and bench/peers/torch_vit.py alike: P and F for
 * a processor, G1 to G3 for a card. What each is in words, see docs/devices.md.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { UsageError } from '../src/common/errors.js';
import { finetuneCost, pretrainCost } from '../src/spec/flops.js';
import { resolveModel, type ModelConfig } from '../src/spec/model.js';
import { modelSchema } from '../src/spec/schema.js';

const count = z.int().positive();
const shape = { imageSize: count, model: z.record(z.string(), z.unknown()), batch: count };
const schema = z.record(
  z.string(),
  z.discriminatedUnion('task', [
    z.strictObject({ task: z.literal('pretraining'), ...shape, maskRatio: z.number() }),
    z.strictObject({ task: z.literal('classification'), ...shape, classes: count }),
  ]),
);

export type Work = z.output<typeof schema>[string];

/** By name. From dist/bench as from a packed bundle, the file lies two folders up, in bench. */
export const WORKS: Readonly<Record<string, Work>> = schema.parse(
  JSON.parse(readFileSync(new URL('../../bench/works.json', import.meta.url), 'utf8')),
);

/** @throws UsageError where there is none of that name. */
export function workNamed(name: string): Work {
  const work = WORKS[name];
  if (!work) throw new UsageError(`no work is called ${name}; there are ${Object.keys(WORKS).join(', ')}`);
  return work;
}

/** What a model can compute in. */
export const PRECISIONS: readonly string[] = modelSchema.shape.precision.unwrap().options;

/** @throws UsageError when models have no such precision. */
export function modelOf({ model, imageSize }: Work, precision = 'float32'): ModelConfig {
  if (!PRECISIONS.includes(precision)) {
    throw new UsageError(`precision ${precision} is not to be had; there is ${PRECISIONS.join(', ')}`);
  }
  return resolveModel(modelSchema.parse({ ...model, precision }), imageSize);
}

/** FLOPs of a whole training step, for each image. */
export function flopsPerImage(work: Work): number {
  const model = modelOf(work);
  return (work.task === 'pretraining' ? pretrainCost(model, work) : finetuneCost(model, work.classes)).training;
}
