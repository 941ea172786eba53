/** Pre-training: recover clean images from degraded ones. It needs no labels. (PAPER.md §6) */
import { z } from 'zod';
import { BATCH_SIZE, FIRST_LOSS, LARGEST_GRADIENT_NORM, LOSS, type Fields } from './fields.js';
import { columnsOf, resultSchemaOf, type FileKeys } from './stage.js';

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
  metrics: {},
  columns: columnsOf(NUMBERS),
  baseline: { loss: 'loss', level: 'zeroLoss', name: 'a prediction of zero' },
  result,
} as const;
