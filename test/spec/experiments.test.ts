/** The specs we ship: each expands to what its own header promises. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPlan } from '../../src/spec/plan.js';
import { readSweep } from '../../src/spec/sweep.js';

const files = readdirSync('experiments').filter((file) => file.endsWith('.yaml'));

it.each(files)('%s opens with its command and expands to the jobs and stages it promises', (file) => {
  const text = readFileSync(join('experiments', file), 'utf8');
  const header = text.slice(0, text.indexOf('\nname:'));
  expect(header).toContain(`npx vitmim sweep experiments/${file}`);
  expect(header).toContain('yaml-language-server: $schema=../schema/sweep.schema.json');
  const promise = /(\d+) jobs[^,]*, (?:\D*, )?(\d+) stages/.exec(header.replaceAll('\n#', ''));
  const { jobs, stages } = buildPlan(readSweep(text, { file, defaultName: 'x' }), () => 'fingerprint');
  expect(promise?.slice(1).map(Number)).toStrictEqual([jobs.length, stages.length]);
});
