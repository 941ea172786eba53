/** The command line as data, read off the commander program: what each shell's script is written from. */
import type { Argument, Command, Option } from 'commander';
import { inOneLine } from '../../common/printable.js';
import { hintOf } from './hints.js';

/** What a value can be completed with; no words and no paths for a free one, such as a number. */
export interface Candidates {
  /** For people: the name in the brackets. */
  label: string;
  words: readonly string[];
  paths: 'none' | 'files' | 'folders';
}

export interface OptionModel {
  /** `-o` and `--out`, the short one first. */
  flags: readonly string[];
  description: string;
  /** null: it takes no value. */
  value: Candidates | null;
  /** Takes all the values that follow. */
  variadic: boolean;
  /** May stand several times. */
  repeatable: boolean;
}

export interface ArgumentModel {
  value: Candidates;
  variadic: boolean;
}

export interface CommandModel {
  /** From the program's own name down: `['vitmim', 'data', 'fetch']`. */
  path: readonly string[];
  description: string;
  options: readonly OptionModel[];
  /** A command has either arguments or commands. */
  arguments: readonly ArgumentModel[];
  commands: readonly CommandModel[];
}

/** The model of a program. What is hidden in its help is not in it. */
export function completionModel(program: Command): CommandModel {
  return commandModel(program, []);
}

function commandModel(command: Command, parents: readonly Command[]): CommandModel {
  const lineage = [...parents, command];
  const parent = parents.at(-1);
  const help = command.createHelp();
  const visible = help.visibleCommands(command);
  return {
    path: lineage.map((member) => member.name()),
    description: firstLine(command.description()),
    options: help.visibleOptions(command).map(optionModel),
    arguments:
      parent !== undefined && isImplicitHelp(command, parent)
        ? [namesOf(parent)]
        : command.registeredArguments.map(argumentModel),
    commands: visible.map((nested) => commandModel(nested, lineage)),
  };
}

/** `vitmim help COMMAND`, which commander makes itself and lists nowhere but in the help. */
function isImplicitHelp(command: Command, parent: Command): boolean {
  return command.name() === 'help' && !parent.commands.includes(command);
}

function namesOf({ commands }: Command): ArgumentModel {
  const words = commands.map((command) => command.name());
  return { value: { label: 'command', words, paths: 'none' }, variadic: false };
}

function optionModel(option: Option): OptionModel {
  const { short, long, description, required, optional, variadic, argChoices, flags } = option;
  const label = /[<[](.+?)(?:\.\.\.)?[>\]]/.exec(flags)?.[1] ?? '';
  const words = argChoices ?? hintOf(option)?.words;
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description: firstLine(description),
    value:
      required || optional ? { label, words: words ?? [], paths: words === undefined ? pathsOf(label) : 'none' } : null,
    variadic,
    repeatable: variadic || Array.isArray(option.defaultValue),
  };
}

function argumentModel(argument: Argument): ArgumentModel {
  const label = argument.name();
  const hint = hintOf(argument);
  const words = argument.argChoices ?? hint?.words;
  const paths = words === undefined ? pathsOf(label) : hint?.files === true ? 'files' : 'none';
  return { value: { label, words: words ?? [], paths }, variadic: argument.variadic };
}

/** By its name: `<folder>`, `<stage folder>`; `<file>`, `<spec.yaml>`; anything else is no path. */
function pathsOf(label: string): Candidates['paths'] {
  if (/\bfolder\b/.test(label)) return 'folders';
  return /\bfile\b|\.\w+$/.test(label) ? 'files' : 'none';
}

/** The command and all below it. */
export function allCommands(command: CommandModel): CommandModel[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** A description, shortened for a list. */
const firstLine = (description: string): string => inOneLine(description.split('\n')[0]!);
