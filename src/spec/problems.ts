/** Problems of a spec, their locations, and the text that is printed for them. Plain text; the terminal adds colour. */
import { UsageError } from '../common/errors.js';
import type { Path } from '../common/tree.js';

/** The place of a value: in the spec file, or in a `--set` option. Lines and columns count from 1. */
export type Location =
  | { kind: 'file'; file: string; line: number; column: number; /** The whole line. */ text: string }
  | { kind: 'option'; option: string };

export interface Problem {
  /** The path in the spec, as in `grid.seed[1]`. Empty: the whole file. */
  path: string;
  location: Location;
  /** One sentence: what is wrong, the valid choices, the remedy. */
  readonly message: string;
}

/** A broken spec: every problem found in it, in the order of the file. */
export class SpecError extends UsageError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const ordered = [...problems].sort(byPlace);
    super(render(ordered));
    this.problems = ordered;
  }
}

/** Problems printed, and columns of a line shown with each. */
const SHOWN = 20;
const WIDTH = 100;

function render(problems: readonly Problem[]): string {
  const shown = problems.slice(0, SHOWN).map(renderProblem);
  if (problems.length > SHOWN) shown.push(`and ${problems.length - SHOWN} more problems`);
  return shown.join('\n\n');
}

function renderProblem({ location, message }: Problem): string {
  if (location.kind === 'option') return `${location.option}: ${message}`;
  const { file, line, column, text } = location;
  const margin = ' '.repeat(String(line).length);
  // For a long line, only the part around the column.
  const start = text.length <= WIDTH ? 0 : Math.max(0, Math.min(column - 1 - WIDTH / 2, text.length - WIDTH));
  const excerpt = text.slice(start, start + WIDTH);
  // Tabs are kept, so that the caret is below its character at any tab width.
  const indent = excerpt.slice(0, column - 1 - start).replace(/[^\t]/g, ' ');
  return `${file}:${line}:${column}: ${message}\n  ${line} | ${excerpt}\n  ${margin} | ${indent}^`;
}

function byPlace(a: Problem, b: Problem): number {
  if (a.location.kind === 'option' || b.location.kind === 'option') {
    return Number(a.location.kind === 'option') - Number(b.location.kind === 'option');
  }
  if (a.location.file !== b.location.file) return a.location.file < b.location.file ? -1 : 1;
  return a.location.line - b.location.line || a.location.column - b.location.column;
}

/** `grid.seed[1]` for ['grid', 'seed', 1]. */
export function formatPath(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}

/** A value for a message: text in quotes, short lists and mappings in full, an empty value as "nothing". */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = JSON.stringify(value);
  if (text.length <= 60) return text;
  if (typeof value === 'string') return `${text.slice(0, 57)}…"`;
  return Array.isArray(value) ? 'a list' : 'a mapping';
}
