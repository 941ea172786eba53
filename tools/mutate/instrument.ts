/**
 * All mutants of a file in one text: `(__planted(17) ? (a - b) : (a + b))`. An environment variable of the process
 * selects the planted one, so that a tree of files is compiled once for all mutants.
 */
import ts from 'typescript';
import { groupBy } from '../../src/common/group-by.js';
import type { Numbered } from './mutants.js';
import { PLANTED_VARIABLE, REACHED_VARIABLE, RECORDER_VARIABLE } from './variables.js';

/**
 * The module that instrumented files import. While reach is recorded, each process writes the number of a mutant once
 * between two calls of `__forgetReached`; a star marks those of child processes and of other threads.
 */
export const SWITCH = `
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
const planted = Number(process.env.${PLANTED_VARIABLE} ?? 0);
const file = process.env.${REACHED_VARIABLE};
const mark = isMainThread && process.env.${RECORDER_VARIABLE} === String(process.pid) ? '' : '*';
let seen = new Uint8Array(1 << 16);
globalThis.__forgetReached = () => seen.fill(0);
const record = (id) => {
  if (seen[id] === 0) {
    seen[id] = 1;
    appendFileSync(file, mark + id + '\\n');
  }
  return false;
};
export const __planted = file === undefined ? (id) => id === planted : record;
`;

/** The JavaScript of a file with its mutants; none is planted unless the environment selects one. */
export function instrument(text: string, mutants: readonly Numbered[], switchModule: string): string {
  const places = groupBy(mutants, ({ start, end, isStatement }) => `${start} ${end} ${isStatement}`);
  // Outer places first. If a statement and an expression have the same text, the statement is the outer one.
  const sorted = [...places.values()].sort(
    ([a], [b]) => a!.start - b!.start || b!.end - a!.end || Number(b!.isStatement) - Number(a!.isStatement),
  );
  const body = render(text, 0, text.length, sorted);
  const { outputText, diagnostics } = ts.transpileModule(`import { __planted } from '${switchModule}'; ${body}`, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
    reportDiagnostics: true,
  });
  for (const { messageText, start = 0 } of diagnostics ?? []) {
    const code = body.slice(Math.max(0, start - 200), start + 100);
    throw new Error(`a mutant does not parse: ${ts.flattenDiagnosticMessageText(messageText, ' ')}, in …${code}…`);
  }
  return outputText;
}

/** The text from `from` to `to`, with the mutants of the given places, which are inside it. */
function render(text: string, from: number, to: number, places: readonly Numbered[][]): string {
  let [written, at, next] = ['', from, 0];
  while (next < places.length) {
    const own = places[next]!;
    const { start, end, isStatement } = own[0]!;
    let after = next + 1;
    while (after < places.length && places[after]![0]!.start < end) after++;
    const original = render(text, start, end, places.slice(next + 1, after));
    const inPlace = isStatement
      ? own.reduceRight(
          (rest, { id, replacement }) => `if (__planted(${id})) { ${replacement} } else { ${rest} }`,
          original,
        )
      : own.reduceRight(
          (rest, { id, replacement }) => `(__planted(${id}) ? (${replacement}) : ${rest})`,
          `(${original})`,
        );
    written += text.slice(at, start) + inPlace;
    [at, next] = [end, after];
  }
  return written + text.slice(at, to);
}
