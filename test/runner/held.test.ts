import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Held } from '../../src/runner/held.js';
import { RENEW_EVERY_MS } from '../../src/store/claims.js';
import { stagePaths } from '../../src/store/layout.js';
import { FakeWorkers, planOf, temporaryFolder } from './support.js';

const PLAN = planOf('grid: {objective: [scratch]}');
const root = temporaryFolder();

/** Calls what would be called again and again, in place of waiting for it. */
function withTimer(use: (tick: () => void) => void): { everyMs: number | undefined; ended: boolean } {
  const { setInterval: set, clearInterval: clear } = globalThis;
  const seen = { everyMs: undefined as number | undefined, ended: false };
  let tick = (): void => undefined;
  Object.assign(globalThis, {
    setInterval: (f: () => void, ms: number) => {
      [tick, seen.everyMs] = [f, ms];
      return 'the timer';
    },
    clearInterval: (timer: unknown) => (seen.ended = timer === 'the timer'),
  });
  try {
    use(() => {
      tick();
    });
  } finally {
    Object.assign(globalThis, { setInterval: set, clearInterval: clear });
  }
  return seen;
}

test('claims are renewed every ten seconds, and the worker of one that was taken over is killed', async () => {
  const paths = stagePaths(join(root, 'stage'));
  const workers = new FakeWorkers(PLAN);
  const held = new Held(workers.launch);
  const stage = PLAN.stages[0]!;
  const claimFile = join(paths.folder, 'claim-1.json');
  let timer: ReturnType<typeof withTimer> | undefined;
  const done = await held.under(stage.id, paths, async ({ id: claim }) => {
    const worker = held.launch({ stage, paths, claim, slot: 0, onEvent: () => undefined });
    timer = withTimer((tick) => {
      const renewal = held.keepRenewing();
      utimesSync(claimFile, 5, 5);
      tick();
      expect(statSync(claimFile).mtimeMs).toBeGreaterThan(1e12);
      expect(held.size).toBe(1);
      writeFileSync(join(paths.folder, 'claim-2.json'), '{}');
      tick();
      renewal.end();
    });
    expect(await worker.ended).toEqual({ kind: 'signal', signal: 'SIGKILL' });
  });
  expect(done).toBe(true);
  expect(held.size).toBe(0);
  expect(timer).toEqual({ everyMs: RENEW_EVERY_MS, ended: true });
});
