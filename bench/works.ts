/**
 * The measured works, defined in works.json for both bench/step.ts and bench/peers/torch_vit.py: P, F and S for a
 * processor, G1 to G3 for a GPU. docs/devices.md describes them.
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

/** By name. The file is two folders up, in bench, both from dist/bench and from a packed bundle. */
export const WORKS: Readonly<Record<string, Work>> = schema.parse(
  JSON.parse(readFileSync(new URL('../../bench/works.json', import.meta.url), 'utf8')),
);

/** @throws UsageError if there is none of that name. */
export function workNamed(name: string): Work {
  const work = WORKS[name];
  if (!work) throw new UsageError(`unknown work ${name}; there are ${Object.keys(WORKS).join(', ')}`);
  return work;
}

/** The precisions of a model. */
export const PRECISIONS: readonly string[] = modelSchema.shape.precision.unwrap().options;

/** Those in which a device multiplies. */
export function precisionsOf(device: string): readonly string[] {
  switch (device) {
    case 'simd':
      return ['float32', 'bfloat16'];
    case 'webgpu':
      return ['float32', 'float16'];
    default:
      return ['float32'];
  }
}

/** @throws UsageError if models have no such precision. */
export function modelOf({ model, imageSize }: Work, precision = 'float32'): ModelConfig {
  if (!PRECISIONS.includes(precision)) {
    throw new UsageError(`unknown precision ${precision}; there are ${PRECISIONS.join(', ')}`);
  }
  return resolveModel(modelSchema.parse({ ...model, precision }), imageSize);
}

/** FLOPs of a whole training step, for each image. */
export function flopsPerImage(work: Work): number {
  const model = modelOf(work);
  return (work.task === 'pretraining' ? pretrainCost(model, work) : finetuneCost(model, work.classes)).training;
}
