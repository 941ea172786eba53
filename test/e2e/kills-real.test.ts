/** The real trainer, killed (-9) after random numbers of epochs: the weights and numbers are those of a run that nothing disturbed. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stream } from '../../src/common/random.js';
import { sweepPaths } from '../../src/store/layout.js';
import { kill, start, temporaryFolder, until, vitmim } from '../support/cli.js';
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
  pretrain: { epochs: 40, batchSize: 8 }
  finetune: { epochs: 20, batchSize: 8, evaluateEvery: 10 }
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

  const workers = (): number[] => plan.stages.flatMap(({ id }) => workerOf(broken, id));
  /** Epochs that the stages have logged: each ends with a checkpoint. */
  const epochs = (): number =>
    plan.stages.reduce((sum, { id }) => sum + linesIn(sweepPaths(broken).stage(id).metrics), 0);
  const random = stream(0, 'kills');
  for (let kills = 0; kills < KILLS; kills++) {
    const before = { workers: workers(), epochs: epochs() + random.integer(25) };
    const running = start(args(broken));
    const { pid } = running.child;
    const hasEnded = (): boolean => running.child.exitCode !== null;
    const hasNewWorker = (others: readonly number[]): boolean => workers().some((worker) => !others.includes(worker));
    await until('it trains', () => hasEnded() || (hasNewWorker(before.workers) && epochs() >= before.epochs));
    const victims = workers();
    if (kills % 3 !== 1) for (const worker of victims) kill(worker);
    // If only a worker is killed, it is replaced.
    if (kills % 3 === 0) await until('another worker runs', () => hasEnded() || hasNewWorker(victims));
    kill(pid!);
    await running.finished;
  }
  expect((await vitmim(args(broken))).code).toBe(0);
  for (const { id } of plan.stages) {
    const weights = (out: string): Buffer => readFileSync(sweepPaths(out).stage(id).checkpoint);
    expect(weights(broken).equals(weights(whole))).toBe(true);
  }
  folder.remove();
});

function linesIn(file: string): number {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

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
