/**
 * The safetensors file format, for float32 tensors: an 8-byte little-endian header length, a JSON header with each
 * tensor's shape and byte range, then the data. Any safetensors reader can open what is written here.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { TrainingError } from '../common/errors.js';
import type { Values } from '../model/parameters.js';
import { writeFileAtomic } from '../store/files.js';

/** A file that cannot be trusted: cut short, altered or not safetensors at all. */
export class CorruptFileError extends TrainingError {
  override readonly name = 'CorruptFileError';
}

interface Header {
  __metadata__?: Record<string, string>;
  [tensor: string]: unknown;
}

interface TensorInfo {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Writes the tensors atomically. The metadata also gets the SHA-256 of the data, which reading verifies. */
export function writeSafetensors(path: string, tensors: Values, metadata: Record<string, string>): void {
  requireLittleEndian();
  const header: Header = {};
  const hash = createHash('sha256');
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] } satisfies TensorInfo;
    offset += data.byteLength;
    hash.update(bytesOf(data));
  }
  header.__metadata__ = { ...metadata, sha256: hash.digest('hex') };
  const text = Buffer.from(JSON.stringify(header));
  // Padding the header with spaces to 8 bytes keeps the data aligned, as the format recommends.
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileAtomic(path, [length, padded, ...[...tensors.values()].map(({ data }) => bytesOf(data))]);
}

/**
 * Reads a file of float32 tensors.
 *
 * @throws CorruptFileError when it is cut short or its data does not match the SHA-256 it was written with.
 */
export function readSafetensors(path: string): { tensors: Values; metadata: Record<string, string> } {
  requireLittleEndian();
  const file = readFileSync(path);
  const corrupt = (what: string): CorruptFileError => new CorruptFileError(`${path} is damaged: ${what}`);
  if (file.length < 8) throw corrupt('it is cut short');
  const headerLength = Number(file.readBigUInt64LE(0));
  if (8 + headerLength > file.length) throw corrupt('it is cut short');
  let header: Header;
  try {
    header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Header;
  } catch {
    throw corrupt('its header is no JSON');
  }
  const { __metadata__: metadata = {}, ...infos } = header;
  // A copy at offset 0, since a Float32Array must begin at a multiple of 4.
  const data = Uint8Array.from(file.subarray(8 + headerLength));
  if (metadata.sha256 !== undefined && createHash('sha256').update(data).digest('hex') !== metadata.sha256) {
    throw corrupt('its data does not match its checksum');
  }
  const tensors = new Map(
    Object.entries(infos as Record<string, TensorInfo>).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => {
        const size = shape.reduce((a, b) => a * b, 1);
        if (dtype !== 'F32') throw corrupt(`${name} is ${dtype}, not F32`);
        if (end > data.length || end - begin !== 4 * size) throw corrupt(`${name} has a wrong byte range`);
        return [name, { shape, data: new Float32Array(data.buffer, begin, size) }] as const;
      },
    ),
  );
  return { tensors, metadata };
}

function requireLittleEndian(): void {
  if (endianness() !== 'LE') throw new Error('checkpoints need a little-endian machine');
}
