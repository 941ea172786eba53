/** The code that is not mutated, with the reasons. */
import type { Operator } from './operators.js';

export interface Ignored {
  /** Files, as the beginning of their path; all by default. */
  files?: string;
  /** Only mutants of these operators; all by default. */
  operators?: readonly Operator[];
  /** Only lines of the source that match; all by default. */
  line?: RegExp;
  reason: string;
}

export const IGNORED: readonly Ignored[] = [
  {
    files: 'src/report/html/',
    operators: ['literal'],
    reason: 'widths, margins and radii of charts in pixels: looks, not numbers that are reported',
  },
  { files: 'src/report/html/style.ts', reason: 'CSS' },
  { line: /STEPS_PER_READING|SHOW_EVERY_MS|SAVE_EVERY/, reason: 'how often something is shown or kept, not what' },
  { line: /performance\.now\(\)|Date\.now\(\)/, reason: 'the clock: tests never depend on time' },
  { line: /^\s*(\/\/|\*|\/\*)/, reason: 'comments' },
  {
    line: /\.(describe|meta)\(/,
    reason: 'help texts of the JSON Schema, which a test compares with the committed file',
  },
];

export function isIgnored(file: string, operator: Operator, line: string): boolean {
  return IGNORED.some(
    ({ files, operators, line: pattern }) =>
      (files === undefined || file.startsWith(files)) &&
      (operators === undefined || operators.includes(operator)) &&
      (pattern === undefined || pattern.test(line)),
  );
}
