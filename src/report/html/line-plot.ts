/** Lines over a number as a specification for Vega: loss over epochs, accuracy over the mask ratio. */
import type { LineChart, ChartPoint, Series } from './chart.js';
import { withSpread } from './numbers.js';
import {
  axisOf,
  CHARACTER,
  colourOf,
  errorBars,
  paddedDomain,
  referenceLine,
  shapeOf,
  rowsWithSpread,
  symbols,
  WIDTH,
  type Plot,
} from './plot.js';
import { separate, thinned } from './spacing.js';

const HEIGHT = 168;
const PADDING = { top: 24, bottom: 40, left: 44 };
/** Between the error bars of series at one x, so that none hides another. */
const DODGE = 5;
const LABEL_GAP = 13;
/** The most points of a curve, and of all curves of a chart, that can be distinguished. */
const MOST_POINTS = { curve: 160, chart: 800 };

export function linePlot({ x, y, series, reference, marks }: LineChart): Plot {
  const names = series.flatMap(({ name }) => name ?? []);
  const right = names.length === 0 ? 10 : Math.max(...names.map(({ length }) => length)) * CHARACTER + 18;
  const points = series.flatMap((one) => one.points);
  const across = paddedDomain([...points.map((point) => point.x), ...(x.span ?? [])], marks ? 0.12 : 0);
  const heights = [...points.flatMap(ends), ...(y.span ?? []), ...(reference ? [reference.value] : [])];
  const up = paddedDomain(heights, 0.06);
  const place = {
    x: { scale: 'x', field: 'x', offset: { field: 'dodge' } },
    y: { scale: 'y', field: 'y' },
  };
  return {
    width: WIDTH - PADDING.left - right,
    height: HEIGHT,
    padding: { ...PADDING, right },
    data: [
      { name: 'points', values: series.flatMap((one, i) => (marks ? markedOf : curveOf)(one, i, series.length)) },
      rowsWithSpread('points'),
      { name: 'names', values: labelsOf(series, up) },
    ],
    scales: [
      { name: 'x', range: 'width', domain: [...across], zero: false },
      { name: 'y', range: 'height', domain: [...up], zero: false },
    ],
    axes: [
      {
        ...axisOf(y, 5),
        ...{ scale: 'y', orient: 'left', grid: true, domain: false, ticks: false, labelPadding: 6 },
        // Horizontal, above the plot.
        ...{ titleAngle: 0, titleAlign: 'left', titleBaseline: 'top', titleX: -PADDING.left, titleY: -PADDING.top },
      },
      { ...axisOf(x, 6), scale: 'x', orient: 'bottom' },
    ],
    marks: [
      ...referenceLine(reference, ({ value }) => ({
        x: { value: 0 },
        x2: { signal: 'width' },
        y: { scale: 'y', value },
      })),
      {
        type: 'group',
        from: { facet: { name: 'one', data: 'points', groupby: 'series' } },
        marks: [
          {
            type: 'line',
            name: 'line',
            aria: false,
            from: { data: 'one' },
            encode: { enter: { ...place, stroke: { field: 'colour' }, strokeWidth: { value: 1.6 } } },
          },
        ],
      },
      ...(marks
        ? [
            errorBars({ x: place.x, y: { scale: 'y', field: 'low' }, y2: { scale: 'y', field: 'high' } }),
            symbols('points', place),
          ]
        : []),
      {
        type: 'text',
        name: 'label',
        aria: false,
        from: { data: 'names' },
        encode: {
          enter: {
            x: { signal: 'width + 8' },
            y: { field: 'place' },
            text: { field: 'name' },
            fill: { field: 'colour' },
            baseline: { value: 'middle' },
          },
        },
      },
    ],
  };
}

const ends = ({ y, spread }: ChartPoint): number[] => (spread === null ? [y] : [y - spread, y + spread]);

/** Curves have many points, so the points have positions only, and no marks. */
function curveOf({ style, points }: Series, i: number, count: number): object[] {
  const most = Math.max(2, Math.min(MOST_POINTS.curve, Math.floor(MOST_POINTS.chart / count)));
  return thinned(points, most).map(({ x, y }) => ({
    series: i,
    colour: colourOf(style),
    x,
    y,
    spread: null,
    dodge: 0,
  }));
}

function markedOf({ name, style, points }: Series, i: number, count: number): object[] {
  return points.map((point) => ({
    ...{ series: i, style: shapeOf(style), colour: colourOf(style), dodge: (i - (count - 1) / 2) * DODGE },
    ...{ x: point.x, y: point.y, spread: point.spread, low: ends(point)[0], high: ends(point).at(-1) },
    text: [name, `${point.x}: ${withSpread(point.y, point.spread)}`].filter((part) => part !== null).join(', '),
  }));
}

/** Names at the ends of their lines, moved apart if they would overlap. */
function labelsOf(series: readonly Series[], [low, high]: readonly [number, number]): object[] {
  const named = series.flatMap(({ name, style, points }) => {
    const last = points.at(-1);
    if (name === null || last === undefined) return [];
    return [{ name, colour: colourOf(style), height: ((high - last.y) / (high - low)) * HEIGHT }];
  });
  const heights = named.map(({ height }) => height);
  const places = separate(heights, LABEL_GAP, [0, HEIGHT]);
  return named.map((label, i) => ({ ...label, place: places[i] }));
}
