import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../src/common/errors.js';
import { appendJsonLine, readJson, readJsonLines, writeFileAtomic, writeJson } from '../../src/store/files.js';
import { temporaryFolder } from '../runner/support.js';

const root = temporaryFolder();
let count = 0;
const newPath = () => join(root, String(count++), 'a', 'file');

describe('a file that is written whole', () => {
  test('is of a text, of bytes, or of several pieces in their order, in folders that are made', () => {
    const [text, bytes, pieces] = [newPath(), newPath(), newPath()];
    writeFileAtomic(text, 'größer');
    writeFileAtomic(bytes, Uint8Array.of(0, 255));
    writeFileAtomic(pieces, [Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)]);
    expect(readFileSync(text, 'utf8')).toBe('größer');
    expect([...readFileSync(bytes)]).toEqual([0, 255]);
    expect([...readFileSync(pieces)]).toEqual([1, 2, 3]);
  });

  test('takes the place of an older one and leaves nothing beside it', () => {
    const path = newPath();
    writeFileAtomic(path, 'a long text');
    writeFileAtomic(path, 'short');
    expect(readFileSync(path, 'utf8')).toBe('short');
    expect(readdirSync(join(path, '..'))).toEqual(['file']);
  });

  test('leaves nothing if it cannot be renamed to its path', () => {
    const path = newPath();
    mkdirSync(join(path, 'a folder of this name'), { recursive: true });
    expect(() => {
      writeFileAtomic(path, 'text');
    }).toThrow();
    expect(readdirSync(join(path, '..'))).toEqual(['file']);
  });

  test('is indented by two if it is JSON, and ends its last line', () => {
    const path = newPath();
    writeJson(path, { a: [1] });
    expect(readFileSync(path, 'utf8')).toBe('{\n  "a": [\n    1\n  ]\n}\n');
  });
});

describe('a JSON file', () => {
  const schema = z.strictObject({ a: z.number() });

  test('is undefined if there is none', () => {
    expect(readJson(newPath(), schema)).toBeUndefined();
  });

  test('is read as its schema says', () => {
    const path = newPath();
    writeJson(path, { a: 1 });
    expect(readJson(path, schema)).toEqual({ a: 1 });
  });

  test('is named if it cannot be read, or is something else', () => {
    const [folder, other, half] = [newPath(), newPath(), newPath()];
    mkdirSync(folder, { recursive: true });
    writeJson(other, { a: 'text' });
    writeFileAtomic(half, '{"a":');
    expect(() => readJson(folder, schema)).toThrow(`${folder} is not a regular file`);
    expect(() => readJson(other, schema)).toThrow(
      `${other} is damaged, or of another version of vitmim: a: Invalid input`,
    );
    expect(() => readJson(half, schema, 'run it again')).toThrow(
      `${half} is damaged: it is not JSON, or is cut short; run it again`,
    );
    expect(() => readJson(half, schema)).toThrow(UsageError);
  });
});

describe('the lines of a JSON Lines file', () => {
  test('are those that were appended', () => {
    const path = newPath();
    writeFileAtomic(path, '');
    appendJsonLine(path, { step: 1 });
    appendJsonLine(path, [2]);
    expect(readFileSync(path, 'utf8')).toBe('{"step":1}\n[2]\n');
    expect(readJsonLines(path)).toEqual([{ step: 1 }, [2]]);
  });

  test('are without one that was cut short, at the end or before a later attempt', () => {
    const [end, middle] = [newPath(), newPath()];
    writeFileAtomic(end, '{"step":1}\n2');
    writeFileAtomic(middle, '{"step":1}\n{"st{"step":3}\n{"step":4}\n');
    expect(readJsonLines(end)).toEqual([{ step: 1 }]); // 2 may have been the beginning of 20
    expect(readJsonLines(middle)).toEqual([{ step: 1 }, { step: 4 }]);
  });

  test('are none if there is no file, or no complete line', () => {
    const path = newPath();
    expect(readJsonLines(path)).toEqual([]);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '1');
    expect(readJsonLines(path)).toEqual([]);
  });
});
