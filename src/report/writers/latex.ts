/** Tables as LaTeX for papers: booktabs' rules, a caption and a label. Rounded as Markdown is. */
import { inOneLine } from '../../common/printable.js';
import type { Column, Row, Table } from '../table.js';
import { filledColumns, formatCell, heading, isNumeric } from './cells.js';

/** A `table` environment to be \input; the document needs the packages booktabs and, for wide tables, graphicx. */
export function toLatex({ name, caption, columns, rows }: Table): string {
  const shown = filledColumns(columns, rows);
  const alignment = shown.map((column) => (isNumeric(column, rows) ? 'r' : 'l')).join('');
  return [
    '% Needs \\usepackage{booktabs}. Written by vitmim report.',
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${escape(caption)}}`,
    `  \\label{tab:${name}}`,
    ...(shown.length === 0 ? [] : tabular(shown, rows, alignment)),
    '\\end{table}',
    '',
  ].join('\n');
}

function tabular(columns: readonly Column[], rows: readonly Row[], alignment: string): string[] {
  const line = (cells: readonly string[]): string => `    ${cells.join(' & ')} \\\\`;
  return [
    `  \\begin{tabular}{${alignment}}`,
    '    \\toprule',
    line(columns.map((column) => escape(heading(column)))),
    '    \\midrule',
    ...rows.map((row) => line(columns.map((column) => cell(column, row)))),
    '    \\bottomrule',
    '  \\end{tabular}',
  ];
}

function cell(column: Column, row: Row): string {
  const text = escape(formatCell(column, row));
  return typeof row[column.key] === 'number' ? text.replace(/^-/, '$-$') : text;
}

const SPECIAL: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '×': '$\\times$',
  '−': '$-$',
  // TeX's oldest text fonts, a document's default, have other characters in these places.
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  τ: '$\\tau$',
  ⁿ: '$^n$',
  '†': '\\dag{}',
  '√': '$\\surd$',
};

function escape(text: string): string {
  return inOneLine(text).replace(/[\\{}~^&%$#_×−<>|τⁿ†√]/g, (character) => SPECIAL[character] ?? `\\${character}`);
}
