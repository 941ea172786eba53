/** The scripts that complete vitmim, tried in the shells themselves if they are installed; bash must be. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SHELLS, type Shell } from '../../../src/cli/completion.js';
import { vitmim } from '../../support/cli.js';
import { temporaryFolder } from '../../runner/support.js';
import { hasShellScripts, onlyIf } from '../../support/capabilities.js';

const root = temporaryFolder();
for (const folder of ['results/one', 'a folder', 'home']) mkdirSync(join(root, folder), { recursive: true });
for (const file of ['spec.yaml', 'a file.yaml', 'home/mine.yaml']) writeFileSync(join(root, file), '');

const texts = {} as Record<Shell, string>;
const fileOf = (shell: Shell): string => join(root, `completion.${shell}`);
beforeAll(async () => {
  for (const shell of SHELLS) {
    const { code, stdout, stderr } = await vitmim(['completion', shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    writeFileSync(fileOf(shell), (texts[shell] = stdout));
  }
});

const COMMANDS =
  'sweep plan status cancel report compare power export embed verify clean train preview data blas doctor schema completion help'.split(
    ' ',
  );
const DEVICES = ['auto', 'tensorflow', 'webgpu', 'simd', 'cpu'];

/** What bash offers when Tab is pressed after these words, the last of them perhaps half typed. */
function bash(...words: string[]): string[] {
  const script =
    'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vitmim; printf "%s\\n" "${COMPREPLY[@]}"';
  const args = ['--norc', '--noprofile', '-c', script, 'bash', fileOf('bash'), 'vitmim', ...words];
  const env = { ...process.env, HOME: join(root, 'home') };
  const { stdout, stderr, status } = spawnSync('bash', args, { cwd: root, env, encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').filter((line) => line !== '');
}

onlyIf(hasShellScripts(), describe)('bash', () => {
  const TOP = ['results', 'a folder', 'home'];

  test.each([
    ['commands', [''], COMMANDS],
    ['a command half typed', ['sw'], ['sweep']],
    ['options of the program', ['-'], ['-V', '--version', '-h', '--help']],
    ['options of a command', ['sweep', '--dr'], ['--dry-run']],
    ['options of that command only', ['plan', '--d'], []],
    ['options after an argument', ['report', 'results', '--al'], ['--all', '--allow-missing', '--allow-unhealthy']],
    ['choices of an option', ['sweep', 'spec.yaml', '--device', ''], DEVICES],
    ['a choice half typed', ['sweep', '--device', 'w'], ['webgpu']],
    ['a choice after =, which bash cuts off', ['sweep', '--device', '=', 's'], ['simd']],
    ['a choice right after =', ['sweep', '--device', '='], DEVICES],
    ['a choice after = if bash does not split there', ['sweep', '--device=s'], ['--device=simd']],
    ['commands of a command', ['data', ''], ['fetch', 'help']],
    ['words of an argument', ['data', 'fetch', 'cifar1'], ['cifar10', 'cifar100']],
    ['choices of an argument', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['commands to get help on', ['help', 'do'], ['doctor']],
    ['nothing after the last argument', ['completion', 'bash', ''], []],
    ['nothing for a number', ['sweep', '--jobs', ''], []],
    ['nothing inside a value', ['sweep', '--set', 'job.seed', '='], []],
    ['nothing after = of a flag', ['sweep', '--json=s'], []],
    ['files of an argument', ['sweep', 's'], ['spec.yaml']],
    ['files after a number', ['sweep', '--jobs', '2', 's'], ['spec.yaml']],
    ['files after a value with =', ['sweep', '--set', 'job.seed', '=', '1', 's'], ['spec.yaml']],
    ['files after --', ['sweep', '--', 's'], ['spec.yaml']],
    ['no second file if there is one argument', ['sweep', 'spec.yaml', 's'], []],
    ['files with spaces', ['sweep', 'a\\ fi'], ['a file.yaml']],
    ['files in quotes', ['sweep', '"a fi'], ['a file.yaml']],
    ['files of the home folder', ['sweep', '~/m'], ['~/mine.yaml']],
    ['files one after the other', ['preview', '--image', 'spec.yaml', 'a\\ fi'], ['a file.yaml']],
    ['options after such files', ['preview', '--image', 'spec.yaml', '--np'], ['--npy']],
    ['words and files', ['preview', 'scr'], ['scratch']],
    ['folders of an option', ['sweep', '--out', ''], TOP],
    ['folders of a short option', ['sweep', '-o', 'res'], ['results']],
    ['folders of an argument, and of the next', ['report', 'results', 'results/'], ['results/one']],
  ])('offers %s', (_what, words, expected) => {
    expect(bash(...words).sort()).toEqual([...expected].sort());
  });

  test('completes the command', () => {
    const script = 'source "$1"; complete -p vitmim';
    const shown = execFileSync('bash', ['--norc', '-c', script, 'bash', fileOf('bash')], { encoding: 'utf8' });
    expect(shown.trim()).toBe('complete -F _vitmim vitmim');
  });
});

const isInstalled = (shell: Shell): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

describe('zsh', () => {
  test('is told every command, with options, choices and files', () => {
    for (const command of COMMANDS) expect(texts.zsh).toContain(`_vitmim_${command}() {`);
    expect(texts.zsh).toMatch(/^#compdef vitmim\n/);
    expect(texts.zsh).toContain("'(--device)'--device='[device that computes]:name:(auto tensorflow webgpu simd cpu)'");
    expect(texts.zsh).toContain("'1:spec.yaml:_files'");
    expect(texts.zsh).toContain("'*:folder:_files -/'");
    expect(texts.zsh).toContain("'preview:draw the effect of objectives on images\\: original");
    expect(texts.zsh).toContain("'*'--set=");
    expect(texts.zsh).toContain('_alternative "words:what:(scratch ');
  });

  (isInstalled('zsh') ? test : test.skip)('can read it', () => {
    expect(spawnSync('zsh', ['-n', fileOf('zsh')], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('fish', () => {
  test('is told every command, with options, choices and files', () => {
    for (const command of COMMANDS) expect(texts.fish).toContain(`--condition '__vitmim_at' --arguments '${command}'`);
    expect(texts.fish).toContain(
      "--condition '__vitmim_in sweep' --long-option device --exclusive --arguments 'auto tensorflow webgpu simd cpu'",
    );
    expect(texts.fish).toContain("--condition '__vitmim_in sweep' --force-files\n");
    expect(texts.fish).toContain("--condition '__vitmim_in data fetch' --arguments 'cifar10 cifar100'");
  });

  const installed = isInstalled('fish') ? test : test.skip;

  installed('can read it', () => {
    expect(spawnSync('fish', ['-n', fileOf('fish')], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  installed.each([
    ['vitmim sw', ['sweep']],
    ['vitmim sweep --dr', ['--dry-run']],
    ['vitmim sweep --device s', ['simd']],
    ['vitmim sweep --device=s', ['--device=simd']],
    ['vitmim sweep sp', ['spec.yaml']],
    ['vitmim data fetch cifar1', ['cifar10', 'cifar100']],
    ['vitmim data fe', ['fetch']],
    ['vitmim help do', ['doctor']],
    ['vitmim completion ', ['bash', 'fish', 'zsh']],
  ])('offers after %j', (line, expected) => {
    const script = `source ${fileOf('fish')}; complete --do-complete '${line}'`;
    const env = { ...process.env, HOME: join(root, 'home') };
    const { stdout } = spawnSync('fish', ['--no-config', '-c', script], { cwd: root, env, encoding: 'utf8' });
    const offered = stdout.split('\n').filter((text) => text !== '');
    expect(offered.map((text) => text.split('\t')[0]).sort()).toEqual(expected);
  });
});
