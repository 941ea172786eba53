/** The declaration files of the package: those of its entry point and of every file whose types it names. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * Writes them. Each file is translated by itself, so everything that it exports must have an explicit type.
 *
 * @param {string} root The folder of the sources.
 * @param {string} entry The entry point, relative to it.
 * @param {string} out The folder to write.
 * @returns {Promise<string[]>} The sources, relative to the root.
 * @throws {Error} if a type cannot be written down, or a file names a type of another package: users may not have it.
 */
export async function writeDeclarations(root, entry, out) {
  const { default: ts } = await import('typescript');
  const pending = [join(root, entry)];
  const seen = new Set(pending);
  for (const source of pending) {
    const { outputText, diagnostics } = ts.transpileDeclaration(readFileSync(source, 'utf8'), {
      fileName: source,
      reportDiagnostics: true,
      compilerOptions: { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, strict: true },
    });
    const [problem] = diagnostics ?? [];
    if (problem) throw new Error(`${source}: ${ts.flattenDiagnosticMessageText(problem.messageText, '\n')}`);
    const target = join(out, relative(root, source).replace(/\.ts$/, '.d.ts'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
    for (const { fileName: name } of ts.preProcessFile(outputText).importedFiles) {
      if (!name.startsWith('.')) throw new Error(`${source} names types of ${name}, which users may not have`);
      const path = join(dirname(source), name.replace(/\.js$/, '.ts'));
      if (!seen.has(path)) pending.push(path);
      seen.add(path);
    }
  }
  return pending.map((path) => relative(root, path));
}
