/** Draws charts with Vega as SVG in the page: coloured by its style sheet, named and described, with tooltips, no script. */
import { parse, SVGStringRenderer, View, type Config } from 'vega';
import { printable } from '../../common/printable.js';
import type { Chart } from './chart.js';
import { dotPlot } from './dot-plot.js';
import { linePlot } from './line-plot.js';
import { markup, trusted, type Markup } from './markup.js';

declare module 'vega' {
  /** What `View.toSVG()` makes a promise of; the types of Vega leave it out. */
  // oxlint-disable-next-line no-unused-vars -- it is added to Vega's own types
  class SVGStringRenderer {
    initialize(element: null, width: number, height: number, origin: readonly [number, number]): this;
    render(scene: unknown): this;
    svg(): string;
  }
  interface View {
    scenegraph(): { root: unknown };
  }
}

const MUTED = 'var(--muted)';
const CONFIG: Config = {
  autosize: 'none',
  axis: {
    ...{ labelColor: MUTED, titleColor: MUTED, tickColor: MUTED, domainColor: MUTED, gridColor: 'var(--rule)' },
    ...{ labelFontSize: 11, titleFontSize: 11, titleFontWeight: 'normal', tickSize: 4 },
  },
  text: { fontSize: 11 },
};

/**
 * The SVG of a chart.
 *
 * @param id Unique in the page.
 */
export function drawChart(id: string, chart: Chart): Markup {
  const plot = chart.kind === 'lines' ? linePlot(chart) : dotPlot(chart);
  const { width, height, padding } = plot;
  const [right, bottom] = [padding.left + width + padding.right, padding.top + height + padding.bottom];
  const view = new View(parse(plot, CONFIG), { renderer: 'none' }).run();
  const drawn = new SVGStringRenderer()
    .initialize(null, right, bottom, [padding.left, padding.top])
    .render(view.scenegraph().root)
    .svg();
  view.finalize();
  return markup`<svg viewBox="0 0 ${right} ${bottom}" role="img" aria-labelledby="${id}-title ${id}-description">
<title id="${id}-title">${chart.title}</title><desc id="${id}-description">${chart.description}</desc>
${trusted(tidied(drawn))}</svg>
`;
}

/**
 * Without Vega's own frame and empty grounds, with names of marks as titles, which show to the mouse as well, and with
 * paths to a tenth of a unit, finer than what is seen.
 */
function tidied(svg: string): string {
  return printable(svg)
    .replace(/^<svg[^>]*>|<\/svg>$|<path class="(?:back|fore)ground"[^>]*\/>/g, '')
    .replace(/<(path|line) aria-label="([^"]*)"([^>]*)\/>/g, '<$1$3><title>$2</title></$1>')
    .replace(/ d="[^"]*"/g, (path) =>
      path.replace(/\d+\.\d{2,}/g, (value) => String(Math.round(Number(value) * 10) / 10)),
    );
}
