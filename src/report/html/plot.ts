/** What both kinds of chart share in their specifications for Vega: sizes, colours, axes, marks and error bars. */
import type { Axis, Data, EncodeEntry, Mark, Spec } from 'vega';
import type { ChartAxis, Reference } from './chart.js';
import { digitsOf } from './numbers.js';

/** Of every chart, in its own units: pixels on a small screen, a little more on a large one. */
export const WIDTH = 360;
/** The estimated width of a character of a label. */
export const CHARACTER = 6.6;

/** A specification whose outer sizes are known beforehand, and not estimated from texts. */
export interface Plot extends Spec {
  width: number;
  height: number;
  padding: Record<'left' | 'right' | 'top' | 'bottom', number>;
}

/** Variables of the style sheet, so that one drawing is light and dark. */
export const COLOURS = ['var(--s0)', 'var(--s1)', 'var(--s2)', 'var(--s3)'] as const;
/** So that series can be distinguished without colour. */
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond'] as const;
/** In square units of Vega's, so that they look equally large. */
const SIZES = [50, 46, 84, 84] as const;

/** The colour of a series; those of a chart with more series than colours differ by shape. */
export const colourOf = (style: number): string => COLOURS[style % COLOURS.length]!;

/** The index of the shape of a series. */
export const shapeOf = (style: number): number => (style + Math.floor(style / COLOURS.length)) % SHAPES.length;

/** The values' extent, widened by a fraction of itself on both sides; a single value is widened by one. */
export function paddedDomain(values: readonly number[], padding: number): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  // Not Math.min(...values): there may be more of them than a call takes arguments.
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const margin = low === high ? 1 : (high - low) * padding;
  return [low - margin, high + margin];
}

/** An axis with given ticks, or with about `count` at round numbers. */
export function axisOf({ title, ticks, whole }: ChartAxis, count: number): Partial<Axis> {
  const placed = ticks === undefined ? { tickCount: count } : { values: [...ticks], format: `.${digitsOf(ticks)}f` };
  return { title, aria: false, labelOverlap: true, ...placed, ...(whole ? { tickMinStep: 1, format: 'd' } : {}) };
}

/** A dashed line whose tooltip is its label. */
export function referenceLine(reference: Reference | null, place: (reference: Reference) => EncodeEntry): Mark[] {
  if (reference === null) return [];
  const look = { stroke: { value: 'var(--muted)' }, strokeWidth: { value: 1.2 }, strokeDash: { value: [4, 3] } };
  const enter = { ...place(reference), ...look, description: { value: reference.label } };
  return [{ type: 'rule', name: 'reference', encode: { enter } }];
}

/** The rows of `source` that have a spread, for {@link errorBars}. */
export function rowsWithSpread(source: string): Data {
  return { name: 'bars', source, transform: [{ type: 'filter', expr: 'datum.spread !== null' }] };
}

/** Error bars, each in the colour of its mark. */
export function errorBars(place: EncodeEntry): Mark {
  const enter = { ...place, stroke: { field: 'colour' }, strokeWidth: { value: 1.6 } };
  return { type: 'rule', name: 'bar', aria: false, from: { data: 'bars' }, encode: { enter } };
}

/** A mark for each row, whose tooltip is the row's text. */
export function symbols(data: string, place: EncodeEntry): Mark {
  const look = {
    shape: { signal: `${JSON.stringify(SHAPES)}[datum.style]` },
    size: { signal: `${JSON.stringify(SIZES)}[datum.style]` },
    fill: { field: 'colour' },
    stroke: { value: 'var(--background)' },
    strokeWidth: { value: 1 },
  };
  const enter = { ...place, ...look, description: { field: 'text' } };
  return { type: 'symbol', name: 'mark', from: { data }, encode: { enter } };
}
