/** Random mask: the encoder receives a uniformly random subset of the tokens of each image (PAPER.md §2). */
import { z } from 'zod';
import type { Random } from '../../common/random.js';
import type { MaskEntry } from '../entry.js';

const strengths = z.strictObject({});

export const random: MaskEntry<'random', typeof strengths, { kind: 'random' }> = {
  name: 'random',
  description: 'uniformly random tokens',
  strengths,
  resolve: () => ({ kind: 'random' }),
  draw: (_, { columns, kept }, stream) => drawKept(columns ** 2, kept, stream),
};

/**
 * Draws the kept tokens of one image.
 *
 * They are returned in ascending order; in MAE they are in the order of its sorted noise. Positions are added before,
 * so the order makes no difference for the encoder, and ascending rows are faster to gather.
 *
 * @returns `kept` indices below `tokens`, ascending; every such subset is equally likely
 */
export function drawKept(tokens: number, kept: number, stream: Random): Int32Array {
  const order = Int32Array.from({ length: tokens }, (_, i) => i);
  // Fisher–Yates, stopped after the kept part.
  for (let i = 0; i < kept; i++) {
    const j = i + stream.integer(tokens - i);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order.slice(0, kept).sort();
}
