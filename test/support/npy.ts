/** Reads the float32 arrays that this program writes as `.npy` files. */
import { readFileSync } from 'node:fs';

export function readNpy(path: string): { shape: number[]; values: Float32Array } {
  const bytes = readFileSync(path);
  const begin = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, begin);
  const found = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(([\d, ]+)\), \} *\n$/.exec(header);
  if (found === null) throw new Error(`${path} has the header ${header}`);
  const shape = found[1]!.split(',').filter((text) => text.trim() !== '');
  return { shape: shape.map(Number), values: new Float32Array(Uint8Array.from(bytes.subarray(begin)).buffer) };
}
