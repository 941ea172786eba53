/** Hostile text, from a spec and from a results folder, at every door: nothing but text comes out of any of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { parse } from 'csv-parse/sync';
import { SCRIPTS } from '../../src/cli/completion.js';
import { completionModel } from '../../src/cli/completion/model.js';
import { main } from '../../src/cli/main.js';
import { inOneLine, jsonLine, printable } from '../../src/common/printable.js';
import { describeEvent } from '../../src/runner/reporters/format.js';
import { jsonReporter } from '../../src/runner/reporters/json.js';
import { plainReporter } from '../../src/runner/reporters/plain.js';
import type { RunEvent } from '../../src/runner/events.js';
import type { Plan } from '../../src/spec/stages.js';
import { appendText, writeJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { markdownCode, markdownParagraphs, markdownRow, markdownText } from '../../src/report/writers/markdown.js';
import { toCsv } from '../../src/report/writers/csv.js';
import { toLatex } from '../../src/report/writers/latex.js';
import { toText } from '../../src/report/writers/text.js';
import type { Table } from '../../src/report/table.js';
import { planOf, resultOf, temporaryFolder } from '../runner/support.js';
import { captured } from '../support/captured.js';

/** A terminal's title, colours, C1, right-to-left, separators, a backspace; then what formats give a meaning to. */
const CONTROL = 'a\u001b]0;title\u0007\u001b[31mb\u009b2Jc\u202ed\u2066e\u2028f\bg\u0000h\u007f\ri';
const MARKUP = '# heading\n\n```\n<script>alert(1)</script> | *x* [y](http://z) \\input{/etc/passwd} $(id) `id` & &lt;';
const HOSTILE = `${CONTROL}${MARKUP}`;
/** Everything that does not belong in lines of plain text. */
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

describe('text that is shown', () => {
  test('keeps every character that can be seen, lines and tabs, and spells the others', () => {
    expect(printable('größer ≤ 5 μm\n\tμ 日本 👍🏽')).toBe('größer ≤ 5 μm\n\tμ 日本 👍🏽');
    expect(printable('\u001b[2J\u009b\u202e')).toBe('\\u001b[2J\\u009b\\u202e');
    expect(inOneLine('a\r\n b\tc\n')).toBe('a b c ');
  });

  test('is the same value as JSON', () => {
    expect(jsonLine({ [HOSTILE]: HOSTILE })).not.toMatch(UNSEEN);
    expect(JSON.parse(jsonLine({ [HOSTILE]: HOSTILE }))).toEqual({ [HOSTILE]: HOSTILE });
  });
});

describe('text in Markdown', () => {
  test('begins no block, makes no link, code or markup, and stays in its cell', () => {
    expect(markdownText('# heading')).toBe('\\# heading');
    expect(markdownText('1. one')).toBe('1\\. one');
    expect(markdownText('- one')).toBe('\\- one');
    expect(markdownText('=====')).toBe('\\=====');
    expect(markdownText('```sh')).toBe('\\`\\`\\`sh');
    expect(markdownText('<b> [x](y) ~~z~~')).toBe('\\<b> \\[x\\](y) \\~\\~z\\~\\~');
    expect(markdownText('&lt; R&D')).toBe('&amp;lt; R&amp;D');
    expect(markdownText('a_b _c_ 2*3')).toBe('a_b \\_c\\_ 2\\*3');
    expect(markdownRow(['a|b', 'c\nd'])).toBe('| a\\|b | c d |');
    expect(markdownParagraphs('one\ntwo\n\n# three')).toEqual(['one two', '', '\\# three', '']);
  });

  test('is code that no backquotes in it end', () => {
    expect(markdownCode('a')).toBe('`a`');
    expect(markdownCode('a``b`')).toBe('``` a``b` ```');
  });
});

const TABLE: Table = {
  name: 'hostile',
  title: HOSTILE,
  caption: HOSTILE,
  columns: [
    { key: 'name', label: HOSTILE, description: HOSTILE },
    { key: 'value', label: 'value', description: '', digits: 2 },
  ],
  rows: [
    { name: HOSTILE, value: -1 },
    { name: '=HYPERLINK("http://x")', value: 2 },
    { name: '@x', value: null },
    { name: '-0.5', value: null },
  ],
  summary: {},
};

describe('a table', () => {
  test('is CSV that no spreadsheet computes, and numbers stay numbers', () => {
    const text = toCsv({ ...TABLE, columns: TABLE.columns });
    expect(text.replaceAll('\r\n', '\n')).not.toMatch(UNSEEN);
    const rows = parse<{ name: string; value: string }>(text, { columns: true });
    expect(rows.map(({ name }) => name).slice(1)).toEqual(['\'=HYPERLINK("http://x")', "'@x", '-0.5']);
    expect(rows.map(({ value }) => value)).toEqual(['-1', '2', '', '']);
  });

  test('is LaTeX without a command or an empty line of its text', () => {
    const text = toLatex(TABLE);
    expect(text).not.toMatch(UNSEEN);
    expect(text).not.toMatch(/\\input\{|\n\s*\n[^\n]*alert/);
    expect(text).toContain('\\textbackslash{}input\\{/etc/passwd\\}');
  });

  test('has one line for each row on a terminal', () => {
    expect(printable(toText(TABLE))).not.toMatch(UNSEEN);
    const body = toText(TABLE)
      .split('\n')
      .slice(toText(TABLE).split('\n').indexOf('') + 1);
    expect(body.filter((line) => line.includes('HYPERLINK'))).toHaveLength(1);
  });
});

test('events are lines without control characters, and the same values as JSON', () => {
  const stage = { id: '0123456789abcdef', kind: 'knn', entry: 'knn', name: HOSTILE } as const;
  const events: RunEvent[] = [
    { type: 'stage-warning', stage, message: HOSTILE },
    { type: 'stage-elsewhere', stage, host: HOSTILE },
    { type: 'stage-failed', stage, cause: 'crash', reason: HOSTILE, attempts: 1, seconds: 1, log: HOSTILE },
  ];
  const lines: string[] = [];
  const [plain, json] = [plainReporter((text) => lines.push(text)), jsonReporter((text) => lines.push(text))];
  for (const event of events) {
    expect(describeEvent(event).text).toContain('title');
    plain.onEvent(event);
    json.onEvent(event);
  }
  expect(lines).toHaveLength(2 * events.length);
  for (const line of lines) expect(line).not.toMatch(UNSEEN);
  expect(JSON.parse(lines[1]!)).toEqual(events[0]);
});

test('completion scripts have one line for each description', () => {
  const program = new Command('vitmim').description('x');
  program.addCommand(
    new Command('do').description(HOSTILE).addOption(new Option('--way <name>', HOSTILE).choices(['a', 'b'])),
  );
  for (const script of Object.values(SCRIPTS)) {
    const text = script(completionModel(program));
    expect(text).not.toMatch(UNSEEN);
    expect(text).not.toContain('heading\n');
  }
});

describe('a results folder with hostile text in all its files', () => {
  const folder = join(temporaryFolder(), 'results');
  const out = join(temporaryFolder(), 'out');

  beforeAll(() => {
    const paths = sweepPaths(folder);
    const plan = planOf('job: {evaluate: [knn]}\ngrid: {objective: [masked, blurred], seed: [0, 1]}');
    const hostile: Plan = {
      ...plan,
      description: HOSTILE,
      jobs: plan.jobs.map((job, i) => ({
        ...job,
        cells: job.cells.map((cell) => ({ ...cell, objective: HOSTILE, overrides: { [HOSTILE]: `${HOSTILE}${i}` } })),
      })),
      leftOut: [{ cell: { ...plan.jobs[0]!.cells[0]!, objective: HOSTILE }, reason: HOSTILE }],
    };
    writeJson(paths.plan, hostile);
    plan.stages.forEach(({ id, config }, i) => {
      const own = paths.stage(id);
      const state = {
        status: i % 2 === 0 ? 'failed' : 'running',
        attempt: 1,
        pid: 1,
        host: HOSTILE,
        startedAt: '2026-01-01T00:00:00Z',
      };
      writeJson(own.state, { ...state, endedAt: null, reason: HOSTILE, cause: 'crash' });
      appendText(own.log, HOSTILE);
      if (i > 3) return;
      writeJson(own.result, { ...resultOf(config.kind), corruptImages: [HOSTILE] });
      const text = HOSTILE;
      const repository = { commit: 'a'.repeat(40), dirty: true, changed: [text], untracked: [text], diff: null };
      const origin = { vitmim: { version: text, repository, lockfile: null }, spec: repository, command: [text, text] };
      const machine = { node: text, platform: text, arch: text, release: text, cpu: text };
      const device = { name: text, description: text, details: null };
      writeJson(own.provenance, { configuration: 'stage.json', attempts: [{ origin, machine, device }] });
    });
  });

  test.each([
    ['status', []],
    ['status', ['--json']],
    ['verify', []],
    ['verify', ['--json']],
    ['report', ['--out', out, '--format', 'csv,md,html,latex', '--allow-missing']],
    ['report', ['--out', out, '--format', 'csv', '--json']],
  ] as const)('shows no control character in %s %j', async (command, options) => {
    const { text } = await captured(() => main([command, folder, ...options]));
    expect(text).not.toMatch(UNSEEN);
    expect(text).not.toContain('a bug');
    expect(text.length).toBeGreaterThan(100);
  });

  test('has a report whose files have none either, and no markup of that text', () => {
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    const markdown = readFileSync(join(out, 'report.md'), 'utf8');
    const names = readdirSync(join(out, 'tables'));
    const read = (name: string): string => readFileSync(join(out, 'tables', name), 'utf8');
    for (const text of [page, markdown, ...names.map(read)]) expect(text.replaceAll('\r\n', '\n')).not.toMatch(UNSEEN);
    expect(page).not.toContain('<script>alert');
    // Outside of code, which holds commands and names of files as they are.
    const outside = markdown
      .replace(/^(`{3,})sh\n[^]*?\n\1$/gm, '')
      .replace(/(?<![\\`])(`+)(?!`)[^\n]*?[^`]\1(?!`)/g, '');
    expect(outside).not.toMatch(/^# heading/m);
    expect(outside).not.toMatch(/(^|[^\\`])<script/);
    expect(outside).not.toMatch(/^`{3}/m);
    const latex = names.filter((name) => name.endsWith('.tex')).map(read);
    expect(latex).not.toEqual([]);
    for (const text of latex) expect(text).not.toMatch(/\\input\{/);
  });
});
