/**
 * Shaders are defined at the top level of a file. A builder may read only its arguments, of which the pipeline's key is made;
 * inside of a function it could also read local variables.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const FOLDER = 'src/backends/webgpu';

/** The lines of a source on which a function calls `definePass`. */
function definitionsInFunctions(text: string): number[] {
  const source = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest);
  const lines: number[] = [];
  const visit = (node: ts.Node, inFunction: boolean): void => {
    const defines = ts.isCallExpression(node) && node.expression.getText(source) === 'definePass';
    if (defines && inFunction) lines.push(source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1);
    ts.forEachChild(node, (child) => {
      visit(child, inFunction || ts.isFunctionLike(node));
    });
  };
  visit(source, false);
  return lines;
}

const sources = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

it.each(sources)('%s', (file) => {
  expect(definitionsInFunctions(readFileSync(join(FOLDER, file), 'utf8'))).toEqual([]);
});

it('finds a definition in a function', () => {
  const text =
    "const a = definePass<Sizes>('a', () => '');\nconst b = (n: number) => definePass<Sizes>('b', () => `${n}`);";
  expect(definitionsInFunctions(text)).toEqual([2]);
});
