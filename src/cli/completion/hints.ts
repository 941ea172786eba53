/** Suggestions for an argument or the value of an option. Unlike choices, they do not exclude other values. */
import type { Argument, Option } from 'commander';

export interface CompletionHint {
  words: readonly string[];
  /** Files besides. */
  files: boolean;
}

const hints = new WeakMap<Argument | Option, CompletionHint>();

/** Has shells complete these for the argument or the value of the option, without refusing any other. */
export function hinted<Of extends Argument | Option>(argument: Of, hint: CompletionHint): Of {
  hints.set(argument, hint);
  return argument;
}

export function hintOf(argument: Argument | Option): CompletionHint | undefined {
  return hints.get(argument);
}
