/**
 * The wire format of Protocol Buffers, as far as ONNX needs it: varints, 32-bit floats, and bytes with their length. An
 * encoded message is a list of pieces, so that the weights of a model are never copied.
 */

/** Encoded fields, in order. */
export type Encoded = readonly Uint8Array[];

const WIRE_TYPES = { varint: 0, lengthDelimited: 2, fixed32: 5 } as const;

/** Shorter messages become one piece: a file is written piece by piece. */
const JOINED_BYTES = 4096;

export const lengthOf = (encoded: Encoded): number => encoded.reduce((sum, { length }) => sum + length, 0);

/** An int32, int64 or enum. */
export const integer = (field: number, value: number | bigint): Encoded => [
  Buffer.concat([tag(field, 'varint'), varint(value)]),
];

export function float(field: number, value: number): Encoded {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return [Buffer.concat([tag(field, 'fixed32'), bytes])];
}

export const text = (field: number, value: string): Encoded => bytes(field, Buffer.from(value));

/** Bytes, which are not copied. */
export const bytes = (field: number, value: Uint8Array): Encoded => delimited(field, [value]);

/** A message inside of another one. */
export const message = (field: number, ...fields: readonly Encoded[]): Encoded => delimited(field, fields.flat());

function delimited(field: number, content: Encoded): Encoded {
  const length = lengthOf(content);
  const start = Buffer.concat([tag(field, 'lengthDelimited'), varint(length)]);
  return length < JOINED_BYTES ? [Buffer.concat([start, ...content])] : [start, ...content];
}

const tag = (field: number, type: keyof typeof WIRE_TYPES): Uint8Array => varint(field * 8 + WIRE_TYPES[type]);

/** Seven bits a byte, the lowest first; a negative number is its two's complement in 64 bits. */
function varint(value: number | bigint): Uint8Array {
  const encoded: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) encoded.push(Number(rest & 0x7fn) | 0x80);
  encoded.push(Number(rest));
  return Uint8Array.from(encoded);
}
