/** docs/spec.md and the sweeps that it contains. */
import { readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { EXAMPLES } from '../../src/spec/examples.js';
import { findKey, jobKeys } from '../../src/spec/keys.js';
import { asWritten } from '../../src/spec/key-nodes.js';
import { buildPlan } from '../../src/spec/plan.js';
import { formatRemark, remarksOn } from '../../src/spec/remarks.js';
import { readSweep } from '../../src/spec/sweep.js';
import { allKeys, exampleOf, specPage, sweepFiles, SWEEPS } from '../../tools/spec-page.js';

const readText = (file: string): string => readFileSync(file, 'utf8');

test('docs/spec.md is fresh (`npm run docs` writes it)', () => {
  expect(readText('docs/spec.md') === specPage()).toBe(true);
});

test('every key of a job is in it, with an example that is a valid value', () => {
  const page = readText('docs/spec.md');
  expect(
    allKeys()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(jobKeys().sort());
  for (const { name, leaf } of allKeys()) {
    expect(page).toContain(`| \`${name}\` |`);
    const example = exampleOf({ name, leaf });
    expect({ name, example, valid: z.safeParse(asWritten(leaf), example).success }).toEqual({
      name,
      example,
      valid: true,
    });
  }
});

test('examples are of keys that exist', () => {
  const unknown = Object.keys(EXAMPLES).filter(
    (name) => findKey(name)?.kind !== 'leaf' && !name.startsWith('evaluate.'),
  );
  expect(unknown).toEqual([]);
});

test('there are at least ten complete sweeps', () => {
  expect(sweepFiles().length).toBeGreaterThanOrEqual(10);
});

test.each(sweepFiles())(
  '%s expands to the jobs and stages that it promises, and everything in it has an effect',
  (file) => {
    const text = readText(file);
    const sweep = readSweep(text, { file, defaultName: basename(file, extname(file)), readText });
    const plan = buildPlan(sweep, ({ name }) => name);
    const promise = /(\d+) jobs, (\d+) stages/.exec(text);
    expect(promise?.slice(1).map(Number)).toEqual([plan.jobs.length, plan.stages.length]);
    expect(remarksOn(sweep, plan).map(formatRemark)).toEqual([]);
    expect(plan.leftOut).toEqual([]);
  },
);

test.each(['small', 'base'])('the example of variants has the variant %s', (name) => {
  const page = readText(join(SWEEPS, 'language.md'));
  const example = /```yaml\n(variants:[\s\S]*?)```/.exec(page)![1]!;
  const { cells } = readSweep(example, { file: 'language.md', defaultName: 'example' });
  expect(cells.map(({ cell }) => cell.overrides.size)).toContain(name);
});

/** The forms of axes in the table of language.md: the example, and its values. */
const FORMS = [
  ...readText(join(SWEEPS, 'language.md')).matchAll(/^\| [^|]*\| `([\w.]+): (\{[^`]*\})` *\| ([\d., ]+?) *\|$/gm),
];

test.each(FORMS.map(([, key, form, values]) => [key!, form!, values!]))('%s: %s is %s', (key, form, values) => {
  const { cells } = readSweep(`grid: {${key}: ${form}}`, { file: 'language.md', defaultName: 'example' });
  const found = cells.map(({ cell }) => ({ ...cell, ...cell.overrides })[key as 'seed']);
  expect(found.join(', ')).toBe(values);
});

test('all forms of ranges are in that table', () => {
  expect(FORMS.length).toBe(4);
});
