/** Completion in zsh: one `_arguments` call for each command. The script works sourced, and as a file of `fpath`. */
import { singleQuoted } from '../../common/shell.js';
import { allCommands, type Candidates, type CommandModel, type OptionModel } from './model.js';

export function zshScript(program: CommandModel): string {
  const name = program.path[0]!;
  return [
    `#compdef ${name}`,
    `# Completion of ${name} in zsh, written by \`${name} completion zsh\`.`,
    ...allCommands(program).flatMap((command) => ['', ...commandFunction(command)]),
    '',
    '# Loaded from fpath this file is the function itself; sourced, it registers the function.',
    `if [[ $funcstack[1] == _${name} ]]; then`,
    `  _${name} "$@"`,
    'else',
    `  compdef _${name} ${name}`,
    'fi',
    '',
  ].join('\n');
}

const functionOf = ({ path }: CommandModel): string => `_${path.join('_')}`;

function commandFunction(command: CommandModel): string[] {
  const options = command.options.map(optionSpec);
  if (command.commands.length > 0) return groupFunction(command, options);
  const values = command.arguments.map(({ value, variadic }, index) =>
    singleQuoted(`${variadic ? '*' : index + 1}:${escape(value.label)}:${action(value)}`),
  );
  return [`${functionOf(command)}() {`, ...call('_arguments -S', [...options, ...values]), '}'];
}

function groupFunction(command: CommandModel, options: readonly string[]): string[] {
  const names = command.commands.map((nested) => nested.path.at(-1)!);
  return [
    `${functionOf(command)}() {`,
    '  local curcontext=$curcontext state line',
    '  local -a commands',
    '  typeset -A opt_args',
    ...call('_arguments -C -S', [...options, singleQuoted('1: :->command'), singleQuoted('*:: :->rest')]).map(
      (part, index, parts) => (index === parts.length - 1 ? `${part} && return` : part),
    ),
    '  case $state in',
    '    command)',
    '      commands=(',
    ...command.commands.map(
      (nested, index) => `        ${singleQuoted(`${names[index]!}:${escape(nested.description)}`)}`,
    ),
    '      )',
    '      _describe -t commands command commands',
    '      ;;',
    '    rest)',
    '      case $words[1] in',
    ...command.commands.map((nested, index) => `        ${names[index]!}) ${functionOf(nested)} ;;`),
    '      esac',
    '      ;;',
    '  esac',
    '}',
  ];
}

/** A command over several lines. */
function call(command: string, parts: readonly string[]): string[] {
  return [command, ...parts].map(
    (part, index) => `  ${index === 0 ? '' : '  '}${part}${index === parts.length ? '' : ' \\'}`,
  );
}

/** `'(-o --out)'{-o+,--out=}'[description]:folder:_files -/'`; values may follow with a space or an `=`. */
function optionSpec({ flags, description, value, repeatable }: OptionModel): string {
  const written = flags.map((flag) => (value === null ? flag : flag.startsWith('--') ? `${flag}=` : `${flag}+`));
  const others = repeatable ? "'*'" : singleQuoted(`(${flags.join(' ')})`);
  const names = written.length === 1 ? written[0]! : `{${written.join(',')}}`;
  const explanation = `[${description.replace(/[\\[\]]/g, '\\$&')}]`;
  const completion = value === null ? '' : `:${escape(value.label)}:${action(value)}`;
  return `${others}${names}${singleQuoted(explanation + completion)}`;
}

function action({ label, words, paths }: Candidates): string {
  const files = paths === 'folders' ? '_files -/' : paths === 'files' ? '_files' : '';
  if (words.length === 0) return files === '' ? ' ' : files;
  const listed = `(${words.join(' ')})`;
  return files === '' ? listed : `{_alternative "words:${escape(label)}:${listed}" "files:file:${files}"}`;
}

/** A colon ends a field. */
const escape = (text: string): string => text.replace(/[\\:]/g, '\\$&');
