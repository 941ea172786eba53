/** Submitting and cancelling, with shell scripts in the place of Slurm's programs. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cancelSubmissions } from '../../../src/runner/slurm/cancel.js';
import { slurmStates } from '../../../src/runner/slurm/states.js';
import { submitPlan } from '../../../src/runner/slurm/submit.js';
import { readSubmissions } from '../../../src/runner/slurm/submission.js';
import { sweepPaths } from '../../../src/store/layout.js';
import { planOf, temporaryFolder } from '../support.js';
import { NO_OPTIONS } from './support.js';
import { hasShellScripts, where } from '../../support/capabilities.js';

const root = temporaryFolder();
const plan = planOf('grid: { objective: [masked, scratch], seed: [0, 1] }\n');
const path = process.env.PATH;
afterEach(() => {
  process.env.PATH = path;
});

/** Programs of Slurm that keep a record of their calls; sbatch counts jobs from 1. */
function fakeSlurm(name: string, programs: Partial<Record<string, string>> = {}) {
  const folder = join(root, name);
  const calls = join(folder, 'calls');
  mkdirSync(folder);
  writeFileSync(calls, '');
  const scripts: Partial<Record<string, string>> = {
    sbatch: `grep -c ^sbatch ${calls}`,
    scontrol: 'echo "MaxArraySize = 1000"',
    squeue: 'true',
    sacct: 'echo "Slurm accounting storage is disabled" >&2; exit 1',
    scancel: 'true',
    ...programs,
  };
  for (const [program, body] of Object.entries(scripts)) {
    const file = join(folder, program);
    writeFileSync(file, `#!/bin/sh\necho ${program} "$@" >> ${calls}\n${body ?? ''}\n`);
    chmodSync(file, 0o755);
  }
  process.env.PATH = `${folder}:${path ?? ''}`;
  const results = join(folder, 'results');
  mkdirSync(results);
  return {
    results,
    calls: (program: string) =>
      readFileSync(calls, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${program} `)),
    submit: (second = 0) =>
      submitPlan({
        plan,
        results,
        options: NO_OPTIONS,
        device: 'simd',
        threads: 1,
        maxAttempts: 3,
        origin: '/results/provenance/origin.json',
        program: ['node', 'vitmim'],
        cwd: '/',
        now: new Date(Date.UTC(2026, 0, 1, 0, 0, second)),
      }),
  };
}

where(hasShellScripts(), describe)('submitting', () => {
  it('makes children wait for their parents', async () => {
    const { results, calls, submit } = fakeSlurm('plain');
    const submission = (await submit())!;
    const folder = join(results, 'slurm', '20260101-000000');
    expect(calls('sbatch')).toEqual([
      `sbatch --parsable ${folder}/level-0.sh`,
      `sbatch --parsable --dependency=aftercorr:1 --kill-on-invalid-dep=yes ${folder}/level-1.sh`,
    ]);
    expect(submission.arrays.map(({ job }) => job)).toEqual(['1', '2']);
    expect(readSubmissions(results)).toEqual([submission]);
    const { tasks } = submission.arrays[0]!;
    expect(readFileSync(join(folder, 'level-0.txt'), 'utf8')).toBe(
      tasks.map((t) => `${t.index} ${t.stage}\n`).join(''),
    );
    expect(JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'))).toEqual(plan);
  });

  it('cuts levels at the largest array of the cluster', async () => {
    const { calls, submit } = fakeSlurm('small', { scontrol: 'echo "MaxArraySize = 1"' });
    await submit();
    expect(calls('sbatch')).toHaveLength(6);
  });

  it('takes back what it submitted where Slurm then refuses', async () => {
    const { results, calls, submit } = fakeSlurm('refused', {
      sbatch: 'case "$*" in *aftercorr*) echo "QOSMaxSubmitJobPerUserLimit" >&2; exit 1;; *) echo 7;; esac',
    });
    await expect(submit()).rejects.toThrow(/QOSMaxSubmitJobPerUserLimit.*were cancelled/);
    expect(calls('scancel')).toEqual(['scancel 7']);
    expect(readSubmissions(results)[0]!.arrays).toHaveLength(1);
  });

  it('refuses while jobs of the folder are live', async () => {
    const { calls, submit } = fakeSlurm('live', {
      squeue: 'echo "1|0|COMPLETED|None|sweep.20260101-000000"; echo "1|1|PENDING|Resources|sweep.20260101-000000"',
    });
    await submit();
    await expect(submit(1)).rejects.toThrow(/1_1.*vitmim cancel/s);
    expect(calls('sbatch')).toHaveLength(2);
  });

  it('says that Slurm is not here', async () => {
    const { submit } = fakeSlurm('absent');
    process.env.PATH = join(root, 'nowhere');
    await expect(submit()).rejects.toThrow('scontrol is not installed here');
  });
});

where(hasShellScripts(), describe)('the states of submissions', () => {
  it('are not asked for where there are none', async () => {
    const { results, calls } = fakeSlurm('none');
    expect((await slurmStates(results)).size).toBe(0);
    expect(calls('squeue')).toEqual([]);
  });

  it('come from the accounts once the queue has forgotten the jobs', async () => {
    const { results, submit } = fakeSlurm('accounts', {
      squeue: 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1',
      sacct: 'echo "1_0|COMPLETED|None|sweep.20260101-000000"; echo "1_1|FAILED|None|another"',
    });
    const { arrays } = (await submit())!;
    expect([...(await slurmStates(results))]).toEqual([
      [arrays[0]!.tasks[0]!.stage, { state: 'COMPLETED', job: '1_0', reason: null }],
    ]);
  });

  it('are an error where Slurm does not answer', async () => {
    const { results, submit } = fakeSlurm('down', { squeue: 'echo "Unable to contact slurm controller" >&2; exit 1' });
    await submit();
    await expect(slurmStates(results)).rejects.toThrow('Unable to contact slurm controller');
  });

  it('need a results folder', async () => {
    await expect(slurmStates(join(root, 'nothing'))).rejects.toThrow('there is no results folder');
  });
});

where(hasShellScripts(), describe)('cancelling', () => {
  it('ends the arrays that are live, and no others', async () => {
    const name = 'sweep.20260101-000000';
    const { results, calls, submit } = fakeSlurm('cancel', {
      squeue: `echo "1|0|COMPLETED|None|${name}"; echo "2|0|RUNNING|None|${name}"; echo "2|1|PENDING|None|${name}"; echo "1|1|RUNNING|None|foreign"`,
    });
    await submit();
    expect(await cancelSubmissions(results)).toEqual({ jobs: ['2'], tasks: 2 });
    expect(calls('scancel')).toEqual(['scancel 2']);
  });

  it('is quiet where nothing is live', async () => {
    const { results, calls } = fakeSlurm('quiet');
    expect(await cancelSubmissions(results)).toEqual({ jobs: [], tasks: 0 });
    expect(calls('scancel')).toEqual([]);
    expect(existsSync(sweepPaths(results).plan)).toBe(false);
  });
});
