import { Argument, Command, Option } from 'commander';
import { hinted } from '../../../src/cli/completion/hints.js';
import { allCommands, completionModel } from '../../../src/cli/completion/model.js';

const program = new Command('tool').description('A tool.').addCommand(
  new Command('run')
    .description('runs')
    .argument('<spec.yaml>', 'a spec')
    .argument('[folder...]', 'folders')
    .option('-n, --count <n>', 'how often')
    .option('-o, --out <stage folder>', 'where to')
    .option('--file <file...>', 'files')
    .option('--dry', 'nothing')
    .addOption(new Option('--set <key=value>', 'keys').default([]))
    .addOption(new Option('--how <name>', 'how').choices(['fast', 'slow']))
    .addOption(new Option('--secret', 'hidden').hideHelp()),
);
const [run] = completionModel(program).commands;

test('commands are named from the program down', () => {
  expect(allCommands(completionModel(program)).map(({ path }) => path.join(' '))).toEqual([
    'tool',
    'tool run',
    'tool help',
  ]);
});

test('values are told by their names, or by their choices', () => {
  expect(run!.options.map(({ flags, value }) => [flags.join(' '), value])).toEqual([
    ['-n --count', { label: 'n', words: [], paths: 'none' }],
    ['-o --out', { label: 'stage folder', words: [], paths: 'folders' }],
    ['--file', { label: 'file', words: [], paths: 'files' }],
    ['--dry', null],
    ['--set', { label: 'key=value', words: [], paths: 'none' }],
    ['--how', { label: 'name', words: ['fast', 'slow'], paths: 'none' }],
    ['-h --help', null],
  ]);
  expect(run!.options.filter(({ repeatable }) => repeatable).map(({ flags }) => flags[0])).toEqual(['--file', '--set']);
  expect(run!.arguments).toEqual([
    { value: { label: 'spec.yaml', words: [], paths: 'files' }, variadic: false },
    { value: { label: 'folder', words: [], paths: 'folders' }, variadic: true },
  ]);
});

test('help takes the names of commands', () => {
  const help = completionModel(program).commands.find(({ path }) => path.at(-1) === 'help')!;
  expect(help.arguments).toEqual([{ value: { label: 'command', words: ['run'], paths: 'none' }, variadic: false }]);
});

test('an argument may have words of its own, with files or without', () => {
  const own = (files: boolean): Command =>
    new Command('own').addArgument(hinted(new Argument('<what>'), { words: ['one'], files }));
  expect(completionModel(own(false)).arguments[0]!.value).toEqual({ label: 'what', words: ['one'], paths: 'none' });
  expect(completionModel(own(true)).arguments[0]!.value).toEqual({ label: 'what', words: ['one'], paths: 'files' });
});
