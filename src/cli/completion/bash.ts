/**
 * Completion in bash, from 3.2 on and without the bash-completion package. The script is two tables made from the model
 * and a fixed part that walks the words before the cursor.
 */
import { singleQuoted } from '../../common/shell.js';
import { allCommands, type Candidates, type CommandModel } from './model.js';

export function bashScript(program: CommandModel): string {
  const name = program.path[0]!;
  return [
    `# Completion of ${name} in bash, written by \`${name} completion bash\`.`,
    '',
    '# The completions for the value of option $2 of command $1; fails if the option has no value.',
    `_${name}_option() {`,
    "  words='' paths=none many=''",
    '  case "$1 $2" in',
    ...allCommands(program).flatMap(optionCases),
    '    *) return 1 ;;',
    '  esac',
    '}',
    '',
    '# What completes command $1 and, as its argument number $2 from 0, a value.',
    `_${name}_command() {`,
    "  commands='' options='' words='' paths=none",
    '  case "$1" in',
    ...allCommands(program).flatMap(commandCase),
    '  esac',
    '}',
    WALK.replaceAll('NAME', name),
  ].join('\n');
}

function optionCases({ path, options }: CommandModel): string[] {
  return options.flatMap(({ flags, value, variadic }) => {
    if (value === null) return [];
    const patterns = flags.map((flag) => singleQuoted([...path, flag].join(' '))).join(' | ');
    return [`    ${patterns}) ${[...assignments(value), ...(variadic ? ['many=1'] : [])].join(' ') || ':'} ;;`];
  });
}

function commandCase({ path, options, commands, arguments: args }: CommandModel): string[] {
  const names = commands.map((command) => command.path.at(-1)!);
  return [
    `    ${singleQuoted(path.join(' '))})`,
    ...(names.length === 0 ? [] : [`      commands=${singleQuoted(names.join(' '))}`]),
    `      options=${singleQuoted(options.flatMap(({ flags }) => flags).join(' '))}`,
    ...(args.length === 0 ? [] : ['      case $2 in', ...args.map(argumentCase), '      esac']),
    '      ;;',
  ];

  function argumentCase({ value, variadic }: CommandModel['arguments'][number], index: number): string {
    return `        ${variadic ? '*' : index}) ${assignments(value).join(' ') || ':'} ;;`;
  }
}

function assignments({ words, paths }: Candidates): string[] {
  return [
    ...(words.length === 0 ? [] : [`words=${singleQuoted(words.join(' '))}`]),
    ...(paths === 'none' ? [] : [`paths=${paths}`]),
  ];
}

/**
 * bash splits words at `=`, so `--out=x` is three words, or one if it is configured otherwise. Both cases are handled.
 */
const WALK = `
# Adds what begins with $1, each with $2 in front.
_NAME_reply() {
  local beginning=$1 candidate home=''
  # Words are as they were typed: quotes and backslashes are no part of a file's name, and ~ is the home folder.
  beginning=\${beginning#[\\"\\']}
  beginning=\${beginning//\\\\/}
  [[ $beginning == '~/'* ]] && home=$HOME beginning=$HOME\${beginning#\\~}
  while IFS= read -r candidate; do
    [[ -n $home ]] && candidate='~'\${candidate#"$home"}
    COMPREPLY+=("$2$candidate")
  done < <(
    [[ -n $words ]] && compgen -W "$words" -- "$beginning"
    case $paths in
      files) compgen -f -- "$beginning" ;;
      folders) compgen -d -- "$beginning" ;;
    esac
  )
  # Has readline quote names and end folders with a slash; bash 3.2 cannot.
  [[ $paths == none ]] || compopt -o filenames 2> /dev/null
}

_NAME() {
  local current=\${COMP_WORDS[COMP_CWORD]} command=NAME position=0 pending='' literal='' front='' i word
  local commands options words paths many
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then
      # After an option its value comes; elsewhere it is inside a value, whose rest is passed over.
      [[ -n $pending ]] || i=$((i + 1))
    elif [[ -z $literal && $word == -- ]]; then
      literal=1 pending=''
    elif [[ -z $literal && $word == -* ]]; then
      pending=''
      if [[ $word != *=* ]] && _NAME_option "$command" "$word"; then pending=$word; fi
    elif [[ -n $pending ]]; then
      [[ -n $many ]] || pending=''
    else
      _NAME_command "$command" "$position"
      case " $commands " in
        *" $word "*) command="$command $word" ;;
        *) position=$((position + 1)) ;;
      esac
    fi
  done
  ((i > COMP_CWORD)) && return
  if [[ $current == '=' ]]; then
    [[ -n $pending ]] || return
    current=''
  elif [[ -z $literal && $current == -*=* ]]; then
    pending=\${current%%=*}
    front=$pending=
    current=\${current#*=}
    _NAME_option "$command" "$pending" || return
  fi
  if [[ -n $pending && $current != -* ]]; then
    _NAME_option "$command" "$pending"
  else
    _NAME_command "$command" "$position"
    if [[ -z $literal && $current == -* ]]; then
      words=$options paths=none
    elif [[ -n $commands ]]; then
      words=$commands
    fi
  fi
  _NAME_reply "$current" "$front"
}

complete -F _NAME NAME
`;
