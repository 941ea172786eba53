import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CorruptFileError, readSafetensors, writeSafetensors } from '../../src/training/safetensors.js';

const tensors = new Map([
  ['a.weight', { shape: [2, 3], data: Float32Array.of(1, -2.5, 3e-38, 4e38, 0, -0) }],
  ['scalar', { shape: [], data: Float32Array.of(7) }],
]);

describe('safetensors', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vitmim-'));
    file = join(folder, 'x.safetensors');
    writeSafetensors(file, tensors, { step: '3' });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('reads back what it wrote, bit by bit', () => {
    const { tensors: read, metadata } = readSafetensors(file);
    expect([...read.keys()]).toEqual(['a.weight', 'scalar']);
    expect(read.get('a.weight')).toEqual(tensors.get('a.weight'));
    expect(read.get('scalar')).toEqual(tensors.get('scalar'));
    expect(metadata.step).toBe('3');
  });

  it('writes the format other readers expect', () => {
    const bytes = readFileSync(file);
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, unknown>;
    expect(length % 8).toBe(0);
    expect(header['a.weight']).toEqual({ dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] });
    expect(header.scalar).toEqual({ dtype: 'F32', shape: [], data_offsets: [24, 28] });
    expect(bytes.length).toBe(8 + length + 28);
    expect(bytes.readFloatLE(8 + length + 4)).toBe(-2.5);
  });

  it.each([0, 5, 40, -1])('finds out a file cut at byte %i', (end) => {
    writeFileSync(file, readFileSync(file).subarray(0, end));
    expect(() => readSafetensors(file)).toThrow(CorruptFileError);
  });

  it('finds out a flipped bit', () => {
    const bytes = readFileSync(file);
    bytes[bytes.length - 3]! ^= 4;
    writeFileSync(file, bytes);
    expect(() => readSafetensors(file)).toThrow('does not match its checksum');
  });
});
