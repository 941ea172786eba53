import type { LineChart } from '../../../src/report/html/chart.js';
import { drawChart } from '../../../src/report/html/draw.js';
import { paddedDomain } from '../../../src/report/html/plot.js';

test('a domain is the extent and its margin; a single value has room on both sides', () => {
  expect(paddedDomain([4, 2, 12], 0.1)).toEqual([1, 13]);
  expect(paddedDomain([5], 0.1)).toEqual([4, 6]);
  expect(paddedDomain([], 0.1)).toEqual([0, 1]);
});

/** The labels of the upright axis of a chart of these values. */
function ticksOf(low: number, high: number, whole?: true): string[] {
  const points = [low, high].map((y, x) => ({ x, y, spread: null }));
  const series = [{ name: null, style: 0, points }] as const;
  const axis = { title: '', ...(whole && { whole }) };
  const chart: LineChart = {
    ...{ kind: 'lines', title: '', description: '', x: { title: '', ticks: [] }, y: axis },
    ...{ series, reference: null, marks: true },
  };
  const labels = /role-axis-label"[^>]*>(.*?)<\/g>/g;
  return [...drawChart('c', chart).text.matchAll(labels)].flatMap(([, group]) =>
    [...group!.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text!),
  );
}

describe('ticks', () => {
  test.each([
    [
      [0, 1],
      ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0'],
    ],
    [
      [38.2, 49.1],
      ['38', '40', '42', '44', '46', '48'],
    ],
    [
      [80.5, 83.4],
      ['80.5', '81.0', '81.5', '82.0', '82.5', '83.0', '83.5'],
    ],
    [
      [1, 300],
      ['0', '50', '100', '150', '200', '250', '300'],
    ],
    [
      [0.0012, 0.0049],
      ['0.001', '0.002', '0.003', '0.004', '0.005'],
    ],
  ] as const)('between %j are %j', ([low, high], labels) => {
    expect(ticksOf(low, high)).toEqual(labels);
  });

  test('of what counts are whole numbers', () => {
    expect(ticksOf(1, 4)).toContain('1.5');
    expect(ticksOf(1, 4, true)).toEqual(['1', '2', '3', '4']);
  });

  test('are few, at round numbers and within the domain', () => {
    for (const size of [1e-6, 0.037, 1, 7.7, 99, 123456]) {
      const values = ticksOf(-size / 3, size).map((label) => Number(label.replace('−', '-').replaceAll(',', '')));
      expect(values.length).toBeGreaterThan(2);
      expect(values.length).toBeLessThan(9);
      expect(values.every((value) => value >= -size * 0.42 && value <= size * 1.09)).toBe(true);
      expect(new Set(values).size).toBe(values.length);
    }
  });
});
