/** What passes of device webgpu have to do, against counts by hand. */
import { passCost } from '../../bench/pass-cost.js';

test('a product multiplies every row with every column, and passes each buffer once', () => {
  const cost = passCost({
    name: 'product, plain',
    sizes: { rows: 3, columns: 5, depth: 7, tile: { rows: 8, vectors: 1 } },
    reads: { a: 84, b: 140, bias: 20 },
    writes: { y: 60 },
  });
  expect(cost).toEqual({ flops: 2 * 3 * 5 * 7, bytes: 84 + 140 + 20 + 60 });
});

test.each([
  ['attention', 2],
  ['attention, gradient of queries', 3], // scores, what the values say of them, and the sum over the keys
  ['attention, gradient of keys', 3],
  ['attention, gradient of values', 2],
  ['attention, gradient of keys and values', 4],
])('%s takes %i products of tokens with tokens', (name, products) => {
  const sizes = { batch: 2, tokens: 5, heads: 3, size: 4 };
  expect(passCost({ name, sizes, reads: {}, writes: {} }).flops).toBe(products * 2 * (2 * 3) * (5 * 5) * 4);
});

test('AdamW reads and writes what it keeps, and reads the gradient', () => {
  const buffers = { reads: { gradient: 8 }, writes: { value: 8, first: 8, second: 8 } };
  expect(passCost({ name: 'adamW', sizes: {}, ...buffers })).toEqual({ flops: 0, bytes: 7 * 8 });
});

test('the gradients of attention together write theirs once', () => {
  const written = ['queries', 'keys', 'values'].map(
    (part) => passCost({ name: `attention, gradient of ${part}`, sizes: SIZES, reads: {}, writes: { dqkv: 30 } }).bytes,
  );
  expect(written.reduce((a, b) => a + b)).toBe(30);
});

test('a gather reads no more than it writes, nor more than there is', () => {
  const gather = (x: number, y: number) =>
    passCost({ name: 'gatherRows', sizes: {}, reads: { x, index: 4 }, writes: { y } }).bytes;
  expect(gather(100, 25)).toBe(25 + 4 + 25);
  expect(gather(25, 100)).toBe(25 + 4 + 100);
});

test('a product that no longer tells its sizes is an error, not a floor of nothing', () => {
  expect(() => passCost({ name: 'product, new', sizes: { m: 1 }, reads: {}, writes: {} })).toThrow('rows');
});

const SIZES = { batch: 1, tokens: 1, heads: 1, size: 1 };
