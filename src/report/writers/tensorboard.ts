/**
 * TensorBoard's event files: records of protobuf messages, each with checksums. Written by hand, since what is needed of
 * three formats is some forty lines, and every library for them brings TensorFlow along.
 */
/** One number at one step. */
export interface Scalar {
  tag: string;
  step: number;
  value: number;
  /** Seconds since 1970. */
  time: number;
}

/** The bytes of an event file. Scalars that are no number are left out: TensorBoard would not draw them. */
export function toEventFile(scalars: readonly Scalar[]): Buffer {
  const began = scalars[0]?.time ?? 0;
  const version = message([double(1, began), bytes(3, Buffer.from('brain.Event:2'))]);
  return Buffer.concat([version, ...scalars.filter(({ value }) => Number.isFinite(value)).map(event)].map(record));
}

/** tensorflow.Event { wall_time = 1, step = 2, summary = 5 }, Summary { value = 1 }, Value { tag = 1, simple_value = 2 } */
function event({ tag, step, value, time }: Scalar): Buffer {
  const named = message([bytes(1, Buffer.from(tag)), float(2, value)]);
  return message([double(1, time), varint(2, step), bytes(5, bytes(1, named))]);
}

const message = (fields: readonly Buffer[]): Buffer => Buffer.concat(fields);

/** Protobuf's wire types. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

const key = (field: number, type: number): Buffer => Buffer.from([(field << 3) | type]);

function varint(field: number, value: number): Buffer {
  return Buffer.concat([key(field, VARINT), unsigned(value)]);
}

/** Seven bits a byte, the lowest first. */
function unsigned(value: number): Buffer {
  const groups: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    groups.push(rest >= 128 ? (rest % 128) | 128 : rest);
    if (rest < 128) return Buffer.from(groups);
  }
}

function double(field: number, value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return Buffer.concat([key(field, FIXED64), data]);
}

function float(field: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([key(field, FIXED32), data]);
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([key(field, LENGTH), unsigned(value.length), value]);
}

/** A TFRecord: length, its checksum, data, its checksum. */
function record(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, checksum(length), data, checksum(data)]);
}

/** The Castagnoli polynomial, bits reversed. Node's zlib has only the other CRC-32. */
const POLYNOMIAL = 0x82f63b78;

/** The remainder of every byte. */
function tableOfCrc32c(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1;
    return rest;
  });
}

const TABLE = tableOfCrc32c();

/** CRC-32C, rotated and shifted as TFRecord requires, so that a checksum of data that hold checksums stays one. */
function checksum(data: Buffer): Buffer {
  let crc = 0xffffffff;
  for (const byte of data) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  crc = ~crc >>> 0;
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const out = Buffer.alloc(4);
  out.writeUInt32LE(masked);
  return out;
}
