import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../../src/runner/events.js';
import { runOne } from '../../src/runner/run-one.js';
import { UsageError } from '../../src/common/errors.js';
import { writeJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { brief, FakeWorkers, leaveResult, planOf, temporaryFolder } from './support.js';

const plan = planOf('grid: { objective: [masked] }\n');
const [pretrain, finetune] = plan.stages as [(typeof plan.stages)[0], (typeof plan.stages)[0]];
const root = temporaryFolder();

/** A results folder of its own, and one stage run in it. */
function setUp(name: string, signal = new AbortController().signal) {
  const folder = join(root, name);
  const workers = new FakeWorkers(plan);
  const events: RunEvent[] = [];
  const run = (id: string) =>
    runOne(id, { plan, folder, launch: workers.launch, onEvent: (event) => events.push(event), signal });
  return { paths: sweepPaths(folder), workers, events, run };
}

describe('one stage', () => {
  it('runs without the other stages', async () => {
    const { workers, events, run } = setUp('alone');
    const end = run(pretrain.id);
    await workers.finish('pretrain masked');
    expect(await end).toMatchObject({ kind: 'ran', summary: { done: 1, stages: 1, pending: 0 } });
    expect(workers.started).toEqual(['pretrain masked']);
    expect(brief(events)).toEqual([
      'plan-started',
      'stage-started pretrain masked',
      'stage-done pretrain masked',
      'run-ended',
    ]);
  });

  it('is blocked without the result of its parent', async () => {
    const { workers, run } = setUp('blocked');
    expect(await run(finetune.id)).toEqual({
      kind: 'blocked',
      by: { id: pretrain.id, kind: 'pretrain', entry: 'pretrain', name: 'pretrain masked' },
    });
    expect(workers.started).toEqual([]);
  });

  it('runs on the result of its parent', async () => {
    const { workers, run } = setUp('child');
    const parent = run(pretrain.id);
    await workers.finish('pretrain masked');
    await parent;
    const end = run(finetune.id);
    await workers.finish('finetune masked');
    expect(await end).toMatchObject({ kind: 'ran', summary: { done: 1 } });
  });

  it('is run again if its checkpoint is damaged and a child needs it, though the child is another task', async () => {
    const { paths, workers, run } = setUp('damaged');
    const first = run(pretrain.id);
    await workers.finish('pretrain masked');
    await first;
    expect(await run(pretrain.id)).toMatchObject({ kind: 'ran', summary: { hits: 1 } });
    truncateSync(paths.stage(pretrain.id).checkpoint, 20);
    expect(await run(finetune.id)).toMatchObject({ kind: 'blocked' });
    const again = run(pretrain.id);
    await workers.finish('pretrain masked');
    expect(await again).toMatchObject({ kind: 'ran', summary: { done: 1, stages: 1 } });
  });

  it('is not run again when it is done, even if its parent is gone', async () => {
    const { paths, workers, run } = setUp('hit');
    const own = paths.stage(finetune.id);
    writeJson(own.stage, finetune);
    await leaveResult(finetune, own);
    expect(await run(finetune.id)).toMatchObject({ kind: 'ran', summary: { hits: 1, done: 0 } });
    expect(workers.started).toEqual([]);
  });

  it('fails once', async () => {
    const { workers, run } = setUp('failed');
    const end = run(pretrain.id);
    await workers.fail('pretrain masked', 'no luck');
    expect(await end).toMatchObject({ kind: 'ran', summary: { failed: [{ reason: 'no luck' }] } });
    expect(workers.started).toHaveLength(1);
  });

  it.each([true, false])('tells whether it kept a checkpoint when it was stopped: %s', async (keeps) => {
    const stop = new AbortController();
    const { paths, workers, run } = setUp(`stopped-${keeps}`, stop.signal);
    const end = run(pretrain.id);
    const worker = await workers.when('pretrain masked');
    workers.onInterrupt = () => {
      if (keeps) writeFileSync(paths.stage(pretrain.id).checkpoint, 'weights');
      worker.end({ kind: 'exit', code: 130 });
    };
    stop.abort();
    expect(await end).toMatchObject({
      kind: 'ran',
      keptCheckpoint: keeps,
      summary: { interrupted: [{ id: pretrain.id }] },
    });
  });

  it('must be in the plan', async () => {
    await expect(setUp('unknown').run('0123456789abcdef')).rejects.toThrow(UsageError);
  });
});
