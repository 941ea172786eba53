/** Which tokens the encoder sees: a uniformly random subset for each image (PAPER.md §2). Pixels stay as they are. */
import type { Random } from '../common/random.js';
import { keptTokens } from '../spec/model.js';

/**
 * Draws the kept tokens of one image.
 *
 * They come in ascending order. MAE's come shuffled, in the order of its sorted noise; with positions already added,
 * the encoder cannot tell the two apart, and ascending rows are the kinder ones to gather.
 *
 * @returns keptTokens(tokens, maskRatio) indices below `tokens`, ascending; every such subset is equally likely
 */
export function drawKept(tokens: number, maskRatio: number, random: Random): Int32Array {
  const kept = keptTokens(tokens, maskRatio);
  const order = Int32Array.from({ length: tokens }, (_, i) => i);
  // Fisher–Yates, stopped once the part that is kept is drawn.
  for (let i = 0; i < kept; i++) {
    const j = i + random.integer(tokens - i);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order.slice(0, kept).sort();
}
