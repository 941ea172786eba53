/** What a table is: data alone. How it is made is in `tables/`, how it is written in `writers/`. */
import type { MetricName } from '../stages/metrics.js';
import type { ReportData } from './collect.js';

export const TABLE_NAMES = [
  'objectives',
  'integration',
  'mask-ratio',
  'misalignment',
  'style-preservation',
  'effects',
  'efficiency',
  'runs',
] as const;
export type TableName = (typeof TABLE_NAMES)[number];

export interface Column {
  /** The column's name in CSV files and in rows. */
  key: string;
  /** What it is called where people read it. */
  label: string;
  description: string;
  unit?: string;
  /** It holds values of the metric, or differences of them: the metric gives its unit and its decimals. */
  measures?: 'value' | 'difference';
  /** Digits after the point where people read it; CSV files have them all. */
  digits?: number;
  /** A count to beware of: where people read it, 0 is empty and any other count has a dagger. */
  mark?: true;
}

/** Empty cells are null. */
export type Row = Record<string, number | string | null>;

export interface Table {
  name: TableName;
  title: string;
  /** Whole sentences: what is compared, and what to beware of. */
  caption: string;
  columns: Column[];
  rows: Row[];
  /** Numbers about the table as a whole. */
  summary: Record<string, number | null>;
}

export interface TableOptions {
  /** What is compared. */
  metric: MetricName;
}

export type BuildTable = (data: ReportData, options: TableOptions) => Table;
