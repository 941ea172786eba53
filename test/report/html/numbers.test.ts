import { digitsOf, formatNumber, withSpread } from '../../../src/report/html/numbers.js';

test('numbers have a true minus sign, and no negative zero', () => {
  expect([-1.25, -0.001, 0, 3].map((value) => formatNumber(value, 1))).toEqual(['−1.3', '0.0', '0.0', '3.0']);
  expect([withSpread(1, null), withSpread(1, 0.25)]).toEqual(['1.00', '1.00 ± 0.25']);
  expect([digitsOf([0, 0.75]), digitsOf([1, 2])]).toEqual([2, 0]);
});
