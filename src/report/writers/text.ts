/**
 * Tables for a terminal: aligned columns, no frame. Columns that are empty throughout are left out, and so are rows
 * that have no measured value. If lines are limited, headings take several lines and columns are left out, the least
 * needed first. A line names the columns that were left out.
 */
import { shorten, widthOf, wrap } from '../../common/wrap.js';
import type { Column, Row, Table } from '../table.js';
import { filledColumns, formatCell, heading, isNumeric, rowsWithResults } from './cells.js';

/** @param width Columns of the terminal; Infinity: lines may be of any length. */
export function toText({ name, title, caption, columns, rows }: Table, width = Infinity): string {
  const measured = rowsWithResults({ columns, rows });
  const filled = filledColumns(columns, measured);
  const grid = fit(
    filled.map((column) => gridColumn(column, measured)),
    width,
  );
  const notes = [
    leftOutColumns(name, filled, grid, width),
    measured.length < rows.length ? `Without a result: ${rows.length - measured.length} of ${rows.length} rows.` : '',
  ].filter((note) => note !== '');
  const lines = grid.length === 0 ? [] : ['', ...render(grid)];
  return [title, wrap(caption, width), ...lines, ...notes.map((note) => wrap(note, width)), ''].join('\n');
}

/** A column as it is drawn. */
interface GridColumn {
  column: Column;
  numeric: boolean;
  /** Lines of the heading. */
  heading: string[];
  cells: string[];
}

const GAP = 2;

function gridColumn(column: Column, rows: readonly Row[]): GridColumn {
  const cells = rows.map((row) => formatCell(column, row));
  return { column, numeric: isNumeric(column, rows), heading: [heading(column)], cells };
}

const widthOfColumn = ({ heading: lines, cells }: GridColumn): number => Math.max(...[...lines, ...cells].map(widthOf));

const widthOfGrid = (grid: readonly GridColumn[]): number =>
  grid.reduce((sum, column) => sum + widthOfColumn(column) + GAP, -GAP);

/** Makes columns narrower, then leaves some out, until they fit. The first column always stays. */
function fit(grid: readonly GridColumn[], width: number): readonly GridColumn[] {
  if (widthOfGrid(grid) <= width) return grid;
  let narrowed = grid.map(narrowHeading);
  while (narrowed.length > 1 && widthOfGrid(narrowed) > width) {
    const last = leastNeeded(narrowed);
    narrowed = narrowed.filter((_, i) => i !== last);
  }
  return narrowed.map((column) => ({ ...column, cells: column.cells.map((cell) => shorten(cell, width)) }));
}

/** If the cells of a column are narrower than its heading, the heading is broken between its words. */
function narrowHeading(column: GridColumn): GridColumn {
  const widest = Math.max(0, ...column.cells.map(widthOf));
  return { ...column, heading: wrap(heading(column.column), widest).split('\n') };
}

/** Of equals, the rightmost. */
function leastNeeded(grid: readonly GridColumn[]): number {
  const rank = (i: number): number => grid[i]!.column.aside ?? 0;
  return grid.reduce((least, _, i) => (i > 0 && (least === 0 || rank(i) >= rank(least)) ? i : least), 0);
}

function leftOutColumns(name: string, all: readonly Column[], grid: readonly GridColumn[], width: number): string {
  const shown = new Set(grid.map(({ column }) => column.key));
  const names = all.filter(({ key }) => !shown.has(key)).map(({ label }) => label);
  if (names.length === 0) return '';
  return `Left out to fit ${width} columns: ${names.join(', ')}; all are in ${name}.csv.`;
}

function render(grid: readonly GridColumn[]): string[] {
  const widths = grid.map(widthOfColumn);
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => {
        const padding = ' '.repeat(widths[i]! - widthOf(text));
        return grid[i]!.numeric ? padding + text : text + padding;
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  const height = Math.max(...grid.map(({ heading: lines }) => lines.length));
  const headings = Array.from({ length: height }, (_, i) =>
    line(grid.map(({ heading: lines }) => lines[i - (height - lines.length)] ?? '')),
  );
  return [...headings, ...grid[0]!.cells.map((_, row) => line(grid.map(({ cells }) => cells[row]!)))];
}
