/** Position tables against values computed by hand. */
import { positionTable } from '../../src/model/positions.js';

const [sin, cos] = [Math.sin, Math.cos];

/** Row n of a table of width `dim`. */
function row(table: Float32Array, n: number, dim: number): number[] {
  return [...table.subarray(n * dim, (n + 1) * dim)];
}

function expectClose(actual: number[], expected: number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 6);
  });
}

describe('sincos-1d', () => {
  it('alternates sine and cosine of the flattened index, over 10000 to the power of the place', () => {
    const table = positionTable('sincos-1d', 3, 4);
    expect(table).toHaveLength(9 * 4);
    expectClose(row(table, 0, 4), [0, 1, 0, 1]);
    expectClose(row(table, 1, 4), [sin(1), cos(1), sin(0.01), cos(0.01)]);
    // Row 2, column 1 of the grid is patch 7: rows and columns are not distinguished.
    expectClose(row(table, 7, 4), [sin(7), cos(7), sin(0.07), cos(0.07)]);
  });
});

describe('sincos-2d', () => {
  const table = positionTable('sincos-2d', 3, 8);

  it('encodes the column in the first half and the row in the second, sines before cosines', () => {
    expect(table).toHaveLength(9 * 8);
    expectClose(row(table, 0, 8), [0, 0, 1, 1, 0, 0, 1, 1]);
    expectClose(row(table, 2, 8), [sin(2), sin(0.02), cos(2), cos(0.02), 0, 0, 1, 1]); // row 0, column 2
    expectClose(row(table, 3, 8), [0, 0, 1, 1, sin(1), sin(0.01), cos(1), cos(0.01)]); // row 1, column 0
  });

  it('gives patches of one column the same first half, and of one row the same second half', () => {
    expect(row(table, 1, 8).slice(0, 4)).toEqual(row(table, 7, 8).slice(0, 4));
    expect(row(table, 3, 8).slice(4)).toEqual(row(table, 5, 8).slice(4));
  });
});

it.each(['sincos-1d', 'sincos-2d'] as const)('%s gives every patch a different position', (kind) => {
  const table = positionTable(kind, 14, 32);
  expect(new Set(Array.from({ length: 196 }, (_, n) => row(table, n, 32).join())).size).toBe(196);
});
