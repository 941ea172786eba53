/** Running a plan with select: trials, then the runs with the chosen values; workers end as the test says. */
import { join } from 'node:path';
import { askerOf } from '../../src/decide/needs.js';
import type { RunEvent } from '../../src/runner/events.js';
import { runPlan } from '../../src/runner/run-plan.js';
import { sweepPaths } from '../../src/store/layout.js';
import { FakeWorkers, planOf, settled, temporaryFolder } from './support.js';

const root = temporaryFolder();
const plan = planOf(`
job: { data: { validation: 0.1 } }
grid: { objective: [masked], seed: [0] }
select: { by: finetune, over: { finetune.baseLearningRate: [1.0e-3, 2.0e-3] }, seeds: [100] }
`);
const finetune = (rate: number, seed: number): string =>
  `finetune masked finetune.baseLearningRate=${rate} seed ${seed}`;

function start(name: string) {
  const folder = join(root, name);
  const workers = new FakeWorkers(plan);
  const events: RunEvent[] = [];
  const run = runPlan({
    plan,
    folder,
    jobs: 2,
    needs: askerOf(plan, sweepPaths(folder)),
    launch: workers.launch,
    onEvent: (event) => events.push(event),
    signal: new AbortController().signal,
  });
  return { workers, events, ended: settled(run, () => `still running: ${workers.names.join(', ')}`) };
}

test('trials run first, then only the runs with the better values', async () => {
  const { workers, ended } = start('better');
  await workers.finish('pretrain masked seed 100');
  await workers.finish('pretrain masked seed 0');
  await workers.finish(finetune(0.001, 100), { accuracy: 20 });
  await workers.finish(finetune(0.002, 100), { accuracy: 30 });
  await workers.finish(finetune(0.002, 0));
  expect(await ended).toMatchObject({ done: 5, failed: [], open: 0, unneeded: 1 });
  expect(workers.started).not.toContain(finetune(0.001, 0));
});

test('a trial that diverges is no failure of the run if another candidate is chosen, and is not tried again', async () => {
  const { workers, ended, events } = start('diverged');
  await workers.finish('pretrain masked seed 100');
  await workers.finish('pretrain masked seed 0');
  await workers.fail(finetune(0.001, 100), 'the loss was not finite');
  await workers.finish(finetune(0.002, 100));
  await workers.finish(finetune(0.002, 0));
  expect(await ended).toMatchObject({ done: 4, failed: [], blocked: [], open: 0, unneeded: 2 });
  expect(events.some(({ type }) => type === 'stage-failed')).toBe(true);
  const again = start('diverged');
  expect(await again.ended).toMatchObject({ done: 0, hits: 4, failed: [], open: 0, unneeded: 2 });
});

test('a cell of which every candidate diverges fails, with the reason', async () => {
  const { workers, ended } = start('none');
  await workers.finish('pretrain masked seed 100');
  await workers.finish('pretrain masked seed 0');
  await workers.fail(finetune(0.001, 100), 'the loss was not finite');
  await workers.fail(finetune(0.002, 100), 'the loss was not finite');
  const summary = await ended;
  expect(summary).toMatchObject({ done: 2, open: 2, unneeded: 0 });
  expect(summary.failed).toHaveLength(2);
  expect(summary.waitsFor).toBe(
    'no candidate of masked can be chosen (diverged); change finetune.baseLearningRate in select.over',
  );
});

test('a trial that crashes leaves the choice open', async () => {
  const { workers, ended } = start('crash');
  await workers.finish('pretrain masked seed 100');
  await workers.finish('pretrain masked seed 0');
  await workers.fail(finetune(0.001, 100), 'out of memory', 'out-of-memory');
  await workers.finish(finetune(0.002, 100));
  expect(await ended).toMatchObject({ open: 2, waitsFor: 'waits for trials by finetune on validation' });
});
