/** A sweep run in two parts, in two folders as on two machines, and reported as one. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder, vitmim } from '../support/cli.js';
import { planIn } from '../support/plan.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const spec = join(folder.path, 'halves.yaml');
writeFileSync(
  spec,
  `
job:
  data: { name: shapes, imageSize: 16, trainImages: 20, testImages: 10 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, batchSize: 10, warmupEpochs: 0 }
  finetune: { epochs: 1, batchSize: 10, warmupEpochs: 0 }
grid: { objective: [masked, identity] }
`,
);
const [first, second] = [join(folder.path, 'first'), join(folder.path, 'second')];

const stagesIn = (out: string): string[] => readdirSync(join(out, 'stages')).sort();

it('plans only its part, and writes nothing', async () => {
  const { code, stdout, stderr } = await vitmim(['plan', spec, '--out', first, '--shard', '1/2', '--json']);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: 'data shapes: train 20 images of 10 classes; test 10 images of 10 classes\n',
  });
  expect(JSON.parse(stdout)).toMatchObject({ jobs: [{}], stages: [{}, {}] });
  const shown = await vitmim(['sweep', spec, '--out', first, '--shard', '2/2', '--dry-run']);
  expect(shown.stdout).toContain('halves, shard 2/2: 1 jobs, 2 stages');
  expect(shown.stdout).toContain('pretrain identity');
  expect(existsSync(first)).toBe(false);
});

it('runs each part in a folder of its own, with the whole plan', async () => {
  for (const [out, shard] of [
    [first, '1/2'],
    [second, '2/2'],
  ] as const) {
    const { code, stderr } = await vitmim(['sweep', spec, '--out', out, '--shard', shard, '--device', 'cpu']);
    expect(code).toBe(0);
    expect(stderr).toContain(`shard ${shard}: 1 of 2 jobs, 2 of 4 stages`);
    expect(planIn(out).stages).toHaveLength(4);
    expect(stagesIn(out)).toHaveLength(2);
  }
  expect([...stagesIn(first), ...stagesIn(second)].sort()).toEqual(
    planIn(first)
      .stages.map(({ id }) => id)
      .sort(),
  );
});

it('has no result missing once both are reported together, into the first', async () => {
  const { code, stdout } = await vitmim(['report', first, second, '--json', '--allow-unhealthy']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ missing: [] });
  expect(existsSync(join(first, 'report.md'))).toBe(true);
  expect(existsSync(join(second, 'report.md'))).toBe(false);
  expect((await vitmim(['report', first, '--json'])).code).toBe(1);
});

it.each(['3/2', '0/2', 'x'])('refuses the shard %s', async (shard) => {
  const { code, stderr } = await vitmim(['sweep', spec, '--out', join(folder.path, 'none'), '--shard', shard]);
  expect(code).toBe(2);
  expect(stderr).toContain('expected i/n with i from 1 to n, such as 2/4');
});
