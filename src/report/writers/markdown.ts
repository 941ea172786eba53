/** Tables as Markdown (GitHub's). Columns that are empty throughout are left out; CSV files have them. */
import type { Table } from '../table.js';
import { filledColumns, formatCell, heading, isNumeric } from './cells.js';

export function toMarkdown({ title, caption, columns, rows }: Table): string {
  const shown = filledColumns(columns, rows);
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`;
  return [
    `## ${title}`,
    '',
    caption,
    '',
    line(shown.map(heading)),
    line(shown.map((column) => (isNumeric(column, rows) ? '---:' : '---'))),
    ...rows.map((row) => line(shown.map((column) => formatCell(column, row)))),
    '',
  ].join('\n');
}

const escape = (cell: string): string => cell.replaceAll('\\', '\\\\').replaceAll('|', '\\|');
