/** The script for a machine with a card, with programs in the place of the bundles that only say how they were called. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const TELL = `import { appendFileSync } from 'node:fs';
appendFileSync(process.env.CALLS, process.argv.slice(2).join(' ') + '\\n');`;
const BUNDLES = {
  doctor: `${TELL} console.log('{}');`,
  compare: `${TELL} if (process.argv[2] === '--precisions') console.log('float32 float16'); else if (process.argv.includes('G2')) process.exit(1);`,
  step: `${TELL} console.log('{}');`,
  tiles: `${TELL} console.log('a tile');`,
  'card-tests': `${TELL} console.log('# pass 1');`,
  'ops.test': '',
};

function card(parts: readonly string[], environment: Record<string, string> = {}) {
  const [app, out, calls] = ['app', 'out', 'calls'].map((name) => join(folder.path, `${parts.join('-')}-${name}`));
  mkdirSync(app!, { recursive: true });
  for (const [name, code] of Object.entries(BUNDLES)) writeFileSync(join(app!, `${name}.mjs`), code);
  writeFileSync(calls!, '');
  const env = { ...process.env, ...environment, OUT: out, CALLS: calls };
  const { status } = spawnSync('bash', ['bench/card.sh', app!, ...parts], { encoding: 'utf8', env });
  const lines = readFileSync(calls!, 'utf8').trim().split('\n');
  return { status, calls: lines, files: readdirSync(out!).sort() };
}

test('a race is given its works, the peaks and a share of the time', () => {
  const { status, calls } = card(['G3'], { PEAK: 'float32=67', MINUTES: '4', PYTHON: 'python' });
  expect(status).toBe(0);
  expect(calls).toHaveLength(1);
  expect(calls[0]).toMatch(/^--device webgpu --torch-device cuda --works G3P,G3F --precision all .*--minutes 4 /);
  expect(calls[0]).toContain('--python python --peak float32=67 --out ');
});

test('a part that fails fails the whole, and the others run', () => {
  const { status, calls, files } = card(['doctor', 'G2', 'tests']);
  expect(status).toBe(1);
  expect(calls.map((call) => call.split(' ')[0])).toEqual([
    '--json',
    '--device',
    expect.stringContaining('ops.test.mjs'),
  ]);
  expect(files).toEqual(['doctor.json', 'ops.tap']);
});

test('a breakdown is made of every work in every precision, each with its own peak', () => {
  const { status, calls, files } = card(['breakdown'], { PEAK: 'float32=67,float16=989', BANDWIDTH: '3350' });
  expect(status).toBe(0);
  expect(calls[0]).toBe('--precisions --device webgpu');
  expect(calls[1]).toMatch(/--work G1 --precision float32 .*--peak 67 --bandwidth 3350$/);
  expect(calls[2]).toMatch(/--work G1 --precision float16 .*--peak 989 --bandwidth 3350$/);
  expect(files).toHaveLength(8);
});

test('what the tiles reach is left in a file', () => {
  const { status, files } = card(['tiles']);
  expect(status).toBe(0);
  expect(files).toEqual(['tiles.txt']);
});

test('an unknown part is refused', () => {
  expect(card(['G7']).status).toBe(1);
});
