/** Tables as CSV files (RFC 4180): keys as header, numbers in full, nothing for an empty cell. */
import { stringify } from 'csv-stringify/sync';
import { printable } from '../../common/printable.js';
import type { Row, Table } from '../table.js';

export function toCsv({ columns, rows }: Table): string {
  const keys = columns.map(({ key }) => key);
  return stringify(
    rows.map((row) => keys.map((key) => cell(row[key] ?? null))),
    { header: true, columns: keys.map((key) => String(cell(key))), record_delimiter: 'windows' },
  );
}

/** The characters with which a spreadsheet begins a formula. */
const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** Text that a spreadsheet would compute gets an apostrophe in front, which keeps it text there. Numbers stay as they are. */
function cell(value: Row[string]): Row[string] {
  if (typeof value !== 'string') return value;
  return FORMULA.test(value) && !NUMBER.test(value) ? `'${printable(value)}` : printable(value);
}
