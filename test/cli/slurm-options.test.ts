import { Command } from 'commander';
import { addLauncherOptions, launcherOf, type SlurmChoices } from '../../src/cli/slurm-options.js';

/** Reads options as `vitmim sweep` does. */
function read(...args: string[]): ReturnType<typeof launcherOf> {
  const command = addLauncherOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return launcherOf(command.parse(args, { from: 'user' }).opts<SlurmChoices>());
}

describe('the launcher', () => {
  it('is local by default', () => {
    expect(read()).toBe('local');
  });

  it('leaves what is not said to the cluster', () => {
    expect(read('--launcher', 'slurm')).toEqual({
      partition: null,
      qos: null,
      gpus: null,
      cpus: null,
      mem: null,
      time: null,
      arrayParallelism: null,
      setup: [],
      account: null,
      constraint: null,
      reservation: null,
      exclude: null,
      sbatch: [],
    });
  });

  it('takes every option of Slurm', () => {
    const args = '--partition a,b --qos q --gpus a100:2 --cpus 8 --mem 16G --time 1-12 --array-parallelism 4';
    const more = '--account lab --constraint a100&nvlink --reservation r --exclude node[1-3] --sbatch exclusive'.split(
      ' ',
    );
    const setup = ['--setup', 'one', '--setup', 'two words', '--sbatch', 'comment=a run = mine'];
    expect(read('--launcher', 'slurm', ...args.split(' '), ...more, ...setup)).toEqual({
      partition: 'a,b',
      qos: 'q',
      gpus: 'a100:2',
      cpus: 8,
      mem: '16G',
      time: '1-12',
      arrayParallelism: 4,
      setup: ['one', 'two words'],
      account: 'lab',
      constraint: 'a100&nvlink',
      reservation: 'r',
      exclude: 'node[1-3]',
      sbatch: [
        { key: 'exclusive', value: null },
        { key: 'comment', value: 'a run = mine' },
      ],
    });
  });

  it.each(['--partition', '--qos', '--gpus', '--cpus', '--mem', '--time', '--array-parallelism', '--setup'])(
    'must be Slurm for %s',
    (flag) => {
      expect(() => read(flag, '1')).toThrow(`${flag} is an option of --launcher slurm`);
    },
  );

  it('has no --jobs on Slurm', () => {
    expect(() => launcherOf({ launcher: 'slurm', jobs: 4 })).toThrow('--array-parallelism');
  });

  it.each([
    ['--partition', 'a b'],
    ['--gpus', '0'],
    ['--mem', '16 G'],
    ['--time', '4h'],
    ['--cpus', '0'],
    ['--account', 'a\nb'],
    ['--constraint', 'a b'],
    ['--exclude', 'a;b'],
    ['--setup', 'true\nscancel --me'],
    ['--sbatch', 'comment=a\n#SBATCH --account=other'],
    ['--sbatch', '--comment=a'],
    ['--sbatch', 'comment='],
    ['--sbatch', 'array=0-9'],
    ['--sbatch', 'output=/dev/null'],
  ])('refuses %s %s', (flag, value) => {
    expect(() => read('--launcher', 'slurm', flag, value)).toThrow(flag);
  });

  it('names its own option if --sbatch repeats one', () => {
    expect(() => read('--launcher', 'slurm', '--sbatch', 'gpus-per-node=2')).toThrow('use --gpus instead');
  });

  it.each(['90', '90:00', '4:00:00', '2-0', '2-12:30', '2-12:30:00'])('takes the time %s', (time) => {
    expect(read('--launcher', 'slurm', '--time', time)).toMatchObject({ time });
  });
});
