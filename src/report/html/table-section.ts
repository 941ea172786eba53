/** A table of the report in HTML. Columns that are empty throughout are left out; CSV files have them. */
import type { Table } from '../table.js';
import { filledColumns, formatCell, heading, isNumeric } from '../writers/cells.js';
import { markup, type Content, type Markup } from './markup.js';

export interface Header {
  label: string;
  numeric: boolean;
}

/** A table whose first column names its rows. If it is too wide, it scrolls by itself, also by keyboard. */
export function sortableTable(
  id: string,
  caption: Content,
  headers: readonly Header[],
  rows: readonly (readonly { text: Content; value?: number }[])[],
): Markup {
  const kind = (i: number): Content => headers[i]!.numeric && markup` class="number"`;
  return markup`<div class="scroll" role="region" tabindex="0" aria-labelledby="${id}-caption"><table class="sortable">
<caption id="${id}-caption"><span>${caption}</span></caption>
<thead><tr>${headers.map(({ label }, i) => markup`<th scope="col"${kind(i)}>${label}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (cells) =>
    markup`<tr>${cells.map(({ text, value }, i) => {
      const attributes = markup`${kind(i)}${value !== undefined && markup` data-value="${value}"`}`;
      return i === 0 ? markup`<th scope="row"${attributes}>${text}</th>` : markup`<td${attributes}>${text}</td>`;
    })}</tr>
`,
)}</tbody></table></div>`;
}

/** A section with the table, the meaning of its columns, and a link to the file with all digits. */
export function tableSection({ name, title, caption, columns, rows }: Table): Markup {
  const shown = filledColumns(columns, rows);
  const headers = shown.map((column) => ({ label: heading(column), numeric: isNumeric(column, rows) }));
  const cells = rows.map((row) =>
    shown.map((column) => {
      const value = row[column.key];
      const text = formatCell(column, row);
      return typeof value === 'number' ? { text, value } : { text };
    }),
  );
  return markup`<section id="table-${name}"><h2>${title}</h2>
${sortableTable(`table-${name}`, caption, headers, cells)}
<details><summary>What the columns mean</summary><dl class="terms">${shown.map(
    ({ label, description }) => markup`<dt>${label}</dt><dd>${description}</dd>`,
  )}</dl></details>
<p class="lead">With all digits: <a href="tables/${name}.csv">tables/${name}.csv</a></p></section>
`;
}
