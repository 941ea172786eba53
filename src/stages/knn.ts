/** k nearest neighbours on frozen features. Nothing is trained. */
import { z } from 'zod';
import { count, labelFraction, oneOrMore, positive } from '../common/values.js';
import { defineEvaluation, type EvaluationConfig, type ResolvedRecipe, type ResultNumbers } from './evaluation.js';
import { ACCURACY, sinceRevision2, type Fields } from './fields.js';

const recipe = z
  .strictObject({
    k: oneOrMore(count)
      .default(20)
      .describe('Number of neighbours. Of several, the one with the best accuracy on the validation images counts.'),
    temperature: positive.default(0.07).describe('Votes weigh exp(cosine similarity / temperature).'),
    labelFraction,
  })
  .describe('k nearest neighbours by cosine similarity on frozen features.');

const numbers = {
  k: {
    schema: sinceRevision2(z.int().positive()),
    label: 'k',
    description: 'Neighbours that voted: fewer than in the recipe if there are fewer images.',
    digits: 0,
  },
} satisfies Fields;

export type KnnConfig = EvaluationConfig<'knn', ResolvedRecipe<typeof recipe>>;
export type KnnNumbers = ResultNumbers<'knn', typeof ACCURACY, typeof numbers>;

export const knn = defineEvaluation({
  name: 'knn',
  title: 'nearest neighbours',
  needs: 'class',
  trains: 'nothing',
  recipe,
  choices: ['k'],
  metrics: ACCURACY,
  numbers,
  flops: ({ model }, { train, test }, { encodingCost }) => encodingCost(model) * (train + test),
  async run(config, context) {
    const { nearestNeighbours } = await import('../training/knn.js');
    return nearestNeighbours(config, context);
  },
});
