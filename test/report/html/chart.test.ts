import type { DotChart, LineChart } from '../../../src/report/html/chart.js';
import { drawDotChart } from '../../../src/report/html/dot-chart.js';
import { drawLineChart } from '../../../src/report/html/line-chart.js';
import { DARK, LIGHT } from '../../../src/report/html/palette.js';

const LINES: LineChart = {
  kind: 'lines',
  title: 'A <chart>',
  description: 'Two lines & more.',
  x: { title: 'mask ratio', ticks: [0, 0.75] },
  y: { title: 'Top-1 (%)' },
  series: [
    {
      name: 'none',
      style: 0,
      points: [
        { x: 0, y: 40, spread: 2 },
        { x: 0.75, y: 44, spread: null },
      ],
    },
    {
      name: 'zoomed-in',
      style: 1,
      points: [
        { x: 0, y: 42, spread: 1 },
        { x: 0.75, y: 44, spread: 1 },
      ],
    },
  ],
  reference: { value: 38, label: 'scratch: 38.00' },
  marks: true,
};

const DOTS: DotChart = {
  kind: 'dots',
  title: 'Here',
  description: 'Means.',
  x: { title: 'Top-1 (%)' },
  rows: [
    { label: 'scratch', mean: 40, spread: 2, values: [38, 42] },
    { label: 'masked', mean: 45, spread: null, values: [45] },
    { label: 'identity', mean: null, spread: null, values: [] },
  ],
  reference: null,
};

const count = (text: string, part: string): number => text.split(part).length - 1;

/** The numbers of every element that a pattern with one group finds. */
const numbers = (text: string, pattern: RegExp): number[] => [...text.matchAll(pattern)].map(([, n]) => Number(n));

describe('a line chart', () => {
  const { text } = drawLineChart('c', LINES);

  test('has a line for each series, a mark for each point and a bar where there is a spread', () => {
    expect([count(text, 'class="line '), count(text, 'class="mark '), count(text, 'class="bar ')]).toEqual([2, 4, 3]);
    expect(count(text, 'class="reference"')).toBe(1);
  });

  test('puts larger values higher, and bars as long as their spread', () => {
    const heights = numbers(text, /class="mark s0" transform="translate\([\d.]+ ([\d.]+)\)/g);
    expect(heights[1]!).toBeLessThan(heights[0]!);
    const [low, high] = ['M[\\d.]+ ([\\d.]+)', 'L[\\d.]+ ([\\d.]+)'].map(
      (end) => numbers(text, new RegExp(`class="bar s0" d="(?:M[\\d.]+ [\\d.]+)?${end}`, 'g'))[0]!,
    );
    const unit = (heights[0]! - heights[1]!) / 4;
    expect(Math.abs(low! - high!)).toBeCloseTo(4 * unit, 0);
  });

  test('names its lines, apart where they end at one height', () => {
    const labels = numbers(text, /class="label s\d" x="[\d.]+" y="([\d.]+)"/g);
    expect(Math.abs(labels[0]! - labels[1]!)).toBeGreaterThanOrEqual(13);
  });

  test('is named and described for those who do not see it, escaped', () => {
    expect(text).toContain('role="img" aria-labelledby="c-title c-description"');
    expect(text).toContain('<title id="c-title">A &lt;chart&gt;</title><desc id="c-description">Two lines &amp; more.');
  });

  test('without marks is one path, of no more points than are seen', () => {
    const points = Array.from({ length: 5000 }, (_, i) => ({ x: i, y: 1 / (i + 1), spread: null }));
    const curve = drawLineChart('c', { ...LINES, marks: false, series: [{ name: null, style: 0, points }] }).text;
    expect([count(curve, 'class="line '), count(curve, 'class="mark ')]).toEqual([1, 0]);
    expect(curve.length).toBeLessThan(6000);
  });
});

describe('a dot chart', () => {
  const { text } = drawDotChart('d', DOTS);

  test('has a mark for each mean, rings for several seeds alone, and an empty row where there is no number', () => {
    expect([count(text, 'class="row"'), count(text, 'class="mark ')]).toEqual([3, 2]);
    expect([count(text, 'class="ring"'), count(text, 'class="bar ')]).toEqual([2, 1]);
    expect(text).not.toContain('NaN');
  });

  test('stands the mean in the middle of its seeds', () => {
    const [first, second] = numbers(text, /class="ring" cx="([\d.]+)"/g);
    expect(numbers(text, /class="mark s0" transform="translate\(([\d.]+)/g)[0]).toBeCloseTo((first! + second!) / 2, 0);
  });

  test('shortens labels that leave no room, and keeps them whole in the tooltip', () => {
    const label = 'zoomed-in degradation.zoomedIn.fraction=0.5';
    const long = drawDotChart('d', { ...DOTS, rows: [{ ...DOTS.rows[0]!, label }] }).text;
    expect(long).toContain('>zoomed-in degradation.z…<');
    expect(long).toContain(`<title>${label}: 40.00 ± 2.00</title>`);
  });
});

describe.each([
  ['light', LIGHT],
  ['dark', DARK],
])('the %s palette', (_, { background, ink, muted, accent, series }) => {
  test.each([ink, muted, accent, ...series])('has a contrast of 4.5 at least for text in %s', (colour) => {
    expect(contrast(colour, background)).toBeGreaterThanOrEqual(4.5);
  });
});

/** WCAG 2.2, contrast ratio. */
function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((i) => {
    const value = parseInt(colour.slice(i, i + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
