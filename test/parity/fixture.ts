/**
 * Reads the fixtures that the Python programs beside this file write: JSON, with tensors as base64 of little-endian
 * float32.
 */
import { readFileSync } from 'node:fs';
import type { Values } from '../../src/model/parameters.js';

export interface PackedTensor {
  shape: number[];
  float32: string;
}

/** @param name Without `.json`. */
export function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(`${process.cwd()}/test/parity/fixtures/${name}.json`, 'utf8'));
}

export function unpack({ float32 }: PackedTensor): Float32Array {
  // Copied, since the address of a Buffer may not be aligned for a Float32Array.
  const bytes = Uint8Array.from(Buffer.from(float32, 'base64'));
  return new Float32Array(bytes.buffer);
}

/** Values in the form of the model's weights. */
export function unpackValues(tensors: Readonly<Record<string, PackedTensor>>): Values {
  return new Map(
    Object.entries(tensors).map(([name, packed]) => [name, { shape: packed.shape, data: unpack(packed) }]),
  );
}
