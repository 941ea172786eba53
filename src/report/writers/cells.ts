/** Cells and headings as people read them: rounded, with units. CSV files do not use this. */
import { inOneLine } from '../../common/printable.js';
import type { Column, Row, Table } from '../table.js';

/** A cell as text; empty for null. */
export function formatCell({ key, digits, mark }: Column, row: Row): string {
  const value = row[key] ?? '';
  if (mark) return value === 0 ? '' : `${value} †`.trim();
  if (typeof value === 'string') return inOneLine(value);
  return digits === undefined ? String(value) : value.toFixed(digits);
}

/** `mean (%)`. */
export function heading({ label, unit }: Column): string {
  return unit === undefined ? label : `${label} (${unit})`;
}

/** Columns of numbers stand to the right. */
export function isNumeric({ key }: Column, rows: readonly Row[]): boolean {
  return rows.some((row) => typeof row[key] === 'number');
}

/** Rows that have a result: a measured value or a warning. In a table without measured values: any number. */
export function rowsWithResults({ columns, rows }: Pick<Table, 'columns' | 'rows'>): Row[] {
  const measures = columns.some((column) => column.measures !== undefined);
  const telling = columns.filter((column) =>
    measures ? column.measures !== undefined || column.mark === true : isNumeric(column, rows),
  );
  return telling.length === 0
    ? [...rows]
    : rows.filter((row) => telling.some((column) => formatCell(column, row) !== ''));
}

/** Columns without those that are empty in every row. */
export function filledColumns(columns: readonly Column[], rows: readonly Row[]): Column[] {
  return columns.filter((column) => rows.some((row) => formatCell(column, row) !== ''));
}
