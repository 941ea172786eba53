import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { submissionPaths } from '../../../src/runner/slurm/layout.js';
import { scriptOf, type ScriptOptions } from '../../../src/runner/slurm/script.js';
import { temporaryFolder } from '../support.js';
import { NO_OPTIONS } from './support.js';
import { hasShellScripts, onlyIf } from '../../support/capabilities.js';

const given: ScriptOptions = {
  array: { name: 'level-0', parent: null, tasks: [0, 1, 4].map((index) => ({ index, stage: `stage${index}` })) },
  jobName: 'smoke.20260101-000000',
  options: NO_OPTIONS,
  paths: submissionPaths('/results', '20260101-000000'),
  results: '/results',
  cwd: '/home/user',
  program: ['/bin/node', '/vitmim.js'],
  device: 'auto',
  threads: 4,
  maxAttempts: 3,
  origin: '/results/provenance/origin.json',
};

onlyIf(hasShellScripts(), describe)('the script of an array', () => {
  it('asks for nothing that was not chosen', () => {
    const directives = scriptOf(given)
      .split('\n')
      .filter((line) => line.startsWith('#SBATCH'));
    expect(directives).toEqual([
      '#SBATCH --job-name=smoke.20260101-000000',
      '#SBATCH --array=0-1,4',
      '#SBATCH --nodes=1',
      '#SBATCH --ntasks=1',
      '#SBATCH --chdir=/home/user',
      '#SBATCH --output=/results/slurm/20260101-000000/level-0-%A_%a.log',
      '#SBATCH --open-mode=append',
      '#SBATCH --signal=B:USR1@90',
      '#SBATCH --requeue',
    ]);
  });

  it('asks for what was chosen', () => {
    const chosen = { partition: 'gpu', qos: 'high', gpus: 'a100:1', cpus: 4, mem: '16G', time: '4:00:00' };
    const text = scriptOf({
      ...given,
      options: { ...NO_OPTIONS, ...chosen, arrayParallelism: 8, setup: ['module load node'] },
    });
    for (const directive of [
      '--array=0-1,4%8',
      '--partition=gpu',
      '--qos=high',
      '--gpus-per-node=a100:1',
      '--cpus-per-task=4',
      '--mem=16G',
      '--time=4:00:00',
    ]) {
      expect(text).toContain(`#SBATCH ${directive}\n`);
    }
    expect(text.indexOf('module load node')).toBeLessThan(text.indexOf('exec '));
  });

  it('passes every other option on, in quotes if it needs them', () => {
    const options = {
      ...NO_OPTIONS,
      account: 'lab',
      constraint: '[rack1|rack2]&nvlink',
      reservation: 'night',
      exclude: 'node[1-3]',
      sbatch: [
        { key: 'comment', value: 'a "run" of mine # 1' },
        { key: 'exclusive', value: null },
      ],
    };
    const text = scriptOf({ ...given, options });
    for (const directive of [
      '--account=lab',
      '--constraint="[rack1|rack2]&nvlink"',
      '--reservation=night',
      '--exclude="node[1-3]"',
      '--comment="a \\"run\\" of mine # 1"',
      '--exclusive',
    ]) {
      expect(text).toContain(`#SBATCH ${directive}\n`);
    }
    expect(text.lastIndexOf('#SBATCH')).toBeLessThan(text.indexOf('set -e'));
  });

  it('doubles what Slurm would take for a pattern in the path of its log', () => {
    const paths = submissionPaths('/50% done', 'x');
    expect(scriptOf({ ...given, paths })).toContain(`--output="/50%% done/slurm/x/level-0-%A_%a.log"`);
  });

  // Run by a shell, with a folder that needs quotes and `echo` in the place of vitmim.
  const folder = join(temporaryFolder(), `it's "all" $HOME`);
  const run = (index: number, setup: string[]): string => {
    const paths = submissionPaths(folder, 'x');
    mkdirSync(paths.folder, { recursive: true });
    writeFileSync(paths.list('level-0'), '0 aaa\n1 bbb\n11 ccc\n');
    const text = scriptOf({ ...given, results: folder, paths, program: ['echo'], options: { ...NO_OPTIONS, setup } });
    const env = { ...process.env, SLURM_ARRAY_TASK_ID: String(index) };
    return execFileSync('bash', ['-c', text], { env, encoding: 'utf8', stdio: 'pipe' }).trim();
  };

  it('runs the stage of its index', () => {
    const plan = submissionPaths(folder, 'x').plan;
    const chosen = `--plan ${plan} --origin /results/provenance/origin.json --device auto --threads 4 --max-attempts 3`;
    expect(run(1, [])).toBe(`stage ${folder} bbb ${chosen}`);
    expect(run(11, [])).toContain(' ccc ');
  });

  it('runs nothing if its preparation fails', () => {
    expect(() => run(1, ['false'])).toThrow();
  });

  it('runs nothing if the list does not have its index', () => {
    expect(() => run(5, [])).toThrow('index 5');
  });
});
