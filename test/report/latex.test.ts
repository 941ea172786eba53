/**
 * The LaTeX tables, compiled. Skipped without pdflatex, unless VITMIM_REQUIRE_LATEX=1; Debian has it in
 * texlive-latex-base, and booktabs in texlive-latex-recommended.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collect } from '../../src/report/collect.js';
import { writeReport } from '../../src/report/report.js';
import type { Table } from '../../src/report/table.js';
import { toLatex } from '../../src/report/writers/latex.js';
import { temporaryFolder } from '../runner/support.js';
import { accuracies, resultsMaker } from './support.js';

const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
const hasLatex = has('pdflatex', '--version') && has('kpsewhich', 'booktabs.sty');
if (!hasLatex && process.env.VITMIM_REQUIRE_LATEX === '1') {
  throw new Error(
    'VITMIM_REQUIRE_LATEX=1, but there is no pdflatex with booktabs: apt-get install texlive-latex-recommended',
  );
}

const results = resultsMaker();

/** Compiles a document with these parts, and returns how that ended and what its log complains of. */
function compile(...parts: readonly string[]): { status: number | null; complaints: string[] } {
  const folder = temporaryFolder();
  const document = ['\\documentclass{article}', '\\usepackage{booktabs}', '\\begin{document}', ...parts];
  writeFileSync(join(folder, 'document.tex'), [...document, '\\end{document}', ''].join('\n'));
  const { status, stdout } = spawnSync('pdflatex', ['-interaction=nonstopmode', '-halt-on-error', 'document.tex'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, max_print_line: '1000' },
  });
  // A character that its fonts lack is left out, with only a line in the log.
  const complaints = stdout.split('\n').filter((line) => /^!|Missing character|multiply defined/.test(line));
  return { status, complaints };
}

const done = { status: 0, complaints: [] };

(hasLatex ? describe : describe.skip)('compiled by pdflatex', () => {
  test('every table of a report is a table', () => {
    const folder = results(
      'grid: {objective: [scratch, identity, blurred, zoomed-in, masked, masked+zoomed-in], seed: [0, 1]}',
      accuracies({
        ...{ scratch: [40, 42], identity: [44, 45], blurred: [41, 43], 'zoomed-in': [46, 48] },
        ...{ masked: [47, 46], 'masked+zoomed-in': [null, 47] },
      }),
    );
    writeReport(collect([folder]), folder, { formats: ['latex'] });
    const tables = join(folder, 'tables');
    const files = readdirSync(tables).filter((name) => name.endsWith('.tex'));
    expect(files.length).toBeGreaterThan(6);
    expect(compile(...files.map((name) => `\\input{${join(tables, name)}}`))).toEqual(done);
  });

  test('with any characters in it', () => {
    const hostile = '\\end{table} {a}_b^c $x$ #1 & 50 % ~ "q" <x><|> −1 × τ ⁿ a-b';
    const table: Table = {
      ...{ name: 'objectives' as const, title: hostile, caption: hostile, summary: {} },
      columns: [{ key: 'a', label: hostile, description: '', unit: hostile }],
      rows: [{ a: hostile }, { a: null }],
    };
    expect(compile(toLatex(table))).toEqual(done);
    expect(compile(toLatex({ ...table, rows: [] }))).toEqual(done);
    // A compilation can fail.
    expect(compile(hostile).status).not.toBe(0);
  });
});
