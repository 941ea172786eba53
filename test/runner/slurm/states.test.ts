import { latest } from '../../../src/runner/slurm/states.js';
import type { Submission } from '../../../src/runner/slurm/submission.js';
import type { TaskState } from '../../../src/runner/slurm/parse.js';
import { NO_OPTIONS } from './support.js';

const submission = (job: string, stages: readonly string[]): Submission => ({
  version: 1,
  id: job,
  jobName: 'a',
  submittedAt: '2026-01-01T00:00:00.000Z',
  options: NO_OPTIONS,
  device: 'simd',
  threads: 1,
  arrays: [{ name: 'level-0', parent: null, job, tasks: stages.map((stage, index) => ({ index, stage })) }],
});

const task = (job: string, index: number, state: TaskState['state']): TaskState => ({
  job,
  index,
  state,
  reason: null,
  jobName: 'a',
});

describe('the state of a stage', () => {
  it('is the state of its last submission', () => {
    const submissions = [submission('1', ['a', 'b']), submission('2', ['b'])];
    const states = latest(submissions, [task('1', 0, 'FAILED'), task('1', 1, 'FAILED'), task('2', 0, 'RUNNING')]);
    expect([...states]).toEqual([
      ['a', { state: 'FAILED', job: '1_0', reason: null }],
      ['b', { state: 'RUNNING', job: '2_0', reason: null }],
    ]);
  });

  it('is not the state of an earlier submission once Slurm has forgotten the last', () => {
    const submissions = [submission('1', ['a']), submission('2', ['a'])];
    expect(latest(submissions, [task('1', 0, 'FAILED')]).size).toBe(0);
  });
});
