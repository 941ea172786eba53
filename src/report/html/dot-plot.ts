/** A row for each of several names as a specification for Vega: the mean with its error bar, single values as rings. */
import type { DotChart, DotRow } from './chart.js';
import { withSpread } from './numbers.js';
import {
  axisOf,
  CHARACTER,
  COLOURS,
  errorBars,
  paddedDomain,
  referenceLine,
  rowsWithSpread,
  symbols,
  WIDTH,
  type Plot,
} from './plot.js';

const ROW = 22;
const PADDING = { top: 4, bottom: 40, right: 12 };
/** The longest label that leaves room for the plot. */
const LONGEST = 24;

export function dotPlot({ x, rows, reference }: DotChart): Plot {
  const labels = rows.map(({ label }) => shortened(label));
  const left = Math.max(0, ...labels.map(({ length }) => length)) * CHARACTER + 12;
  const middle = (i: number): number => (i + 0.5) * ROW;
  const values = rows.flatMap((row) => [...ends(row), ...row.values]);
  const domain = paddedDomain([...values, ...(x.span ?? []), ...(reference ? [reference.value] : [])], 0.08);
  const place = { x: { scale: 'x', field: 'x' }, y: { field: 'y' } };
  return {
    width: WIDTH - left - PADDING.right,
    height: rows.length * ROW,
    padding: { ...PADDING, left },
    data: [
      { name: 'rows', values: labels.map((label, i) => ({ label, y: middle(i) })) },
      { name: 'means', values: rows.flatMap((row, i) => meanOf(row, middle(i))) },
      rowsWithSpread('means'),
      { name: 'values', values: rows.flatMap((row, i) => ringsOf(row, middle(i))) },
    ],
    scales: [{ name: 'x', range: 'width', domain: [...domain], zero: false }],
    axes: [{ ...axisOf(x, 6), scale: 'x', orient: 'bottom' }],
    marks: [
      ...referenceLine(reference, ({ value }) => ({
        x: { scale: 'x', value },
        y: { value: 0 },
        y2: { signal: 'height' },
      })),
      {
        type: 'rule',
        name: 'row',
        aria: false,
        from: { data: 'rows' },
        encode: { enter: { x2: { signal: 'width' }, y: { field: 'y' }, stroke: { value: 'var(--rule)' } } },
      },
      {
        type: 'text',
        name: 'label',
        aria: false,
        from: { data: 'rows' },
        encode: {
          enter: {
            ...{ x: { value: -8 }, y: { field: 'y' }, text: { field: 'label' }, fill: { value: 'var(--ink)' } },
            ...{ align: { value: 'right' }, baseline: { value: 'middle' } },
          },
        },
      },
      errorBars({ x: { scale: 'x', field: 'low' }, x2: { scale: 'x', field: 'high' }, y: place.y }),
      {
        type: 'symbol',
        name: 'ring',
        aria: false,
        from: { data: 'values' },
        encode: { enter: { ...place, size: { value: 21 }, stroke: { value: 'var(--muted)' } } },
      },
      symbols('means', place),
    ],
  };
}

function ends({ mean, spread }: DotRow): number[] {
  if (mean === null) return [];
  return spread === null ? [mean] : [mean - spread, mean + spread];
}

function shortened(label: string): string {
  return label.length <= LONGEST ? label : `${label.slice(0, LONGEST - 1)}…`;
}

function meanOf(row: DotRow, y: number): object[] {
  const { label, mean, spread } = row;
  if (mean === null) return [];
  const bar = { low: ends(row)[0], high: ends(row).at(-1) };
  return [{ ...bar, x: mean, y, spread, style: 0, colour: COLOURS[0], text: `${label}: ${withSpread(mean, spread)}` }];
}

/** A single value is the mean, and its ring would only thicken the mark. */
function ringsOf({ values }: DotRow, y: number): object[] {
  return values.length > 1 ? values.map((x) => ({ x, y })) : [];
}
