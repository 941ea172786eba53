/** A chart as data. The files in `figures/` make charts from results; `line-plot.ts` and `dot-plot.ts` draw them. */

export interface ChartAxis {
  title: string;
  /** Whether it counts, so that there is nothing to mark between whole numbers. */
  whole?: true;
  /** The values of the ticks; round numbers by default. */
  ticks?: readonly number[];
  /** What the axis must span at least, so that charts can share one. */
  span?: readonly number[];
}

/** A level to compare with, drawn dashed; the caption names it. */
export interface Reference {
  value: number;
  label: string;
}

export interface ChartPoint {
  x: number;
  y: number;
  /** Half the length of the error bar; null: none. */
  spread: number | null;
}

export interface Series {
  /** Written at the end of the line; null: not written, as for the seeds of one objective. */
  name: string | null;
  /** Chooses the colour and the shape of its marks: a whole number from 0; the first sixteen differ. */
  style: number;
  points: readonly ChartPoint[];
}

interface Common {
  title: string;
  /** The chart in words, for screen readers. */
  description: string;
  x: ChartAxis;
  reference: Reference | null;
}

export interface LineChart extends Common {
  kind: 'lines';
  y: ChartAxis;
  series: readonly Series[];
  /** Whether points have marks; curves of many points have none. */
  marks: boolean;
}

/** A row: a mean with its error bar, and the single values around it. */
export interface DotRow {
  label: string;
  /** null: an empty row, so that charts side by side have their rows in one line. */
  mean: number | null;
  /** Half the length of the error bar; null: none. */
  spread: number | null;
  values: readonly number[];
}

export interface DotChart extends Common {
  kind: 'dots';
  rows: readonly DotRow[];
}

export type Chart = LineChart | DotChart;

/** Charts that are read together. */
export interface Figure {
  /** Its anchor in the page. */
  id: string;
  title: string;
  /** Whole sentences: what is shown, the meaning of bars and dashes, and warnings. */
  caption: string;
  charts: readonly Chart[];
}
