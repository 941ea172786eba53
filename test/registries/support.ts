/**
 * A copy of the program in which something was invented, compiled and run: the proof that a new kind takes one file and
 * one line. Types are checked, so a list of kinds that the new one is missing from does not compile.
 */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An entry of a registry that vitmim does not have. */
export interface Invented {
  /** The concept, and the name of the entry. */
  title: string;
  /** Its file; null if an entry is only a line. */
  file: { path: string; text: string } | null;
  /** Where it is listed: the file of the registry, the import, and the entry that is put after an existing one. */
  listed: { path: string; import?: string; after: string; entry: string };
  /** Declares its tests. */
  tests: (copy: Copy) => void;
}

export interface Copy {
  /** A folder of the test's own, empty at first. */
  folder: string;
  /** Runs `vitmim ARGS…` in that folder. Returns everything that it printed; throws if it fails. */
  vitmim(...args: readonly string[]): Promise<string>;
  /** A module of the copy by its path below src, such as `spec/plan`, of the type of this program's own. */
  load<Module>(path: string): Promise<Module>;
}

/** A text with another put in after the one line that contains `after`. */
function insertAfter(text: string, after: string, inserted: string): string {
  const lines = text.split('\n');
  const found = lines.flatMap((line, i) => (line.includes(after) ? [i] : []));
  if (found.length !== 1) throw new Error(`${found.length} lines contain ${after}`);
  return lines.toSpliced(found[0]! + 1, 0, inserted).join('\n');
}

/** Copies the program, adds the inventions, compiles and type-checks it. The caller removes the copy. */
export async function copyWith(inventions: readonly Invented[]): Promise<Copy & { remove: () => void }> {
  const root = mkdtempSync(join(tmpdir(), 'vitmim-invented-'));
  const at = (...path: string[]): string => join(root, ...path);
  for (const folder of ['src', 'bin']) cpSync(folder, at(folder), { recursive: true });
  for (const name of ['package.json', 'tsconfig.json']) copyFileSync(name, at(name));
  symlinkSync(join(process.cwd(), 'node_modules'), at('node_modules'));
  for (const { file, listed } of inventions) {
    if (file !== null) writeFileSync(at(file.path), file.text);
    const before = readFileSync(at(listed.path), 'utf8');
    const imported = listed.import === undefined ? before : before.replace(/^import /m, `${listed.import}\nimport `);
    writeFileSync(at(listed.path), insertAfter(imported, listed.after, listed.entry));
  }
  const config = JSON.parse(readFileSync(at('tsconfig.json'), 'utf8')) as { compilerOptions: object };
  // The types of the tests' packages bring those of the browser, which src/backends/webgpu needs.
  const compilerOptions = { ...config.compilerOptions, sourceMap: false, lib: ['es2023', 'dom'] };
  writeFileSync(at('tsconfig.json'), JSON.stringify({ ...config, compilerOptions, include: ['bin', 'src'] }));
  const typescript = createRequire(import.meta.url).resolve('typescript-7/package.json');
  const tsc = join(dirname(typescript), 'bin/tsc');
  try {
    await run(process.execPath, [tsc], { cwd: root });
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout, { cause: error });
  }
  for (const wasm of ['kernels.wasm', 'kernels-relaxed.wasm'].map((name) => `dist/src/backends/simd/${name}`)) {
    mkdirSync(dirname(at(wasm)), { recursive: true });
    copyFileSync(wasm, at(wasm));
  }
  mkdirSync(at('work'));
  return {
    folder: at('work'),
    async vitmim(...args) {
      const env = { ...process.env, CI: 'true', NO_COLOR: '1' };
      const bin = at('dist/bin/vitmim.js');
      const { stdout, stderr } = await run(process.execPath, [bin, ...args], { cwd: at('work'), env });
      return stdout + stderr;
    },
    load: async <Module>(path: string) => (await import(pathToFileURL(at(`dist/src/${path}.js`)).href)) as Module,
    remove: () => {
      rmSync(root, { recursive: true, force: true });
    },
  };
}
