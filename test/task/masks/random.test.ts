/** Which tokens are kept. */
import { stream } from '../../../src/common/random.js';
import { keptTokens } from '../../../src/spec/model.js';
import { drawKept } from '../../../src/task/masks/random.js';

it.each([
  [0.75, 49],
  [0.5, 98],
  [0.6, 78],
  [0.8, 39],
  [0.9, 19],
])('keeps of 196 tokens, at ratio %d, %d', (ratio, kept) => {
  const tokens = drawKept(196, keptTokens(196, ratio), stream(0, 'mask'));
  expect(tokens).toHaveLength(kept);
  expect(new Set(tokens).size).toBe(kept);
  expect(Math.min(...tokens)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...tokens)).toBeLessThan(196);
});

it('lists them in ascending order', () => {
  const tokens = [...drawKept(196, 49, stream(0, 'mask'))];
  expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
});

it('draws every subset equally often', () => {
  const random = stream(0, 'subsets');
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const subset = drawKept(4, 2, random).join();
    counts.set(subset, (counts.get(subset) ?? 0) + 1);
  }
  // 1000 ± 29 each; four deviations.
  expect([...counts.keys()].toSorted()).toEqual(['0,1', '0,2', '0,3', '1,2', '1,3', '2,3']);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(116);
});
