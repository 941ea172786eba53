/** Several sweeps on one results folder: every stage runs once, and all of them end with all of it done. */
import { hostname } from 'node:os';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sweepPaths } from '../../src/store/layout.js';
import { until } from '../support/cli.js';
import { eventsOf, Rig } from '../support/rig.js';

test('three sweeps share the work', async () => {
  const rig = new Rig({
    grid: '{ objective: [scratch, masked, zoomed-in, zoomed-out, blurred], seed: [0, 1] }',
    stepMs: 20,
  });
  const all = await Promise.all([1, 2, 3].map(() => rig.sweep(['--jobs', '2', '--json']).finished));
  expect(all.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect({ shared: rig.sharedStages(), repeated: rig.repeatedStages() }).toEqual({ shared: [], repeated: [] });
  const started = all.map((finished) => eventsOf(finished).filter(({ type }) => type === 'stage-started').length);
  expect(started.reduce((a, b) => a + b)).toBe(rig.plan().stages.length);
  expect(started.every((count) => count > 0)).toBe(true);
  expect((await rig.run('status', rig.out)).stdout).toContain(`${rig.plan().stages.length} of`);
  rig.remove();
});

test('a stage of a sweep that died is taken over; one of a sweep that lives is waited for', async () => {
  const rig = new Rig({ grid: '{ objective: [scratch] }', evaluate: '[finetune]' });
  rig.order({ finetune: { hang: 1 } });
  const first = rig.sweep(['--jobs', '1']);
  await until('the first runs it', () => rig.notes().some(({ what }) => what === 'start'));
  const second = rig.sweep(['--jobs', '1']);
  await second.said('another sweep runs it');
  first.child.kill('SIGKILL');
  const finished = await second.finished;
  expect(finished.code).toBe(0);
  expect(finished.stderr).toContain('start    finetune scratch: its last worker vanished, attempt 2');
  expect(rig.sharedStages()).toEqual([]);
  expect(rig.repeatedStages()).toEqual([]);
  rig.remove();
});

test('the claim of another host is respected while it is young', async () => {
  const rig = new Rig({ grid: '{ objective: [scratch] }', evaluate: '[finetune]' });
  expect((await rig.sweep(['--set', 'grid.objective=[masked]']).finished).code).toBe(0);
  const dry = await rig.run('plan', rig.spec, '--out', rig.out, '--json');
  const [stage] = (JSON.parse(dry.stdout) as { stages: { id: string }[] }).stages;
  const { folder } = sweepPaths(rig.out).stage(stage!.id);
  mkdirSync(folder, { recursive: true });
  const owner = { id: 'x', host: `not-${hostname()}`, pids: '', pid: 1, since: new Date().toISOString() };
  writeFileSync(join(folder, 'claim-1.json'), JSON.stringify(owner));
  const running = rig.sweep(['--jobs', '1']);
  await running.said(`another sweep runs it, on not-${hostname()}`);
  running.child.kill('SIGINT');
  expect((await running.finished).code).toBe(130);
  expect(rig.notes().some((note) => note.stage === stage!.id)).toBe(false);
  rig.remove();
});

test('a sweep that was taken for dead leaves the stage to its heir, and takes the heir’s result', async () => {
  const rig = new Rig({ grid: '{ objective: [scratch] }', evaluate: '[finetune]', steps: 40, stepMs: 50 });
  const running = rig.sweep(['--jobs', '1']);
  await until('it trains', () => rig.notes().some(({ what }) => what === 'step 2'));
  const own = sweepPaths(rig.out).stage(rig.plan().stages[0]!.id);
  const heir = join(own.folder, 'claim-99.json');
  const owner = { id: 'heir', host: `not-${hostname()}`, pids: '', pid: 1, since: new Date().toISOString() };
  writeFileSync(heir, JSON.stringify(owner));
  const state = JSON.stringify({ status: 'running', attempt: 2, pid: 1, host: owner.host, startedAt: owner.since });
  await running.said('another sweep runs it');
  expect(JSON.parse(readFileSync(own.state, 'utf8'))).toMatchObject({ status: 'running', attempt: 1 }); // not "failed"
  writeFileSync(own.state, state);
  const work = { epochs: 1, steps: 40, imagesPerSecond: 100, seconds: 1, corruptImages: [] };
  const accuracy = { accuracy: 12.5, top5: null, testImages: 10, trainImages: 20 };
  writeFileSync(own.result, JSON.stringify({ kind: 'finetune', ...work, ...accuracy, loss: 1 }));
  rmSync(heir);
  const finished = await running.finished;
  expect(finished.stderr).toContain('done by another sweep meanwhile');
  expect(finished.stderr).not.toContain('failed');
  expect(finished.code).toBe(0);
  expect(readFileSync(own.result, 'utf8')).toContain('12.5');
  rig.remove();
});
