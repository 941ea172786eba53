import type { DotChart, LineChart } from '../../../src/report/html/chart.js';
import { drawChart } from '../../../src/report/html/draw.js';
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

/** What is drawn under a name, each element as text. */
function drawn(text: string, name: string): string[] {
  const groups = [...text.matchAll(new RegExp(`role-mark ${name}"[^>]*>(.*?)</g>`, 'g'))];
  return groups.flatMap(([, inner]) => inner!.match(/<(?:path|line|text) .*?(?=<(?:path|line|text) |$)/g) ?? []);
}

const counts = (text: string, ...names: string[]): number[] => names.map((name) => drawn(text, name).length);

/** Where an element stands: x and y. */
function placeOf(element: string): [number, number] {
  const [, x, y] = /translate\(([-\d.]+),([-\d.]+)\)/.exec(element)!;
  return [Number(x), Number(y)];
}

describe('a line chart', () => {
  const { text } = drawChart('c', LINES);
  const marks = drawn(text, 'mark').map(placeOf);

  test('has a line for each series, a mark for each point and a bar if there is a spread', () => {
    expect(counts(text, 'line', 'mark', 'bar', 'reference')).toEqual([2, 4, 3, 1]);
  });

  test('puts larger values higher, and bars as long as their spread', () => {
    const [first, second] = marks;
    expect(second![1]).toBeLessThan(first![1]);
    const length = Math.abs(Number(/y2="([-\d.]+)"/.exec(drawn(text, 'bar')[0]!)![1]));
    expect(length).toBeCloseTo(first![1] - second![1], 5); // both are four units
    expect(placeOf(drawn(text, 'bar')[0]!)[1]).toBeCloseTo(first![1] + length / 2, 5);
  });

  test('stands error bars at one x beside each other', () => {
    expect(marks[2]![0] - marks[0]![0]).toBeCloseTo(5, 5);
  });

  test('names its lines, apart if they end at one height', () => {
    const [first, second] = drawn(text, 'label').map(placeOf);
    expect(Math.abs(first![1] - second![1])).toBeGreaterThanOrEqual(13);
  });

  test('is named and described for those who do not see it, and its marks to the mouse, escaped', () => {
    expect(text).toContain('role="img" aria-labelledby="c-title c-description"');
    expect(text).toContain('<title id="c-title">A &lt;chart&gt;</title>');
    expect(text).toContain('<desc id="c-description">Two lines &amp; more.</desc>');
    expect(text).toContain('<title>none, 0: 40.00 ± 2.00</title>');
    const hostile = '</text><script>"&';
    const [series] = LINES.series;
    const named = drawChart('c', { ...LINES, x: { title: hostile }, series: [{ ...series!, name: hostile }] }).text;
    expect(named).not.toContain('<script');
    expect(named).toContain('<title>&lt;/text&gt;&lt;script&gt;&quot;&amp;, 0: 40.00 ± 2.00</title>');
  });

  test('has only colours of the style sheet, and is the same each time', () => {
    const colours = [...text.matchAll(/(?:fill|stroke)="([^"]*)"/g)].map(([, colour]) => colour!);
    expect(colours.filter((colour) => !/^(?:none|var\(--[a-z0-9]+\))$/.test(colour))).toEqual([]);
    expect(drawChart('c', LINES).text).toBe(text);
  });

  test('of a single value has it in the middle', () => {
    const points = [{ x: 3, y: 7, spread: null }];
    const one = drawChart('c', { ...LINES, reference: null, series: [{ name: null, style: 0, points }] }).text;
    expect(placeOf(drawn(one, 'mark')[0]!)[1]).toBeCloseTo(168 / 2, 5);
    expect(one).not.toContain('NaN');
  });

  test('without marks is one path, of no more points than are seen', () => {
    const points = Array.from({ length: 5000 }, (_, i) => ({ x: i, y: 1 / (i + 1), spread: null }));
    const curve = drawChart('c', { ...LINES, marks: false, series: [{ name: null, style: 0, points }] }).text;
    expect(counts(curve, 'line', 'mark', 'bar')).toEqual([1, 0, 0]);
    expect(curve.length).toBeLessThan(6000);
    expect(drawn(curve, 'line')[0]!.match(/L/g)!.length).toBeGreaterThan(100);
    const series = Array.from({ length: 50 }, () => ({ name: null, style: 0, points }) as const);
    const many = drawChart('c', { ...LINES, marks: false, series }).text;
    expect(counts(many, 'line')).toEqual([50]);
    expect(many.length).toBeLessThan(25_000);
  });
});

describe('a dot chart', () => {
  const { text } = drawChart('d', DOTS);

  test('has a mark for each mean, rings only for several seeds, and an empty row without a number', () => {
    expect(counts(text, 'row', 'mark', 'ring', 'bar')).toEqual([3, 2, 2, 1]);
    expect(text).not.toContain('NaN');
  });

  test('stands the mean in the middle of its seeds', () => {
    const [first, second] = drawn(text, 'ring').map(placeOf);
    expect(placeOf(drawn(text, 'mark')[0]!)[0]).toBeCloseTo((first![0] + second![0]) / 2, 5);
  });

  test('shortens labels that leave no room, and keeps them whole in the tooltip', () => {
    const label = 'zoomed-in degradation.zoomedIn.fraction=0.5';
    const long = drawChart('d', { ...DOTS, rows: [{ ...DOTS.rows[0]!, label }] }).text;
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
