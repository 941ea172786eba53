/**
 * The script of the page: makes the headers of tables buttons that sort. The page is read without it all the same.
 * Numbers are compared as numbers (`data-value` has all their digits), texts by the reader's language, and empty cells come last
 * in either direction. Numbers begin with the largest.
 */
export const SCRIPT = `
'use strict';
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  const valueOf = (row, i) => {
    const { value } = row.cells[i].dataset;
    return value === undefined ? row.cells[i].textContent : Number(value);
  };
  const compare = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b)));
  headers.forEach((header, i) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener('click', () => {
      const first = header.classList.contains('number') ? 'descending' : 'ascending';
      const second = first === 'ascending' ? 'descending' : 'ascending';
      const order = header.getAttribute('aria-sort') === first ? second : first;
      for (const other of headers) other.removeAttribute('aria-sort');
      header.setAttribute('aria-sort', order);
      const sign = order === 'ascending' ? 1 : -1;
      const rows = [...body.rows].map((row) => ({ row, value: valueOf(row, i) }));
      rows.sort((a, b) => (a.value === '' ? 1 : 0) - (b.value === '' ? 1 : 0) || sign * compare(a.value, b.value));
      body.append(...rows.map(({ row }) => row));
    });
  });
}
`;
