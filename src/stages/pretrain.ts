/** Pre-training: recover clean images from degraded ones. It needs no labels. (PAPER.md §6) */
import { z } from 'zod';
import type { PretrainConfig } from '../spec/stages.js';
import { BATCH_SIZE, FIRST_LOSS, LARGEST_GRADIENT_NORM, LOSS, type Fields } from './fields.js';
import { columnsOf, resultSchemaOf, type FileKeys, type StageKindEntry } from './stage.js';

const NUMBERS = {
  loss: { ...LOSS, schema: z.number() },
  zeroLoss: {
    schema: z.number(),
    label: 'zero loss',
    description: 'What a prediction of zero scores on the same task.',
    digits: 4,
  },
  firstLoss: FIRST_LOSS,
  largestGradientNorm: LARGEST_GRADIENT_NORM,
  batchSize: BATCH_SIZE,
} satisfies Fields;

const result = resultSchemaOf('pretrain', {
  ...NUMBERS,
  /** Mean training loss of each epoch. */
  losses: { schema: z.array(z.number()) },
});

export type PretrainNumbers = Omit<z.output<typeof result>, FileKeys>;

/** Its recipe is in `spec/schema.ts`. */
export const pretrain = {
  name: 'pretrain',
  title: 'pre-training',
  trains: 'all weights',
  checkpoint: (config, _classes, { pretrainShapes }) => ({ shapes: pretrainShapes(config), groups: 2 }),
  exports: true,
  metrics: {},
  columns: columnsOf(NUMBERS),
  baseline: { loss: 'loss', level: 'zeroLoss', name: 'a prediction of zero' },
  flops: ({ model, task }, { steps }, { pretrainCost }) => pretrainCost(model, task).training * steps,
  picture: {
    title: 'Reconstructions',
    description:
      'Validation images, one a row: the original, the input of the encoder and the prediction of the model; last the ' +
      'target, if it is another picture than the original. Without validation images, the rows are test images; without ' +
      'a test set, training images.',
    columns: 'original, input and reconstruction',
  },
  result,
} as const satisfies StageKindEntry<PretrainConfig> & { name: 'pretrain'; result: typeof result };
