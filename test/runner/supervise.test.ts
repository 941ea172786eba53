/** When a worker is given up, with clocks that the tests move. */
import type { StartPatience } from '../../src/common/patience.js';
import { cpuSeconds } from '../../src/runner/cpu-time.js';
import { NO_LIMITS, supervise } from '../../src/runner/supervise.js';

/** A worker of which processor time and reports are given, and a supervisor whose waits end when the test says so. */
function supervised(silence = 100) {
  const waits: { seconds: number; onEnd: () => void; renewed: number; over: boolean }[] = [];
  const patience: StartPatience = (seconds, onEnd) => {
    const wait = { seconds, onEnd, renewed: 0, over: false };
    waits.push(wait);
    return { renew: () => (wait.renewed += 1), end: () => (wait.over = true) };
  };
  const worker = {
    pid: 1,
    ended: new Promise<never>(() => undefined),
    interrupt: () => undefined,
    kill: () => signals++,
  };
  let signals = 0;
  let [seconds, cpu] = [0, 0 as number | null];
  const stopping = new AbortController();
  const options = { patience, stopping: stopping.signal, cpu: () => cpu, now: () => seconds * 1000 };
  const supervision = supervise(worker, { ...NO_LIMITS, silence }, options);
  return {
    supervision,
    stopping,
    waits,
    kills: () => signals,
    /** Seconds pass, of which the worker computes some; null: that is not known. */
    pass: (duration: number, computed: number | null) => {
      seconds += duration;
      cpu = computed === null || cpu === null ? null : cpu + computed;
    },
  };
}

const progress = { type: 'progress', epoch: 0, step: 1, steps: 2, loss: 1, imagesPerSecond: 1 } as const;
const alive = (working: boolean) => ({ type: 'alive', working }) as const;

test('progress renews the wait; a report that it waits does not', () => {
  const { supervision, waits } = supervised();
  supervision.heard(alive(false));
  expect(waits[0]!.renewed).toBe(0);
  supervision.heard(alive(true));
  supervision.heard(progress);
  expect(waits[0]!.renewed).toBe(2);
});

test('a worker that reports nothing and computes nothing is lost', () => {
  const { supervision, waits, kills, pass } = supervised();
  pass(100, 1);
  waits[0]!.onEnd();
  expect([kills(), supervision.overrun]).toEqual([1, 'lost']);
});

test('a worker in the middle of a long step is not ended, until it stops to compute', () => {
  const { supervision, waits, kills, pass } = supervised();
  for (let i = 0; i < 3; i++) {
    pass(100, 8); // of a core that other processes want too
    waits[0]!.onEnd();
  }
  expect([kills(), supervision.overrun]).toEqual([0, null]);
  pass(100, 0.5);
  waits[0]!.onEnd();
  expect([kills(), supervision.overrun]).toEqual([1, 'lost']);
});

test('a worker that says it waits is lost, though its waiting takes processor time', () => {
  const { supervision, waits, kills, pass } = supervised();
  for (let i = 0; i < 20; i++) {
    pass(5, 5); // asks a graphics device again and again
    supervision.heard(alive(false));
  }
  waits[0]!.onEnd();
  expect([kills(), supervision.overrun]).toEqual([1, 'lost']);
});

test('a worker that computes since it last reported a wait is not ended', () => {
  const { supervision, waits, kills, pass } = supervised();
  supervision.heard(alive(false));
  pass(95, 90);
  waits[0]!.onEnd();
  expect(kills()).toBe(0);
});

test('without a count of processor time, silence is what counts', () => {
  const { waits, kills, pass } = supervised();
  pass(100, null);
  waits[0]!.onEnd();
  expect(kills()).toBe(1);
});

test('a worker that was asked to stop has a minute without progress', () => {
  const { supervision, stopping, waits, kills, pass } = supervised(Infinity);
  stopping.abort();
  expect(waits.map(({ seconds }) => seconds)).toEqual([Infinity, 60]);
  supervision.heard(progress);
  expect(waits[1]!.renewed).toBe(1);
  pass(60, 0);
  waits[1]!.onEnd();
  expect([kills(), supervision.overrun]).toEqual([1, null]); // interrupted, not lost
  supervision.end();
  expect(waits.every(({ over }) => over)).toBe(true);
});

(process.platform === 'linux' ? test : test.skip)('processor time is what the kernel counts', () => {
  const before = cpuSeconds(process.pid)!;
  const own = process.cpuUsage();
  while (cpuSeconds(process.pid)! < before + 0.1);
  const { user, system } = process.cpuUsage(own);
  expect((user + system) / 1e6).toBeGreaterThan(0.05);
  expect(cpuSeconds(2 ** 30)).toBeNull();
});
