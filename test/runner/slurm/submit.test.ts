/** Submitting and cancelling, with shell scripts in the place of Slurm's programs. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askerOf } from '../../../src/decide/needs.js';
import { cancelSubmissions } from '../../../src/runner/slurm/cancel.js';
import { slurmStates } from '../../../src/runner/slurm/states.js';
import { submitPlan } from '../../../src/runner/slurm/submit.js';
import { readSubmissions } from '../../../src/runner/slurm/submission.js';
import { sweepPaths } from '../../../src/store/layout.js';
import { CLEAR, COMPARED, leaveSeeds, UNCLEAR } from '../../decide/support.js';
import { planOf, temporaryFolder } from '../support.js';
import { NO_OPTIONS } from './support.js';
import { hasShellScripts, onlyIf } from '../../support/capabilities.js';

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
  const given = (second: number) => ({
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
  });
  return {
    results,
    calls: (program: string) =>
      readFileSync(calls, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${program} `)),
    given,
    submit: (second = 0, except?: ReadonlySet<string>) =>
      submitPlan({ ...given(second), ...(except === undefined ? {} : { except }) }),
  };
}

onlyIf(hasShellScripts(), describe)('submitting', () => {
  it('makes children wait for their parents', async () => {
    const { results, calls, submit } = fakeSlurm('plain');
    const { submission: got, left } = await submit();
    expect(left).toBeNull();
    const submission = got!;
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

  it('takes back what it submitted if Slurm then refuses', async () => {
    const { results, calls, submit } = fakeSlurm('refused', {
      sbatch: 'case "$*" in *aftercorr*) echo "Invalid account" >&2; exit 1;; *) echo 7;; esac',
    });
    await expect(submit()).rejects.toThrow(/Invalid account.*were cancelled/);
    expect(calls('scancel')).toEqual(['scancel 7']);
    expect(readSubmissions(results)[0]!.arrays).toHaveLength(1);
  });

  /** An sbatch that accepts so many tasks in all, as a cluster with a submit limit does. */
  const accepting = (tasks: number): Partial<Record<string, string>> => ({
    sbatch: `
      for script; do :; done
      list="\${script%.sh}.txt"
      used=$(cat "$0.used" 2>/dev/null || echo 0)
      total=$((used + $(grep -c . "$list")))
      if [ $total -gt ${tasks} ]; then
        echo "sbatch: error: AssocMaxSubmitJobLimit" >&2
        echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy" >&2
        exit 1
      fi
      echo $total > "$0.used"
      grep -c ^sbatch "$(dirname "$0")/calls"`,
  });
  const submittedIn = (results: string): string[] =>
    readSubmissions(results).flatMap(({ arrays }) => arrays.flatMap(({ tasks }) => tasks.map(({ stage }) => stage)));

  it.each([1, 2, 3, 4, 5])('submits the %i tasks that a limit leaves room for, and says what is left', async (room) => {
    const { results, submit } = fakeSlurm(`room-${room}`, accepting(room));
    const { left } = await submit();
    expect(left).toEqual({ stages: 6 - room, reason: 'AssocMaxSubmitJobLimit' });
    const submitted = submittedIn(results);
    expect(new Set(submitted).size).toBe(room);
    // Parents before children: the first four of six stages have no parent to wait for.
    const roots = plan.stages.filter(({ parent }) => parent === null).map(({ id }) => id);
    expect(submitted.filter((id) => roots.includes(id))).toHaveLength(Math.min(room, 4));
  });

  it('leaves no submission behind if there is no room at all', async () => {
    const { results, submit } = fakeSlurm('no-room', accepting(0));
    expect(await submit()).toEqual({
      submission: null,
      live: 0,
      left: { stages: 6, reason: 'AssocMaxSubmitJobLimit' },
      open: null,
      unneeded: null,
    });
    expect(readdirSync(join(results, 'slurm'))).toEqual([]);
  });

  it('submits in a later wave what is neither done nor in Slurm', async () => {
    const state = join(root, 'queue');
    writeFileSync(state, '');
    const { results, calls, submit } = fakeSlurm('waves', { ...accepting(3), squeue: `cat ${state}` });
    const first = (await submit()).submission!;
    const name = first.jobName;
    const tasks = first.arrays.flatMap(({ job, tasks: own }) => own.map(({ index }) => `${job}|${index}`));
    expect(tasks).toHaveLength(3);
    // The first task has failed, two are live; the limit is lifted.
    const [failed, ...others] = tasks;
    writeFileSync(
      state,
      [`${failed!}|FAILED|None|${name}`, ...others.map((t) => `${t}|RUNNING|None|${name}`)].join('\n'),
    );
    writeFileSync(join(root, 'waves', 'sbatch.used'), '-100');
    const second = await submit(1);
    const live = first.arrays.flatMap(({ tasks: own }) => own.map(({ stage }) => stage)).slice(1);
    const again = second.submission!.arrays.flatMap(({ tasks: own }) => own.map(({ stage }) => stage));
    expect(second.live).toBe(2);
    expect(again.filter((stage) => live.includes(stage))).toEqual([]);
    const waiting = plan.stages.filter(({ parent }) => parent !== null && live.includes(parent));
    expect(again.length + live.length + waiting.length).toBe(6);
    expect(second.left?.stages ?? 0).toBe(waiting.length);
    expect(calls('scancel')).toEqual([]);
    expect(readSubmissions(results)).toHaveLength(2);
  });

  it('submits neither a stage that it shall leave nor what starts from it', async () => {
    const { results, submit } = fakeSlurm('except');
    const pretrain = plan.stages.find(({ config }) => config.kind === 'pretrain')!;
    const { left } = await submit(0, new Set([pretrain.id]));
    expect(left).toBeNull();
    expect(submittedIn(results)).toHaveLength(4);
  });

  it.each([
    ['the results folder', { results: '/tmp/a\nscancel --me' }],
    ['the working directory', { cwd: '/tmp/a\u0085b' }],
    ['the path of vitmim', { program: ['node', '/a\u001b[31m'] }],
    ['the line of --setup', { options: { ...NO_OPTIONS, setup: ['true\nfalse'] } }],
    ['the option of --sbatch', { options: { ...NO_OPTIONS, sbatch: [{ key: 'comment', value: 'a\rb' }] } }],
    ['the option of Slurm', { options: { ...NO_OPTIONS, account: 'a\nb' } }],
    ['the name of the sweep', { plan: { ...plan, name: 'a\nb' } }],
  ] as [string, Partial<Parameters<typeof submitPlan>[0]>][])('refuses a line break in %s', async (what, bad) => {
    const { calls, given } = fakeSlurm(`bad ${what}`);
    await expect(submitPlan({ ...given(0), ...bad })).rejects.toThrow(`${what} "`);
    expect(calls('sbatch')).toEqual([]);
  });

  it('says that Slurm is not here', async () => {
    const { submit } = fakeSlurm('absent');
    process.env.PATH = join(root, 'nowhere');
    await expect(submit()).rejects.toThrow('scontrol is not installed here');
  });
});

onlyIf(hasShellScripts(), describe)('the states of submissions', () => {
  it('are not queried if there are none', async () => {
    const { results, calls } = fakeSlurm('none');
    expect((await slurmStates(results)).size).toBe(0);
    expect(calls('squeue')).toEqual([]);
  });

  it('come from the accounts once the queue has forgotten the jobs', async () => {
    const { results, submit } = fakeSlurm('accounts', {
      squeue: 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1',
      sacct: 'echo "1_0|COMPLETED|None|sweep.20260101-000000"; echo "1_1|FAILED|None|another"',
    });
    const { arrays } = (await submit()).submission!;
    expect([...(await slurmStates(results))]).toEqual([
      [arrays[0]!.tasks[0]!.stage, { state: 'COMPLETED', job: '1_0', reason: null }],
    ]);
  });

  it('are an error if Slurm does not answer', async () => {
    const { results, submit } = fakeSlurm('down', { squeue: 'echo "Unable to contact slurm controller" >&2; exit 1' });
    await submit();
    await expect(slurmStates(results)).rejects.toThrow('Unable to contact slurm controller');
  });

  it('need a results folder', async () => {
    await expect(slurmStates(join(root, 'nothing'))).rejects.toThrow('there is no results folder');
  });
});

onlyIf(hasShellScripts(), describe)('cancelling', () => {
  it('ends the arrays that are live, and no others', async () => {
    const name = 'sweep.20260101-000000';
    const { results, calls, submit } = fakeSlurm('cancel', {
      squeue: `echo "1|0|COMPLETED|None|${name}"; echo "2|0|RUNNING|None|${name}"; echo "2|1|PENDING|None|${name}"; echo "1|1|RUNNING|None|foreign"`,
    });
    await submit();
    expect(await cancelSubmissions(results)).toEqual({ jobs: ['2'], tasks: 2 });
    expect(calls('scancel')).toEqual(['scancel 2']);
  });

  it('is quiet if nothing is live', async () => {
    const { results, calls } = fakeSlurm('quiet');
    expect(await cancelSubmissions(results)).toEqual({ jobs: [], tasks: 0 });
    expect(calls('scancel')).toEqual([]);
    expect(existsSync(sweepPaths(results).plan)).toBe(false);
  });
});

onlyIf(hasShellScripts(), describe)('if results decide how many seeds run', () => {
  it('submits the stages of the first look, and counts the others', async () => {
    const { calls, given } = fakeSlurm('first-look');
    const needs = askerOf(COMPARED, sweepPaths(given(0).results));
    const { submission, open, unneeded } = await submitPlan({ ...given(0), plan: COMPARED, needs: needs() });
    const submitted = submission!.arrays.flatMap(({ tasks }) => tasks.map(({ stage }) => stage));
    const first = COMPARED.stages.filter(({ config }) => config.seed < 2).map(({ id }) => id);
    expect(new Set(submitted)).toEqual(new Set(first));
    expect({ open, unneeded }).toEqual({ open: { stages: 6, why: 'needs the look at 2 seeds' }, unneeded: null });
    expect(calls('sbatch')).toHaveLength(2);
  });

  it('submits the stages of the next look once the results of the first one do not decide', async () => {
    const { given } = fakeSlurm('next-look');
    const paths = sweepPaths(given(0).results);
    await leaveSeeds(COMPARED, paths, 2, UNCLEAR);
    const next = await submitPlan({ ...given(0), plan: COMPARED, needs: askerOf(COMPARED, paths)() });
    const submitted = next.submission!.arrays.flatMap(({ tasks }) => tasks.map(({ stage }) => stage));
    const third = COMPARED.stages.filter(({ config }) => config.seed === 2).map(({ id }) => id);
    expect(new Set(submitted)).toEqual(new Set(third));
  });

  it('submits nothing once they do', async () => {
    const { given, calls } = fakeSlurm('decided-look');
    const paths = sweepPaths(given(0).results);
    await leaveSeeds(COMPARED, paths, 2, CLEAR);
    const end = await submitPlan({ ...given(0), plan: COMPARED, needs: askerOf(COMPARED, paths)() });
    expect(end).toEqual({
      submission: null,
      live: 0,
      left: null,
      open: null,
      unneeded: { stages: 6, why: 'decided at 2 seeds' },
    });
    expect(calls('sbatch')).toEqual([]);
  });
});
