/** The real trainer, killed (-9) at random moments: the weights and numbers are those of a run that nothing disturbed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stream } from '../../src/common/random.js';
import { sweepPaths } from '../../src/store/layout.js';
import { kill, start, temporaryFolder, vitmim } from '../support/cli.js';
import { planIn } from '../support/plan.js';

const KILLS = 6;

it(`ends with the same bits after ${KILLS} kills`, async () => {
  const folder = temporaryFolder();
  const spec = join(folder.path, 'kills.yaml');
  writeFileSync(
    spec,
    `name: kills
job:
  data: { name: shapes, imageSize: 16, trainImages: 40, testImages: 20 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 100, batchSize: 8 }
  finetune: { epochs: 60, batchSize: 8, evaluateEvery: 20 }
grid: { objective: [masked, decolorized] }
`,
  );
  const args = (out: string) => [
    'sweep',
    spec,
    '--out',
    out,
    '--device',
    'simd',
    '--jobs',
    '2',
    '--max-attempts',
    '99',
    '--checkpoint-minutes',
    '0.001', // a checkpoint in every epoch, so that stages resume and some kills interrupt a write
  ];
  const [whole, broken] = [join(folder.path, 'whole'), join(folder.path, 'broken')];
  expect((await vitmim(args(whole))).code).toBe(0);
  const plan = planIn(whole);

  const random = stream(0, 'kills');
  for (let kills = 0; kills < KILLS; kills++) {
    const running = start(args(broken));
    await Promise.race([sleep(800 + random.integer(3000)), running.finished]);
    const workers = plan.stages.flatMap(({ id }) => workerOf(broken, id));
    const victims =
      kills % 3 === 0 ? workers : kills % 3 === 1 ? [running.child.pid!] : [...workers, running.child.pid!];
    for (const pid of victims) kill(pid);
    if (kills % 3 === 0) await Promise.race([sleep(1500), running.finished]);
    kill(running.child.pid!);
    await running.finished;
  }
  expect((await vitmim(args(broken))).code).toBe(0);
  for (const { id } of plan.stages) {
    const weights = (out: string): Buffer => readFileSync(sweepPaths(out).stage(id).checkpoint);
    expect(weights(broken).equals(weights(whole))).toBe(true);
  }
  folder.remove();
});

/** Of the stage's last attempt, while it runs. */
function workerOf(out: string, id: string): number[] {
  try {
    const { status, pid } = JSON.parse(readFileSync(sweepPaths(out).stage(id).state, 'utf8')) as {
      status: string;
      pid: number;
    };
    return status === 'running' ? [pid] : [];
  } catch {
    return [];
  }
}
