import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CorruptFileError,
  readSafetensors,
  readSafetensorsHeader,
  streamSafetensors,
  writeSafetensors,
} from '../../src/store/safetensors.js';

const tensors = new Map([
  ['a.weight', { shape: [2, 3], data: Float32Array.of(1, -2.5, 3e-38, 3e38, 0, -0) }],
  ['none', { shape: [0, 4], data: new Float32Array(0) }],
  ['scalar', { shape: [], data: Float32Array.of(7) }],
]);

/** The tensors as a file is written from them. */
const sources = (values: ReadonlyMap<string, { shape: number[]; data: Float32Array }> = tensors) =>
  new Map([...values].map(([name, { shape, data }]) => [name, { shape, read: () => data }]));

/** A file with a right digest and any header. */
function forge(path: string, header: string, data: Uint8Array = new Uint8Array(0)): void {
  const blank = '0'.repeat(64);
  const text = `{"__metadata__":{"sha256":"${blank}"}${header}}`;
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const whole = (digest: string): Buffer => Buffer.concat([length, Buffer.from(padded.replace(blank, digest)), data]);
  writeFileSync(path, whole(createHash('sha256').update(whole(blank)).digest('hex')));
}

describe('safetensors', () => {
  let folder: string;
  let file: string;
  let digest: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vitmim-'));
    file = join(folder, 'x.safetensors');
    digest = await writeSafetensors(file, sources(), { step: '3' });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const change = (alter: (bytes: Buffer) => Buffer): void => {
    writeFileSync(file, alter(readFileSync(file)));
  };

  it('reads back what it wrote, bit by bit', () => {
    const { tensors: read, metadata, sha256 } = readSafetensors(file);
    expect([...read]).toEqual([...tensors]);
    expect(Object.is(read.get('a.weight')!.data[5], -0)).toBe(true);
    expect(metadata).toEqual({ step: '3' });
    expect(sha256).toBe(digest);
    expect(readSafetensorsHeader(file)).toMatchObject({ metadata, sha256 });
  });

  it('writes the format other readers expect', () => {
    const bytes = readFileSync(file);
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, unknown>;
    expect(length % 8).toBe(0);
    expect(header.__metadata__).toEqual({ sha256: digest, step: '3' });
    expect(header['a.weight']).toEqual({ dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] });
    expect(header.none).toEqual({ dtype: 'F32', shape: [0, 4], data_offsets: [24, 24] });
    expect(header.scalar).toEqual({ dtype: 'F32', shape: [], data_offsets: [24, 28] });
    expect(bytes.length).toBe(8 + length + 28);
    expect(bytes.readFloatLE(8 + length + 4)).toBe(-2.5);
  });

  it('states the SHA-256 of the file with 64 zeros in its place', () => {
    const blank = readFileSync(file, 'latin1').replace(digest, '0'.repeat(64));
    expect(createHash('sha256').update(blank, 'latin1').digest('hex')).toBe(digest);
  });

  it('gives the same file and the same values for chunks of any size', async () => {
    const other = join(folder, 'chunks');
    expect(await writeSafetensors(other, sources(), { step: '3' }, { chunkBytes: 5 })).toBe(digest);
    expect(readFileSync(other).equals(readFileSync(file))).toBe(true);
    const read = new Map<string, unknown>();
    streamSafetensors(file, { take: (name, value) => read.set(name, value) }, 5);
    expect(read).toEqual(tensors);
    expect(streamSafetensors(file, undefined, 3).sha256).toBe(digest);
  });

  // The tensors have 24, 0 and 4 bytes.
  it.each([
    { bytesAhead: 0, most: 24 },
    { bytesAhead: 24, most: 24 },
    { bytesAhead: 27, most: 24 },
    { bytesAhead: 28, most: 28 },
  ])('reads at most $bytesAhead bytes ahead, or one tensor', async ({ bytesAhead, most }) => {
    const asked: string[] = [];
    let [reading, mostSeen] = [0, 0];
    const slow = [...tensors].map(([name, { shape, data }]) => {
      const read = async (): Promise<Float32Array> => {
        asked.push(name);
        mostSeen = Math.max(mostSeen, (reading += data.byteLength));
        await new Promise((resolve) => setImmediate(resolve));
        reading -= data.byteLength;
        return data;
      };
      return [name, { shape, read }] as const;
    });
    expect(await writeSafetensors(join(folder, 'slow'), new Map(slow), { step: '3' }, { bytesAhead })).toBe(digest);
    expect(asked).toEqual([...tensors.keys()]);
    expect(mostSeen).toBe(most);
  });

  it('leaves nothing if a tensor read ahead cannot be read', async () => {
    const failing = new Map([
      ['a', { shape: [1], read: () => Promise.reject(new Error('device lost')) }],
      ['b', { shape: [1], read: () => Promise.reject(new Error('device lost later')) }],
    ]);
    await expect(writeSafetensors(join(folder, 'new'), failing, {})).rejects.toThrow(/lost$/);
    expect(readdirSync(folder)).toEqual(['x.safetensors']);
  });

  it('leaves nothing if writing fails, and the file of before', async () => {
    const failing = new Map([['a', { shape: [2], read: () => new Float32Array(3) }]]);
    await expect(writeSafetensors(file, failing, {})).rejects.toThrow('a has 3 values');
    expect(readSafetensors(file).sha256).toBe(digest);
    await expect(writeSafetensors(join(folder, 'new'), failing, {})).rejects.toThrow();
    expect(() => readSafetensors(join(folder, 'new'))).toThrow('is missing');
  });

  it.each([0, 5, 40, 120, 200, -1])('finds out a file cut at byte %i', (end) => {
    change((bytes) => bytes.subarray(0, end));
    expect(() => readSafetensors(file)).toThrow(CorruptFileError);
  });

  it('finds out bytes after the end', () => {
    appendFileSync(file, 'more');
    expect(() => readSafetensorsHeader(file)).toThrow('longer than its tensors');
  });

  it('detects a flipped bit of the data, also in a tensor that is not read', () => {
    change((bytes) => {
      bytes[bytes.length - 3]! ^= 4;
      return bytes;
    });
    expect(() => readSafetensors(file)).toThrow('does not match its checksum');
    expect(() => streamSafetensors(file)).toThrow('does not match its checksum');
  });

  it('refuses a file without a checksum', () => {
    change((bytes) => Buffer.from(bytes.toString('latin1').replace('"sha256"', '"sha255"'), 'latin1'));
    expect(() => readSafetensors(file)).toThrow('it has no checksum');
  });

  it('finds out two tensors whose names were exchanged, with a header of the same length', () => {
    const text = readFileSync(file, 'latin1');
    writeFileSync(
      file,
      text.replace('"none"', '"_"').replace('"scalar"', '"none"').replace('"_"', '"scalar"'),
      'latin1',
    );
    expect(() => readSafetensors(file)).toThrow(CorruptFileError);
  });

  it('is no use without a file, or with something else', () => {
    expect(() => readSafetensors(join(folder, 'absent'))).toThrow('is missing');
    mkdirSync(join(folder, 'folder'));
    expect(() => readSafetensors(join(folder, 'folder'))).toThrow('is damaged: it is not a regular file');
  });

  const tensor = (shape: string, begin: number, end: number, dtype = '"F32"'): string =>
    `{"dtype":${dtype},"shape":${shape},"data_offsets":[${begin},${end}]}`;
  it.each([
    ['another type', `,"a":${tensor('[2]', 0, 8, '"I32"')}`],
    ['no type', `,"a":{"shape":[2],"data_offsets":[0,8]}`],
    ['a negative side', `,"a":${tensor('[-2]', 0, 8)}`],
    ['a fractional side', `,"a":${tensor('[0.5]', 0, 8)}`],
    ['a side beyond all numbers', `,"a":${tensor('[1e999]', 0, 8)}`],
    ['a shape that is no list', `,"a":${tensor('2', 0, 8)}`],
    ['a shape of another size', `,"a":${tensor('[3]', 0, 8)}`],
    ['a size beyond all files', `,"a":${tensor('[9007199254740991,9007199254740991]', 0, 8)}`],
    ['a range backwards', `,"a":${tensor('[2]', 8, 0)}`],
    ['a gap', `,"a":${tensor('[1]', 4, 8)}`],
    ['an overlap', `,"a":${tensor('[2]', 0, 8)},"b":${tensor('[1]', 4, 8)}`],
    ['too much for the data', `,"a":${tensor('[4]', 0, 16)}`],
    ['too little for the data', `,"a":${tensor('[1]', 0, 4)}`],
    ['a name twice', `,"a":${tensor('[1]', 0, 4)},"a":${tensor('[1]', 4, 8)}`],
    ['a further key', `,"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}`],
    ['a tensor that is null', ',"a":null'],
    ['other metadata after the first', `,"a":${tensor('[2]', 0, 8)},"__metadata__":{"sha256":"x"}`],
    ['metadata that are no text', `,"a":${tensor('[2]', 0, 8)},"__metadata__":{"step":5}`],
    ['another spelling', `, "a":${tensor('[2]', 0, 8)}`],
    ['no JSON', ',"a"'],
  ])('refuses a header with %s, though its checksum is right', (_, header) => {
    forge(file, header, new Uint8Array(8));
    expect(() => readSafetensors(file)).toThrow(CorruptFileError);
  });

  it('accepts a file that is forged well: the ones above are refused for what is wrong with them', () => {
    forge(file, `,"a":${tensor('[2]', 0, 8)}`, new Uint8Array(8));
    expect(readSafetensors(file).tensors.get('a')).toEqual({ shape: [2], data: new Float32Array(2) });
  });

  it.each([0xffn, 0xffff_ffff_ffff_ffffn, 0x7fff_ffff_ffff_ffffn, 100_000_001n])(
    'refuses a header of %i bytes',
    (length) => {
      change((bytes) => {
        bytes.writeBigUInt64LE(length);
        return bytes;
      });
      expect(() => readSafetensors(file)).toThrow(CorruptFileError);
    },
  );
});
