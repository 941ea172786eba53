/** What both kinds of chart are made of: the frame with its texts for screen readers, axes, and marks with error bars. */
import type { Axis } from './chart.js';
import { markup, trusted, type Content, type Markup } from './markup.js';
import { digitsOf, formatNumber, roundTicks, type Interval, type Ticks } from './scale.js';

/** Of every chart, in its own units: pixels on a small screen, a little more on a large one. */
export const WIDTH = 360;
/** The estimated width of a character of a label. */
export const CHARACTER = 6.6;

/** Coordinates to a tenth of a unit: finer is not seen. */
export const at = (value: number): string => String(Math.round(value * 10) / 10);

/** An SVG image named by its title and described by its description. */
export function frame(id: string, height: number, title: string, description: string, content: Content): Markup {
  return markup`<svg viewBox="0 0 ${WIDTH} ${at(height)}" role="img" aria-labelledby="${id}-title ${id}-description">
<title id="${id}-title">${title}</title><desc id="${id}-description">${description}</desc>
${content}</svg>`;
}

export function ticksOf({ ticks }: Axis, domain: Interval, most: number): Ticks {
  return ticks === undefined ? roundTicks(domain, most) : { values: [...ticks], digits: digitsOf(ticks) };
}

/** Ticks below the plot, with the axis' title below them. */
export function bottomAxis(
  { title }: Axis,
  { values, digits }: Ticks,
  scale: (value: number) => number,
  [left, right]: Interval,
  bottom: number,
): Markup {
  return markup`<g class="axis"><path d="M${at(left)} ${at(bottom)}H${at(right)}"/>${values.map(
    (value) =>
      markup`<path d="M${at(scale(value))} ${at(bottom)}v4"/><text x="${at(scale(value))}" y="${at(bottom + 16)}" text-anchor="middle">${formatNumber(value, digits)}</text>`,
  )}<text class="name" x="${at((left + right) / 2)}" y="${at(bottom + 32)}" text-anchor="middle">${title}</text></g>
`;
}

/** Lines across the plot with their values to its left; the axis' title stands above, where it is read without turning the head. */
export function leftAxis(
  { title }: Axis,
  { values, digits }: Ticks,
  scale: (value: number) => number,
  [left, right]: Interval,
): Markup {
  return markup`<g class="axis"><text class="name" x="0" y="11">${title}</text>${values.map(
    (value) =>
      markup`<path class="grid" d="M${at(left)} ${at(scale(value))}H${at(right)}"/><text x="${at(left - 6)}" y="${at(scale(value) + 4)}" text-anchor="end">${formatNumber(value, digits)}</text>`,
  )}</g>
`;
}

const RADIUS = 3.6;

/** Circle, square, triangle, diamond: told apart without colour. */
const SHAPES = [
  `M${-RADIUS} 0a${RADIUS} ${RADIUS} 0 1 0 ${2 * RADIUS} 0a${RADIUS} ${RADIUS} 0 1 0 ${-2 * RADIUS} 0z`,
  'M-3.3-3.3h6.6v6.6h-6.6z',
  'M0-4.4L4.2 3.2H-4.2z',
  'M0-4.8L4.4 0 0 4.8-4.4 0z',
] as const;

/** A mark whose tooltip is its text. */
export function mark(style: 0 | 1 | 2 | 3, x: number, y: number, text: string): Markup {
  return markup`<path class="mark s${style}" transform="translate(${at(x)} ${at(y)})" d="${trusted(SHAPES[style])}"><title>${text}</title></path>`;
}

/** An error bar between two points of one line. */
export function errorBar(style: 0 | 1 | 2 | 3, [x1, y1]: Interval, [x2, y2]: Interval): Markup {
  return markup`<path class="bar s${style}" d="M${at(x1)} ${at(y1)}L${at(x2)} ${at(y2)}"/>`;
}
