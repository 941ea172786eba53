/** Tables as Markdown (GitHub's). Columns that are empty throughout are left out; CSV files have them. */
import type { Table } from '../table.js';
import { filledColumns, formatCell, heading, isNumeric } from './cells.js';

export function toMarkdown({ title, caption, columns, rows }: Table): string {
  const shown = filledColumns(columns, rows);
  return [
    `## ${title}`,
    '',
    caption,
    '',
    markdownRow(shown.map(heading)),
    markdownRow(shown.map((column) => (isNumeric(column, rows) ? '---:' : '---'))),
    ...rows.map((row) => markdownRow(shown.map((column) => formatCell(column, row)))),
    '',
  ].join('\n');
}

/** One line of a Markdown table. */
export function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map(escape).join(' | ')} |`;
}

const escape = (cell: string): string => cell.replaceAll('\\', '\\\\').replaceAll('|', '\\|');
