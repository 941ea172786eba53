/** Writes the `.npy` format of NumPy, version 1.0. */
import { endianness } from 'node:os';

/** An array in row-major order. */
export interface NpyArray {
  readonly data: Float32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** The header is padded so that the data begins at a multiple of this. */
const ALIGNMENT = 64;
const MAGIC = [0x93, ...Buffer.from('NUMPY'), 1, 0];

/** The types of values: float32 and uint8. */
type Kind = '<f4' | '|u1';

/**
 * The beginning of a file, up to its values.
 *
 * @param room Its length at least, in bytes: for a header that replaces one of a longer shape.
 */
export function npyHeader(kind: Kind, shape: readonly number[], room = 0): Buffer {
  // A tuple of one element needs a comma.
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const header = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const before = MAGIC.length + 2;
  const length = Math.max(room, Math.ceil((before + header.length + 1) / ALIGNMENT) * ALIGNMENT) - before;
  const lengthBytes = [length & 0xff, length >> 8];
  const text = `${header.padEnd(length - 1)}\n`;
  return Buffer.concat([Buffer.from([...MAGIC, ...lengthBytes]), Buffer.from(text, 'latin1')]);
}

/** The bytes of a `.npy` file with an array, as float32 or uint8. */
export function encodeNpy({ data, shape }: NpyArray): Buffer {
  return Buffer.concat([npyHeader(data instanceof Uint8Array ? '|u1' : '<f4', shape), littleEndian(data)]);
}

/** The bytes of values, as the file has them. */
export function littleEndian(data: NpyArray['data']): Buffer {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return data instanceof Uint8Array || endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32();
}
