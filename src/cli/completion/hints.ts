/** What an argument may be, where that is more than its name says and less than a choice: others are taken as well. */
import type { Argument } from 'commander';

export interface Hint {
  words: readonly string[];
  /** Files besides. */
  files: boolean;
}

const hints = new WeakMap<Argument, Hint>();

/** Has shells complete these for the argument, without refusing any other. */
export function hinted(argument: Argument, hint: Hint): Argument {
  hints.set(argument, hint);
  return argument;
}

export function hintOf(argument: Argument): Hint | undefined {
  return hints.get(argument);
}
