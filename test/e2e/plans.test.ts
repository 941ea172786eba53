/** Several sweeps of one name with other seeds in one results folder: nothing is lost, and nothing is hidden. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { Rig } from '../support/rig.js';

interface Listed {
  plans: { id: string; chosen: boolean; stages: number; done: number; sweeps: number; differs: object[] }[];
  counts: { done: number };
}

test('three sweeps at once, each with a seed of its own', async () => {
  const rig = new Rig({ grid: '{ objective: [scratch, masked], seed: [0] }', evaluate: '[finetune]', stepMs: 20 });
  const running = [0, 1, 2].map((seed) => rig.sweep(['--jobs', '1', '--set', `grid.seed=[${seed}]`]));
  const finished = await Promise.all(running.map((sweep) => sweep.finished));
  expect(finished.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(readdirSync(join(rig.out, 'plans'))).toHaveLength(3);
  expect(readdirSync(join(rig.out, 'stages'))).toHaveLength(9);
  expect(readdirSync(join(rig.out, 'sweeps'))).toEqual([]);

  const report = await rig.run('report', rig.out, '--all', '--allow-unhealthy');
  expect(report.code).toBe(0);
  const runs = parse<{ objective: string; seed: string; missing: string }>(
    readFileSync(join(rig.out, 'tables', 'runs.csv')),
    { columns: true },
  );
  expect(runs.map(({ objective, seed, missing }) => `${objective} ${seed} ${missing}`.trim()).sort()).toEqual(
    ['masked', 'scratch'].flatMap((objective) => [0, 1, 2].map((seed) => `${objective} ${seed}`)),
  );

  const status = await rig.run('status', rig.out, '--json');
  const { plans, counts } = JSON.parse(status.stdout) as Listed;
  expect(counts.done).toBe(3);
  expect(plans).toMatchObject([true, false, false].map((chosen) => ({ chosen, stages: 3, done: 3, sweeps: 0 })));
  expect(plans.map(({ differs }) => differs).flat()).toHaveLength(3);

  const cleaned = await rig.run('clean', rig.out, '--forget-older', '--dry-run');
  expect(cleaned).toMatchObject({ code: 0, stderr: '' });
  expect(cleaned.stdout).toContain('would remove 6 stages that no kept plan contains: ');
  expect(readdirSync(join(rig.out, 'stages'))).toHaveLength(9);
  rig.remove();
});
