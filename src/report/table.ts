/** A table as data. The files in `tables/` build tables, those in `writers/` write them. */
import type { NamedMetric } from '../stages/metrics.js';
import type { ReportData } from './collect.js';

export interface Column {
  /** The column's name in CSV files and in rows. */
  key: string;
  /** Its heading in pages. */
  label: string;
  description: string;
  unit?: string;
  /** It holds values of the metric, or differences of them: the metric gives its unit and its decimals. */
  measures?: 'value' | 'difference';
  /** Digits after the point in pages; CSV files have all. */
  digits?: number;
  /** A narrow terminal leaves it out: those with the highest number first, those without one last. */
  aside?: number;
  /** A count that is a warning: in pages, 0 is empty and any other count has a dagger. */
  mark?: true;
}

/** Empty cells are null. */
export type Row = Record<string, number | string | null>;

export interface Table {
  /** The key of the table in its registry; its files and anchors are named by it. */
  name: string;
  title: string;
  /** Whole sentences: what is compared, and warnings. */
  caption: string;
  columns: Column[];
  rows: Row[];
  /** Numbers about the table as a whole. */
  summary: Record<string, number | null>;
}

export interface TableOptions {
  /** What is compared. */
  metric: NamedMetric;
}

/** A table without its name: the key of its entry in `tables/index.ts`. */
export type TableContent = Omit<Table, 'name'>;

/** null: the sweep has nothing that the table is about. */
export type BuildTable<Built extends TableContent | null = TableContent | null> = (
  data: ReportData,
  options: TableOptions,
) => Built;
