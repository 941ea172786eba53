/** Completion in fish: one line an option, each under the condition that its command was named. */
import { allCommands, type Candidates, type CommandModel, type OptionModel } from './model.js';

export function fishScript(program: CommandModel): string {
  const name = program.path[0]!;
  const functions = { at: `__${name}_at`, in: `__${name}_in` };
  return [
    `# Completion of ${name} in fish, written by \`${name} completion fish\`.`,
    '',
    `function __${name}_said --description 'the words so far without options'`,
    "    string match --invert -- '-*' (commandline --tokenize --current-process --cut-at-cursor)[2..]",
    'end',
    '',
    `function ${functions.at} --description 'whether exactly this command was named'`,
    `    set -l said (__${name}_said)`,
    '    test "$said" = "$argv"',
    'end',
    '',
    `function ${functions.in} --description 'whether this command was named, with any arguments'`,
    '    set -l count (count $argv)',
    `    set -l said (__${name}_said)`,
    '    test (count $said) -ge $count; and test "$said[1..$count]" = "$argv"',
    'end',
    '',
    `complete --command ${name} --no-files`,
    ...allCommands(program).flatMap((command) => commandLines(command, name, functions)),
    '',
  ].join('\n');
}

function commandLines(command: CommandModel, name: string, functions: { at: string; in: string }): string[] {
  const below = command.path.slice(1).join(' ');
  const test = command.commands.length > 0 ? functions.at : functions.in;
  const start = `complete --command ${name} --condition ${quote(`${test} ${below}`.trim())}`;
  return [
    '',
    ...command.commands.map(
      (nested) => `${start} --arguments ${quote(nested.path.at(-1)!)} --description ${quote(nested.description)}`,
    ),
    ...command.options.map((option) => `${start} ${optionPart(option)}`),
    ...command.arguments.flatMap(({ value }) => {
      const completion = valuePart(value);
      return completion === '' ? [] : [`${start} ${completion}`];
    }),
  ];
}

function optionPart({ flags, description, value }: OptionModel): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `--long-option ${flag.slice(2)}` : `--short-option ${flag.slice(1)}`,
  );
  // Exclusive: without the files that the command itself may take.
  const kind = value?.paths === 'files' ? '--require-parameter' : '--exclusive';
  const completion = value === null ? '' : `${kind} ${valuePart(value)}`;
  return [...names, completion, `--description ${quote(description)}`]
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ');
}

/** Files are offered only if a file is expected. */
function valuePart({ words, paths }: Candidates): string {
  const folders = paths === 'folders' ? ['(__fish_complete_directories)'] : [];
  const listed = [...words, ...folders];
  return [
    ...(paths === 'files' ? ['--force-files'] : []),
    ...(listed.length > 0 ? [`--arguments ${quote(listed.join(' '))}`] : []),
  ].join(' ');
}

const quote = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
