/** Draws a row for each of several names: the mean with its error bar, and every single value as a small ring. */
import type { DotChart, DotRow } from './chart.js';
import { markup, type Content, type Markup } from './markup.js';
import { linearScale, paddedDomain, withSpread } from './scale.js';
import { at, bottomAxis, CHARACTER, errorBar, frame, mark, ticksOf, WIDTH } from './svg.js';

const ROW = 22;
const TOP = 4;
const BELOW = 40;
const RIGHT = WIDTH - 12;
/** The longest label that leaves room for the plot. */
const LONGEST = 24;

/** @param id Unique in the page. */
export function drawDotChart(id: string, { title, description, x, rows, reference }: DotChart): Markup {
  const bottom = TOP + rows.length * ROW;
  const labels = rows.map(({ label }) => shortened(label));
  const left = Math.max(0, ...labels.map(({ length }) => length)) * CHARACTER + 12;
  const values = rows.flatMap((row) => [...ends(row), ...row.values]);
  const domain = paddedDomain([...values, ...(x.span ?? []), ...(reference ? [reference.value] : [])], 0.08);
  const across = linearScale(domain, [left, RIGHT]);
  return frame(id, bottom + BELOW, title, description, [
    bottomAxis(x, ticksOf(x, domain, 6), across, [left, RIGHT], bottom),
    reference &&
      markup`<path class="reference" d="M${at(across(reference.value))} ${TOP}V${bottom}"><title>${reference.label}</title></path>
`,
    rows.map((row, i) => drawRow(row, labels[i]!, TOP + (i + 0.5) * ROW, left, across)),
  ]);
}

function ends({ mean, spread }: DotRow): number[] {
  if (mean === null) return [];
  return spread === null ? [mean] : [mean - spread, mean + spread];
}

function shortened(label: string): string {
  return label.length <= LONGEST ? label : `${label.slice(0, LONGEST - 1)}…`;
}

function drawRow(row: DotRow, label: string, y: number, left: number, across: (value: number) => number): Markup {
  return markup`<g class="row"><path class="grid" d="M${at(left)} ${at(y)}H${RIGHT}"/><text class="label" x="${at(left - 8)}" y="${at(y + 4)}" text-anchor="end">${label}</text>${drawMarks(row, y, across)}</g>
`;
}

function drawMarks(row: DotRow, y: number, across: (value: number) => number): Content {
  const { mean, spread, values } = row;
  if (mean === null) return null;
  const bars = ends(row).map(across);
  // One value alone is the mean, and its ring would only thicken the mark.
  const rings = values.length > 1 ? values : [];
  return [
    bars.length === 2 && errorBar(0, [bars[0]!, y], [bars[1]!, y]),
    ...rings.map((value) => markup`<circle class="ring" cx="${at(across(value))}" cy="${at(y)}" r="2.6"/>`),
    mark(0, across(mean), y, `${row.label}: ${withSpread(mean, spread)}`),
  ];
}
