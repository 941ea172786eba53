/** `vitmim status` of a sweep on Slurm if Slurm does not answer. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSubmission } from '../../src/runner/slurm/submission.js';
import { NO_OPTIONS } from '../runner/slurm/support.js';
import { vitmim } from '../support/cli.js';
import { Rig } from '../support/rig.js';

const rig = new Rig({ grid: '{ objective: [scratch] }', evaluate: '[finetune]' });
const programs = join(rig.root, 'programs');
beforeAll(async () => {
  expect((await rig.sweep().finished).code).toBe(0);
  const arrays = [{ name: 'level-0', parent: null, job: '7', tasks: [{ index: 0, stage: rig.plan().stages[0]!.id }] }];
  const about = {
    version: 1 as const,
    id: '20260101-000000',
    jobName: 'rig.20260101-000000',
    submittedAt: '',
    threads: 1,
  };
  writeSubmission(rig.out, { ...about, options: NO_OPTIONS, device: 'cpu', arrays });
  mkdirSync(programs);
});
afterAll(() => {
  rig.remove();
});

/** Its output if these are the only programs. */
const status = (...args: string[]) => vitmim(['status', rig.out, ...args], { env: { PATH: programs } });

test('the files tell, and one line says that Slurm is not there', async () => {
  const { code, stdout, stderr } = await status();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('1 of 1 stages done');
  expect(stdout.match(/^Slurm: .*$/gm)).toEqual([
    "Slurm: not known (squeue is not installed here; use a host of Slurm's)",
  ]);
});

test('a controller that does not respond is no reason to end the watching', async () => {
  const squeue = join(programs, 'squeue');
  writeFileSync(squeue, '#!/bin/sh\necho "slurm_load_jobs error: Unable to contact slurm controller" >&2\nexit 1\n');
  chmodSync(squeue, 0o755);
  const { code, stdout } = await status('--watch', '0.1s', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    counts: { done: 1 },
    slurm: {},
    slurmProblem: 'squeue failed: slurm_load_jobs error: Unable to contact slurm controller',
  });
});
