/** Tables for a terminal: aligned columns, no frame. Columns that are empty throughout are left out. */
import type { Table } from '../table.js';
import { filledColumns, formatCell, heading, isNumeric } from './cells.js';

export function toText({ title, caption, columns, rows }: Table): string {
  const shown = filledColumns(columns, rows);
  if (shown.length === 0) return [title, caption, ''].join('\n');
  const cells = rows.map((row) => shown.map((column) => formatCell(column, row)));
  const widths = shown.map((column, i) => Math.max(heading(column).length, ...cells.map((row) => row[i]!.length)));
  const numeric = shown.map((column) => isNumeric(column, rows));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (numeric[i]! ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [title, caption, '', line(shown.map(heading)), ...cells.map(line), ''].join('\n');
}
