/** From single times to a table of kernels. */
import { describeTimes, floorOf, perStep } from '../../bench/floors.js';

const RATES = { flopsPerSecond: 1e12, bytesPerSecond: 1e11 };

test('the floor is the longer of arithmetic and memory', () => {
  expect(floorOf({ flops: 2e9, bytes: 1e8 }, RATES)).toBe(2);
  expect(floorOf({ flops: 1e8, bytes: 1e8 }, RATES)).toBe(1);
});

test('without the rate that it depends on there is no floor', () => {
  expect(floorOf({ flops: 1, bytes: 1 }, { ...RATES, flopsPerSecond: null })).toBeNull();
  expect(floorOf({ flops: 1, bytes: 1 }, { ...RATES, bytesPerSecond: null })).toBeNull();
  expect(floorOf({ flops: 0, bytes: 1e8 }, { ...RATES, flopsPerSecond: null })).toBe(1);
  expect(floorOf({ flops: 0, bytes: 0 }, { flopsPerSecond: null, bytesPerSecond: null })).toBe(0);
});

test('calls are summed by kernel and divided by the steps, the longest first', () => {
  const samples = [
    { kernel: 'short', milliseconds: 1, bytes: 1e8, flops: 0 },
    { kernel: 'long', milliseconds: 4, bytes: 0, flops: 2e9 },
    { kernel: 'long', milliseconds: 6, bytes: 0, flops: 4e9 },
    { kernel: 'long', milliseconds: 6, bytes: 1e8, flops: 0 },
    { kernel: 'long', milliseconds: 4, bytes: 1e8, flops: 0 },
  ];
  expect(perStep(samples, 2, RATES)).toEqual([
    // each call has its own floor: 2 + 4 + 1 + 1, not that of the sums
    { kernel: 'long', calls: 2, milliseconds: 10, bytes: 1e8, flops: 3e9, floor: 4 },
    { kernel: 'short', calls: 0.5, milliseconds: 0.5, bytes: 5e7, flops: 0, floor: 0.5 },
  ]);
});

test('one call without a floor leaves its kernel without', () => {
  const samples = [
    { kernel: 'k', milliseconds: 1, bytes: 1e8, flops: 0 },
    { kernel: 'k', milliseconds: 1, bytes: 1e8, flops: 1 },
  ];
  expect(perStep(samples, 1, { ...RATES, flopsPerSecond: null })[0]!.floor).toBeNull();
});

test('the table ends with the sum, and says nothing of floors that are not known', () => {
  const time = { kernel: 'a', calls: 3, milliseconds: 2, bytes: 0, flops: 0, floor: 1 };
  expect(describeTimes([time, { ...time, kernel: 'b' }]).map((line) => line.trim())).toEqual([
    '2.000 ms at least     1.000 ms     3 × a',
    '2.000 ms at least     1.000 ms     3 × b',
    '4.000 ms at least     2.000 ms     6 × all',
  ]);
  expect(describeTimes([{ ...time, floor: null }])[1]!.trim()).toBe('2.000 ms     3 × all');
});
