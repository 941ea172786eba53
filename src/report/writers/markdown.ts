/** Text and tables as Markdown (GitHub's). Columns that are empty throughout are left out; CSV files have them. */
import { inOneLine } from '../../common/printable.js';
import type { Column, Row, Table } from '../table.js';
import { filledColumns, formatCell, heading, isNumeric } from './cells.js';

export function toMarkdown({ title, caption, columns, rows }: Table): string {
  const shown = filledColumns(columns, rows);
  return [
    `## ${markdownText(title)}`,
    '',
    markdownText(caption),
    '',
    ...(shown.length === 0 ? [] : grid(shown, rows)),
  ].join('\n');
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
  return `| ${cells.map(inline).join(' | ')} |`;
}

/** Text that reads as it is, in one line; at the beginning of a line it begins no heading, list, quotation or block. */
export function markdownText(text: string): string {
  return inline(text.trim())
    .replace(/^[#>+=-]/, '\\$&')
    .replace(/^(\d+)([.)])/, '$1\\$2');
}

/** Paragraphs of such text, with an empty line after each. */
export function markdownParagraphs(text: string): string[] {
  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => paragraph.trim() !== '');
  return paragraphs.flatMap((paragraph) => [markdownText(paragraph), '']);
}

/** Text as code within a line. */
export function markdownCode(text: string): string {
  const [line, fence] = [inOneLine(text), fenceAround(text, 1)];
  const space = /^`|`$/.test(line) ? ' ' : '';
  return `${fence}${space}${line}${space}${fence}`;
}

/** Backquotes, more than anywhere in a row in the text. */
export function fenceAround(text: string, fewest: number): string {
  const runs = [...text.matchAll(/`+/g)].map(([run]) => run.length + 1);
  return '`'.repeat(Math.max(fewest, ...runs));
}

/** Escapes what has a meaning anywhere in a line. Underscores have none within a word, an ampersand only before a name. */
function inline(text: string): string {
  return inOneLine(text)
    .replace(/[\\`*[\]<|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\$&')
    .replace(/&(?=#?\w)/g, '&amp;');
}
