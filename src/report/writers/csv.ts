/** Tables as CSV files (RFC 4180): keys as header, numbers in full, nothing for an empty cell. */
import { stringify } from 'csv-stringify/sync';
import type { Table } from '../table.js';

export function toCsv({ columns, rows }: Table): string {
  const keys = columns.map(({ key }) => key);
  return stringify(
    rows.map((row) => keys.map((key) => row[key] ?? null)),
    { header: true, columns: keys, record_delimiter: 'windows' },
  );
}
