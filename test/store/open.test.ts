import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { appendText, FILE_KINDS, openJson, writeFileAtomic } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { namesIn, openBytes, tailOf } from '../../src/store/open.js';
import { readPng } from '../../src/store/picture.js';
import { temporaryFolder } from '../runner/support.js';

const root = temporaryFolder();
let count = 0;
const newFolder = (): string => {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  return folder;
};
const ID = '0123456789abcdef';

describe('a file of a results folder', () => {
  test('is read if it is a regular file, and missing if there is nothing', () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'a'), 'abc');
    expect(openBytes(join(folder, 'a'), 3)).toEqual({ kind: 'present', value: Buffer.from('abc') });
    expect(openBytes(join(folder, 'b'), 3)).toEqual({ kind: 'missing' });
    expect(openBytes(join(folder, 'a', 'b'), 3)).toEqual({ kind: 'missing' });
  });

  test('is damaged if it is a link, a folder or too large', () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'a'), 'abc');
    symlinkSync('a', join(folder, 'link'));
    symlinkSync('nowhere', join(folder, 'dangling'));
    expect(openBytes(join(folder, 'link'), 9)).toEqual({ kind: 'damaged', problem: 'is a link' });
    expect(openBytes(join(folder, 'dangling'), 9)).toEqual({ kind: 'damaged', problem: 'is a link' });
    expect(openBytes(folder, 9)).toEqual({ kind: 'damaged', problem: 'is not a regular file' });
    expect(openBytes(join(folder, 'a'), 2)).toMatchObject({ kind: 'damaged' });
  });

  test('is damaged if it is a pipe, a socket or a device, none of which is waited for', async () => {
    const folder = newFolder();
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(folder, 'socket'), done));
    for (const path of [join(folder, 'pipe'), join(folder, 'socket'), '/dev/zero']) {
      expect(openBytes(path, 9)).toEqual({ kind: 'damaged', problem: 'is not a regular file' });
      expect(tailOf(path, 9)).toBe('');
    }
    await new Promise((done) => server.close(done));
  });

  test('is damaged behind a link that leads out of the folder, and nothing is written there', () => {
    const [folder, elsewhere] = [newFolder(), newFolder()];
    const paths = sweepPaths(folder);
    writeFileSync(join(elsewhere, 'state.json'), '{}');
    mkdirSync(paths.stages);
    symlinkSync(elsewhere, paths.stage(ID).folder);
    symlinkSync(elsewhere, paths.tables);
    expect(openBytes(paths.stage(ID).state, 9)).toMatchObject({
      kind: 'damaged',
      problem: expect.stringContaining('a link') as string,
    });
    expect(() => {
      writeFileAtomic(paths.stage(ID).result, '{}');
    }).toThrow('is a link; remove it');
    expect(() => {
      writeFileAtomic(join(paths.tables, 'runs.csv'), '');
    }).toThrow('is a link; remove it');
    expect(namesIn(elsewhere)).toEqual(['state.json']);
  });

  test('may lie in a results folder that is a link itself: the user names it', () => {
    const folder = newFolder();
    const link = join(root, String(count++));
    symlinkSync(folder, link);
    writeFileAtomic(sweepPaths(link).stage(ID).state, 'abc');
    expect(openBytes(sweepPaths(link).stage(ID).state, 9)).toMatchObject({ kind: 'present' });
  });

  test('is appended to if it is a regular file; a link in its place is removed and not followed', () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'a'), 'abc');
    symlinkSync('a', join(folder, 'link'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    for (const name of ['link', 'pipe']) {
      appendText(join(folder, name), 'x');
      appendText(join(folder, name), 'y');
      expect(readFileSync(join(folder, name), 'utf8')).toBe('xy');
    }
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('abc');
  });

  test('is written beside its place although a link of that name lies there', () => {
    const folder = newFolder();
    const path = join(folder, 'a');
    symlinkSync('victim', `${path}.${process.pid}.tmp`);
    writeFileAtomic(path, 'abc');
    expect(existsSync(join(folder, 'victim'))).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe('abc');
  });
});

describe('a folder of a results folder', () => {
  test('is empty if it is missing, a file or a link', () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'b'), '');
    writeFileSync(join(folder, 'a'), '');
    symlinkSync('.', join(folder, 'link'));
    expect(namesIn(folder)).toEqual(['a', 'b', 'link']);
    for (const other of ['a', 'link', 'missing']) expect(namesIn(join(folder, other))).toEqual([]);
  });
});

describe('a JSON file', () => {
  test('is damaged if it is larger than its kind allows, before it is parsed', () => {
    const schema = z.strictObject({}).register(FILE_KINDS, { mostBytes: 1 << 20 });
    const path = join(newFolder(), 'a');
    writeFileSync(path, `{}${' '.repeat((1 << 20) - 2)}`);
    expect(openJson(path, schema)).toMatchObject({ kind: 'present' });
    truncateSync(path, (1 << 20) + 1);
    expect(openJson(path, schema)).toEqual({ kind: 'damaged', problem: 'is larger than 1 MiB' });
  });

  test('is damaged if it is nested too deeply for code that walks it', () => {
    const path = join(newFolder(), 'a');
    for (const [depth, kind] of [
      [60, 'present'],
      [70, 'damaged'],
      [1_000_000, 'damaged'],
    ] as const) {
      writeFileSync(path, '['.repeat(depth) + ']'.repeat(depth));
      expect(openJson(path, z.unknown())).toMatchObject({ kind });
    }
  });
});

describe('a picture', () => {
  const header = (width: number, height: number): Buffer => {
    const bytes = Buffer.alloc(33);
    bytes.write('89504e470d0a1a0a0000000d49484452', 'hex');
    bytes.writeUInt32BE(width, 16);
    bytes.writeUInt32BE(height, 20);
    return bytes;
  };

  test('is a PNG file with sides that a browser can decode', () => {
    const folder = newFolder();
    const write = (name: string, content: string | Buffer): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    expect(readPng(write('a.png', header(640, 480)))).not.toBeNull();
    expect(readPng(write('b.png', header(1 << 20, 1)))).toBeNull();
    expect(readPng(write('c.png', header(0, 1)))).toBeNull();
    expect(readPng(write('d.png', 'root:x:0:0:'.repeat(9)))).toBeNull();
    symlinkSync('a.png', join(folder, 'e.png'));
    expect(readPng(join(folder, 'e.png'))).toBeNull();
  });
});
