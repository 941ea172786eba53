/** Tables as Markdown (GitHub's). Columns that are empty throughout are left out; CSV files have them. */
import type { Column, Row, Table } from '../table.js';
import { filledColumns, formatCell, heading, isNumeric } from './cells.js';

export function toMarkdown({ title, caption, columns, rows }: Table): string {
  const shown = filledColumns(columns, rows);
  return [`## ${title}`, '', caption, '', ...(shown.length === 0 ? [] : grid(shown, rows))].join('\n');
}

function grid(shown: readonly Column[], rows: readonly Row[]): string[] {
  return [
    markdownRow(shown.map(heading)),
    markdownRow(shown.map((column) => (isNumeric(column, rows) ? '---:' : '---'))),
    ...rows.map((row) => markdownRow(shown.map((column) => formatCell(column, row)))),
    '',
  ];
}

/** One line of a Markdown table. */
export function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map(escape).join(' | ')} |`;
}

const escape = (cell: string): string => cell.replaceAll('\\', '\\\\').replaceAll('|', '\\|');
