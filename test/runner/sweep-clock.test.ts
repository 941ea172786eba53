import type { RunEvent } from '../../src/runner/events.js';
import { SweepClock } from '../../src/runner/sweep-clock.js';
import type { StageRef } from '../../src/spec/describe.js';
import { resultOf } from './support.js';

const stage = (kind: StageRef['kind'], id: string): StageRef => ({ kind, entry: kind, id, name: id });
const started = (ref: StageRef): RunEvent => ({ type: 'stage-started', stage: ref, attempt: 1, why: 'new' });
const done = (ref: StageRef, seconds: number): RunEvent => ({
  type: 'stage-done',
  stage: ref,
  result: resultOf(ref.kind),
  seconds,
});

function clockOf(jobs: number): SweepClock {
  const clock = new SweepClock();
  const toRun = { pretrain: 4, finetune: 3 };
  clock.observe({ type: 'plan-started', name: 'x', folder: 'x', stages: 7, hits: 0, toRun, jobs }, 0);
  return clock;
}

test('knows nothing before a stage has ended', () => {
  const clock = clockOf(1);
  clock.observe(started(stage('pretrain', 'a')), 0);
  expect(clock.left(5000)).toBeNull();
});

test('counts what is left of each kind at its own mean, shared by the workers', () => {
  const clock = clockOf(2);
  const [a, b, c] = [stage('pretrain', 'a'), stage('pretrain', 'b'), stage('finetune', 'c')];
  for (const ref of [a, b]) clock.observe(started(ref), 0);
  clock.observe(done(a, 10), 10_000);
  clock.observe(done(b, 20), 20_000);
  // Two pre-trainings of 15 s for two workers; nothing is known of fine-tuning.
  expect(clock.left(20_000)).toEqual({ seconds: 15, atLeast: true });

  clock.observe(started(c), 20_000);
  clock.observe(done(c, 40), 60_000);
  expect(clock.left(60_000)).toEqual({ seconds: (2 * 15 + 2 * 40) / 2, atLeast: false });
  expect([clock.settled, clock.total]).toEqual([3, 7]);
});

test('subtracts what running stages have behind them', () => {
  const clock = clockOf(1);
  clock.observe(started(stage('pretrain', 'a')), 0);
  clock.observe(done(stage('pretrain', 'a'), 10), 10_000);
  clock.observe(started(stage('pretrain', 'b')), 10_000);
  expect(clock.left(14_000)).toEqual({ seconds: 6 + 2 * 10, atLeast: true });
  // Longer than the mean: it may end at any time, and no time is owed.
  expect(clock.left(40_000)).toEqual({ seconds: 2 * 10, atLeast: true });
});

test('does not count failed and blocked stages as work', () => {
  const clock = clockOf(1);
  const failed = stage('pretrain', 'a');
  clock.observe(started(failed), 0);
  clock.observe(
    { type: 'stage-failed', stage: failed, cause: 'diverged', attempts: 1, reason: 'NaN', log: 'log.txt', seconds: 1 },
    1000,
  );
  clock.observe({ type: 'stage-blocked', stage: stage('finetune', 'd'), by: failed }, 1000);
  clock.observe(started(stage('pretrain', 'b')), 1000);
  clock.observe(done(stage('pretrain', 'b'), 10), 11_000);
  expect(clock.left(11_000)).toEqual({ seconds: 2 * 10, atLeast: true });
  expect(clock.settled).toBe(3);
});
