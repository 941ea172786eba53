/** How build.js replaces dist/. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from '../support/cli.js';

interface ReplaceFolder {
  freshFolder: (target: string) => string;
  replaceFolder: (fresh: string, target: string) => Promise<void>;
  recover: (target: string) => void;
}

const MODULE = pathToFileURL(resolve('tools/replace-folder.js')).href;
const { freshFolder, recover, replaceFolder } = (await import(MODULE)) as ReplaceFolder;

let folder: ReturnType<typeof temporaryFolder>;
let target: string;
beforeEach(() => {
  folder = temporaryFolder();
  target = join(folder.path, 'dist');
});
afterEach(() => {
  folder.remove();
});

/** A folder with two files of the same content. */
function write(path: string, content: string): string {
  mkdirSync(path);
  for (const name of ['a', 'b']) writeFileSync(join(path, name), content);
  return path;
}

const contents = (path: string): string[] => readdirSync(path).map((name) => readFileSync(join(path, name), 'utf8'));

/** The id of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'close');
  return child.pid!;
}

it('replaces a folder whole, and leaves nothing beside it', async () => {
  write(target, 'old');
  await replaceFolder(write(freshFolder(target), 'new'), target);
  expect(contents(target)).toEqual(['new', 'new']);
  expect(readdirSync(folder.path)).toEqual(['dist']);
});

it('needs no folder to replace', async () => {
  await replaceFolder(write(freshFolder(target), 'new'), target);
  expect(contents(target)).toEqual(['new', 'new']);
});

it('lets several processes replace one folder at once, each with all of its files', async () => {
  const program = `
    import { mkdirSync, writeFileSync } from 'node:fs';
    import { join } from 'node:path';
    import { freshFolder, replaceFolder } from ${JSON.stringify(MODULE)};
    const target = process.argv[1];
    for (let round = 0; round < 30; round++) {
      const fresh = freshFolder(target);
      mkdirSync(fresh);
      for (const name of ['a', 'b']) writeFileSync(join(fresh, name), String(process.pid));
      await replaceFolder(fresh, target);
    }`;
  const codes = await Promise.all(
    [1, 2, 3].map(async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, target], { stdio: 'inherit' });
      const [code] = (await once(child, 'close')) as [number];
      return code;
    }),
  );
  expect(codes).toEqual([0, 0, 0]);
  const [first, second] = contents(target);
  expect(second).toBe(first);
  expect(readdirSync(folder.path)).toEqual(['dist']);
}, 60_000);

it('removes what a killed build has left, and keeps what a running one writes', async () => {
  write(target, 'old');
  write(`${target}-new-${await endedProcess()}`, 'half');
  write(`${target}-old-${await endedProcess()}`, 'older');
  write(freshFolder(target), 'half');
  write(join(folder.path, 'dist-mutants'), 'kept');
  recover(target);
  expect(readdirSync(folder.path).sort()).toEqual(['dist', 'dist-mutants', `dist-new-${process.pid}`]);
  expect(contents(target)).toEqual(['old', 'old']);
});

it('brings back the folder that a killed build had moved aside', async () => {
  write(`${target}-old-${await endedProcess()}`, 'old');
  recover(target);
  expect(contents(target)).toEqual(['old', 'old']);
});

it('leaves dist/ as it was if the build is interrupted, and nothing beside it', async () => {
  const before = statSync('dist').ino;
  const child = spawn(process.execPath, ['build.js'], { stdio: 'ignore' });
  const fresh = `dist-new-${child.pid!}`;
  while (!existsSync(fresh) && child.exitCode === null) await wait(5);
  child.kill('SIGINT');
  expect(await once(child, 'close')).toEqual([130, null]);
  expect(statSync('dist').ino).toBe(before);
  expect(existsSync('dist/run/kernels.wasm')).toBe(true);
  expect(existsSync(fresh)).toBe(false);
}, 120_000);

it('does not build again for npx', async () => {
  const before = statSync('dist').ino;
  const env = { ...process.env, npm_command: 'exec', npm_lifecycle_event: 'prepare' };
  const child = spawn(process.execPath, ['build.js'], { stdio: 'ignore', env });
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(statSync('dist').ino).toBe(before);
});
