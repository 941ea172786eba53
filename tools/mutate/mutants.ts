/** The mutants of a source file: one small change each, which a test should detect. */
import { createHash } from 'node:crypto';
import ts from 'typescript';
import { isIgnored } from './ignored.js';
import type { NamedFault } from './named.js';
import { changesOf, type Change, type Operator } from './operators.js';

export interface Mutant {
  /** The file's path from the root of the repository, with `/`. */
  file: string;
  /** From 1. */
  line: number;
  /** Offset of the changed text in the file. */
  start: number;
  end: number;
  /** Whether the change is of a statement, or of an expression. */
  isStatement: boolean;
  operator: Operator;
  original: string;
  replacement: string;
  /** The name of a {@link NamedFault}. */
  name?: string;
  /**
   * Identifies the mutant, independently of other changes to its file: the same change of the same text has the same
   * key.
   */
  key: string;
}

/** A mutant with its number among all, from 1. */
export interface Numbered extends Mutant {
  id: number;
}

export const sha = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** All mutants of a file, including its named faults. */
export function mutantsOf(file: string, text: string, named: readonly NamedFault[] = []): Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const lines = text.split('\n');
  const changes: (Change & { name?: string })[] = [];
  const visit = (node: ts.Node): void => {
    if (isSkipped(node)) return;
    changes.push(...changesOf(node, source));
    ts.forEachChild(node, visit);
  };
  visit(source);

  const lineOf = (node: ts.Node): number => source.getLineAndCharacterOfPosition(node.getStart(source)).line;
  const generic = changes.filter(({ operator, node }) => !isIgnored(file, operator, lines[lineOf(node)]!));
  const faults = named.map(({ name, ...fault }) => ({
    name,
    operator: 'named' as const,
    node: nodeOf(fault, source),
    text: fault.replace,
  }));
  const seen = new Map<string, number>();
  const places = new Set<string>();
  return [...faults, ...generic].flatMap((change): Mutant[] => {
    const { node, operator, text: replacement } = change;
    const [start, end] = [node.getStart(source), node.getEnd()];
    const original = text.slice(start, end);
    const place = `${start} ${end} ${replacement}`;
    if (places.has(place) || oneLine(original) === oneLine(replacement)) return [];
    places.add(place);
    const what = `${file} ${operator} ${original} → ${replacement}`;
    const times = seen.get(what) ?? 0;
    seen.set(what, times + 1);
    return [
      {
        file,
        line: lineOf(node) + 1,
        start,
        end,
        isStatement: ts.isStatement(node),
        operator,
        original,
        replacement,
        ...('name' in change && { name: change.name }),
        key: sha(`${what} ${times}`),
      },
    ];
  });
}

/** `src/ops/op.ts:12  a - b → a + b` */
export function describeMutant({ file, line, ...mutant }: Mutant): string {
  return `${file}:${line}  ${describeChange(mutant)}`;
}

/** `` `a - b` → `a + b` ``, each side on one line and shortened. */
export function describeChange({ original, replacement }: Pick<Mutant, 'original' | 'replacement'>): string {
  const shown = (text: string): string => {
    const line = oneLine(text);
    return line.length <= 100 ? line : `${line.slice(0, 60)} … ${line.slice(-38)}`;
  };
  return `\`${shown(original)}\` → ${replacement === '' ? 'nothing' : `\`${shown(replacement)}\``}`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** Types, imports and the texts of messages: no test should check these to the letter. */
function isSkipped(node: ts.Node): boolean {
  return (
    ts.isTypeNode(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node) ||
    ts.isThrowStatement(node) ||
    (ts.isNewExpression(node) && node.expression.getText().endsWith('Error'))
  );
}

function nodeOf({ file, find, inCallOf }: Omit<NamedFault, 'name'>, source: ts.SourceFile): ts.Node {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    const isCandidate = ts.isStatement(node) || ts.isExpression(node);
    if (isCandidate && oneLine(node.getText(source)) === oneLine(find) && isArgumentOf(node, inCallOf)) {
      found.push(node);
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (found.length !== 1) {
    throw new Error(
      `the fault named for ${file} does not fit: \`${find}\` is there ${found.length} times, not once. ` +
        'Mend tools/mutate/named.ts.',
    );
  }
  return found[0]!;
}

function isArgumentOf(node: ts.Node, callee: string | undefined): boolean {
  if (callee === undefined) return true;
  return ts.isCallExpression(node.parent) && node !== node.parent.expression
    ? node.parent.expression.getText() === callee
    : false;
}
