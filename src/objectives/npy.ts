/** Writes the `.npy` format of NumPy, version 1.0. */

/** An array in row-major order. */
export interface NpyArray {
  readonly data: Float32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** The header is padded so that the data begins at a multiple of this. */
const ALIGNMENT = 64;
const MAGIC = [0x93, ...Buffer.from('NUMPY'), 1, 0];

/** The bytes of a `.npy` file with an array, as float32 or uint8. */
export function encodeNpy({ data, shape }: NpyArray): Buffer {
  const kind = data instanceof Uint8Array ? '|u1' : '<f4';
  // A tuple of one element needs a comma.
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const header = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const before = MAGIC.length + 2;
  const length = Math.ceil((before + header.length + 1) / ALIGNMENT) * ALIGNMENT - before;
  const lengthBytes = [length & 0xff, length >> 8];
  const text = `${header.padEnd(length - 1)}\n`;
  return Buffer.concat([Buffer.from([...MAGIC, ...lengthBytes]), Buffer.from(text, 'latin1'), littleEndian(data)]);
}

function littleEndian(data: NpyArray['data']): Buffer {
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const bytes = Buffer.alloc(data.length * 4);
  data.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
  return bytes;
}
