/** Draws lines over a number: loss over epochs, accuracy over the mask ratio. */
import type { LineChart, Point, Series } from './chart.js';
import { markup, type Markup } from './markup.js';
import { linearScale, paddedDomain, separate, thinned, withSpread } from './scale.js';
import { at, bottomAxis, CHARACTER, errorBar, frame, leftAxis, mark, ticksOf, WIDTH } from './svg.js';

const HEIGHT = 232;
const TOP = 24;
const BOTTOM = HEIGHT - 40;
const LEFT = 44;
/** Between the error bars of series at one x, so that none hides another. */
const DODGE = 5;
const LABEL_GAP = 13;
/** More points of a curve than this are not seen. */
const MOST_POINTS = 160;

/** @param id Unique in the page. */
export function drawLineChart(id: string, chart: LineChart): Markup {
  const { title, description, x, y, series, reference, marks } = chart;
  const names = series.flatMap(({ name }) => name ?? []);
  const right = WIDTH - (names.length === 0 ? 10 : Math.max(...names.map(({ length }) => length)) * CHARACTER + 18);
  const points = series.flatMap((one) => one.points);
  const xs = paddedDomain([...points.map((point) => point.x), ...(x.span ?? [])], marks ? 0.12 : 0);
  const ys = paddedDomain([...points.flatMap(ends), ...(y.span ?? []), ...(reference ? [reference.value] : [])], 0.06);
  const [across, up] = [linearScale(xs, [LEFT, right]), linearScale(ys, [BOTTOM, TOP])];
  const dodge = (i: number): number => (marks ? (i - (series.length - 1) / 2) * DODGE : 0);
  const place = ({ x: value, y: height }: Point, i: number): [number, number] => [across(value) + dodge(i), up(height)];

  return frame(id, HEIGHT, title, description, [
    leftAxis(y, ticksOf(y, ys, 5), up, [LEFT, right]),
    bottomAxis(x, ticksOf(x, xs, 6), across, [LEFT, right], BOTTOM),
    reference &&
      markup`<path class="reference" d="M${LEFT} ${at(up(reference.value))}H${at(right)}"><title>${reference.label}</title></path>
`,
    series.map((one, i) => drawSeries(one, marks, (point) => place(point, i), up)),
    endLabels(series, right, (point) => up(point.y)),
  ]);
}

const ends = ({ y, spread }: Point): number[] => (spread === null ? [y] : [y - spread, y + spread]);

function drawSeries(
  { name, style, points }: Series,
  marks: boolean,
  place: (point: Point) => [number, number],
  up: (value: number) => number,
): Markup {
  const path = thinned(points, marks ? points.length : MOST_POINTS).map((point) => place(point).map(at).join(' '));
  return markup`<g class="series">${path.length > 1 && markup`<path class="line s${style}" d="M${path.join('L')}"/>`}${
    marks &&
    points.map((point) => {
      const [left, top] = place(point);
      const bars = ends(point).map(up);
      return [
        bars.length === 2 && errorBar(style, [left, bars[0]!], [left, bars[1]!]),
        mark(style, left, top, [name, describePoint(point)].filter((part) => part !== null).join(', ')),
      ];
    })
  }</g>
`;
}

function describePoint({ x, y, spread }: Point): string {
  return `${x}: ${withSpread(y, spread)}`;
}

/** Names at the ends of their lines, moved apart where they would overlap. */
function endLabels(series: readonly Series[], right: number, up: (point: Point) => number): Markup[] {
  const named = series.flatMap(({ name, style, points }) => {
    const last = points.at(-1);
    return name === null || last === undefined ? [] : [{ name, style, place: up(last) }];
  });
  const places = separate(
    named.map(({ place }) => place),
    LABEL_GAP,
    [TOP, BOTTOM],
  );
  return named.map(
    ({ name, style }, i) =>
      markup`<text class="label s${style}" x="${at(right + 8)}" y="${at(places[i]! + 4)}">${name}</text>`,
  );
}
