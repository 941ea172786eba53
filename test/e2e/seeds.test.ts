/** A real sweep that adds seeds until its verdict is decided. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder, vitmim } from '../support/cli.js';
import { planIn } from '../support/plan.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const spec = join(folder.path, 'until-decided.yaml');
const out = join(folder.path, 'results');
// Any difference of these tiny models is below 1000 points, so the first look decides.
writeFileSync(
  spec,
  `
job:
  data: { name: shapes, imageSize: 16, trainImages: 320, testImages: 200 }
  model: { dim: 32, depth: 2, heads: 2, decoder: { dim: 32, depth: 1, heads: 2 } }
  pretrain: { epochs: 15, batchSize: 32, baseLearningRate: 2.4e-2, warmupEpochs: 2 }
  evaluate: [knn]
grid: { objective: [scratch, identity] }
compare: [[identity, scratch]]
seeds: { looks: [2, 3], smallest: 1000 }
`,
);

it('plans every seed, and runs those of the first look only', async () => {
  const plan = await vitmim(['plan', spec, '--out', out]);
  expect(plan.stdout).toMatch(/^run {2}[0-9a-f]{16} {2}knn scratch seed 1/m);
  expect(plan.stdout).toMatch(/^open [0-9a-f]{16} {2}knn scratch seed 2 {2}\(needs the look at 2 seeds\)/m);
  expect(plan.stdout).toContain(
    'Looks: at 2, 3 seeds, until each of 1 verdict is decided, or its interval is within ±1000.',
  );

  const { code, stderr } = await vitmim(['sweep', spec, '--out', out, '--device', 'simd']);
  expect({ code, end: stderr.split('\n').find((line) => line.startsWith('end')) }).toEqual({
    code: 0,
    end: expect.stringContaining('6 done, 3 not needed (decided at 2 seeds)') as string,
  });
  expect(planIn(out).stages).toHaveLength(9);
  expect(readdirSync(join(out, 'stages'))).toHaveLength(6);
});

it('has nothing missing, and says by which look the verdict was decided', async () => {
  const status = await vitmim(['status', out]);
  expect(status.stdout).toContain('6 of 6 stages done');
  expect(status.stdout).toContain('3 stages not needed: decided at 2 seeds');
  const report = await vitmim(['report', out, '--format', 'csv']);
  expect(report.code).toBe(0);
  expect(report.stdout).toContain('identity is better than scratch: no difference of that size (look at 2 seeds)');
  const verified = await vitmim(['verify', out]);
  expect(verified.code).toBe(0);
});

it('runs the later seeds if another rule needs them', async () => {
  const { code, stderr } = await vitmim([
    'sweep',
    spec,
    '--out',
    out,
    '--device',
    'simd',
    '--set',
    'seeds.smallest=null',
  ]);
  expect(code).toBe(0);
  expect(stderr).toContain('6 done before, 1 pretrain, 2 knn to run');
  expect(existsSync(out)).toBe(true);
  expect(readdirSync(join(out, 'stages'))).toHaveLength(9);
});
