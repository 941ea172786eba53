/**
 * The safetensors file format, for float32 tensors: an 8-byte little-endian header length, a JSON header with each
 * tensor's shape and byte range, then the data. Any safetensors reader can open the files written here.
 *
 * The first entry of the header's metadata is the digest of the file: the SHA-256 of all its bytes, computed with 64
 * zeros in place of the digest. A file without it, or with any other bit changed, is refused. Files of any size are
 * read and written tensor by tensor.
 */
import { createHash, type Hash } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { z } from 'zod';
import { TrainingError } from '../common/errors.js';
import { countWork } from '../common/work.js';
import type { Values } from '../model/parameters.js';
import { writeFileAtomicBy, writeWhole } from './files.js';
import { openStored } from './open.js';

/** A file that cannot be trusted: cut short, altered, not safetensors at all, or of something else than expected. */
export class CorruptFileError extends TrainingError {
  override readonly name = 'CorruptFileError';
}

/** A tensor to write. */
export interface TensorSource {
  readonly shape: readonly number[];
  /** Gives the values, which need not be a copy: all tensors are written before anything else happens. */
  read(): Float32Array | Promise<Float32Array>;
}

/** The place of a tensor in a file. */
export interface TensorPlace {
  readonly shape: number[];
  /** First byte, from the beginning of the file. */
  readonly begin: number;
  /** Length in bytes. */
  readonly length: number;
}

/** The header of a file, before its data. */
export interface SafetensorsHeader {
  /** Without the digest. */
  readonly metadata: Record<string, string>;
  /** The digest that the file states. Only {@link streamSafetensors} finds out whether it is right. */
  readonly sha256: string;
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, TensorPlace>;
}

/** What to do with the content of a file while it is read. */
export interface SafetensorsReader {
  /** Called first; throws if the header is not as expected. */
  begin?(header: SafetensorsHeader): void;
  /** Whether the values of a tensor are wanted (all). The others are hashed and passed over. */
  wants?(name: string): boolean;
  /** Called with each tensor wanted, in the order of the file. The values are not verified before the whole is read. */
  take(name: string, value: { shape: number[]; data: Float32Array }): void;
}

/** Bytes read or written at once; calls of more than 2 GiB fail. */
const CHUNK_BYTES = 1 << 26;
/** The most bytes of tensors that are read before the first of them is written; a larger tensor is read by itself. */
const BYTES_AHEAD = 1 << 24;
/** The most that readers of the format accept. */
const MOST_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;
const BLANK = '0'.repeat(64);
/** How every header begins, so that the digest has one place. */
const OPENING = '{"__metadata__":{"sha256":"';
const DIGEST_AT = LENGTH_BYTES + OPENING.length;

const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/**
 * Writes the tensors atomically, in their order, with one large tensor or a few small ones in memory.
 *
 * @returns the digest of the file.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, TensorSource>,
  metadata: Record<string, string>,
  { chunkBytes = CHUNK_BYTES, bytesAhead = BYTES_AHEAD }: { chunkBytes?: number; bytesAhead?: number } = {},
): Promise<string> {
  requireLittleEndian();
  const header = encodeHeader(new Map([...tensors].map(([name, { shape }]) => [name, [...shape]])), metadata);
  const hash = createHash('sha256').update(header);
  let digest = '';
  await writeFileAtomicBy(path, async (file) => {
    writeWhole(file, header);
    for await (const data of readAhead(tensors, bytesAhead)) {
      const bytes = bytesOf(data);
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        const chunk = bytes.subarray(at, at + chunkBytes);
        hash.update(chunk);
        writeWhole(file, chunk);
        countWork();
      }
    }
    digest = hash.digest('hex');
    writeSync(file, digest, DIGEST_AT);
  });
  return digest;
}

/**
 * The values of the tensors, in their order. The reads of small tensors overlap: on a GPU each waits for the device,
 * and a checkpoint of a small model has hundreds of them.
 */
async function* readAhead(
  tensors: ReadonlyMap<string, TensorSource>,
  mostBytes: number,
): AsyncGenerator<Float32Array, void> {
  const waiting = [...tensors];
  const reading: { name: string; bytes: number; data: Promise<Float32Array> }[] = [];
  let bytesReading = 0;
  while (waiting.length > 0 || reading.length > 0) {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const [name, source] = next;
      const bytes = 4 * sizeOf(source.shape);
      if (reading.length > 0 && bytesReading + bytes > mostBytes) break;
      waiting.shift();
      const data = Promise.resolve(source.read());
      data.catch(() => undefined); // It is awaited below, unless an earlier one fails first.
      reading.push({ name, bytes, data });
      bytesReading += bytes;
    }
    const { name, bytes, data } = reading.shift()!;
    const values = await data;
    bytesReading -= bytes;
    if (4 * values.length !== bytes) throw new Error(`${name} has ${values.length} values, not its shape's`);
    yield values;
  }
}

/** The header as it stands at the beginning of a file, its length included, with a blank digest. */
function encodeHeader(shapes: ReadonlyMap<string, number[]>, metadata: Record<string, string>): Buffer {
  let offset = 0;
  const entries = [...shapes].map(([name, shape]) => {
    const begin = offset;
    offset += 4 * sizeOf(shape);
    return `,${JSON.stringify(name)}:${JSON.stringify({ dtype: 'F32', shape, data_offsets: [begin, offset] })}`;
  });
  const text = `{"__metadata__":${JSON.stringify({ sha256: BLANK, ...metadata })}${entries.join('')}}`;
  // Padding with spaces to 8 bytes keeps the data aligned, as the format recommends.
  const length = Math.ceil(Buffer.byteLength(text) / 8) * 8;
  const header = Buffer.alloc(LENGTH_BYTES + length, ' ');
  header.writeBigUInt64LE(BigInt(length));
  header.write(text, LENGTH_BYTES);
  return header;
}

/**
 * Reads the header of a file and checks it; the data are not read, so the digest is not verified.
 *
 * @throws CorruptFileError when it is not as {@link writeSafetensors} writes it, or does not describe the file's bytes.
 */
export function readSafetensorsHeader(path: string): SafetensorsHeader {
  return withFile(path, (file, size) => parseHeader(path, file, size).header);
}

/**
 * Reads a file from its beginning to its end, in one pass, and verifies its digest.
 *
 * @throws CorruptFileError if the file is damaged. Tensors that were taken before must then not be used.
 */
export function streamSafetensors(
  path: string,
  reader: SafetensorsReader = { wants: () => false, take: () => undefined },
  chunkBytes = CHUNK_BYTES,
): SafetensorsHeader {
  requireLittleEndian();
  return withFile(path, (file, size) => {
    const { header, hash } = parseHeader(path, file, size);
    reader.begin?.(header);
    let scratch: Uint8Array | undefined;
    for (const [name, { shape, begin, length }] of header.tensors) {
      if (reader.wants?.(name) ?? true) {
        const data = new Float32Array(length / 4);
        readHashed(path, file, bytesOf(data), begin, hash, chunkBytes);
        reader.take(name, { shape, data });
      } else {
        scratch ??= new Uint8Array(chunkBytes);
        for (let at = 0; at < length; at += chunkBytes) {
          readHashed(path, file, scratch.subarray(0, Math.min(chunkBytes, length - at)), begin + at, hash, chunkBytes);
        }
      }
    }
    if (hash.digest('hex') !== header.sha256) throw corrupt(path, 'it does not match its checksum');
    return header;
  });
}

/**
 * Reads all the tensors of a file.
 *
 * @throws CorruptFileError: see {@link streamSafetensors}.
 */
export function readSafetensors(path: string): Pick<SafetensorsHeader, 'metadata' | 'sha256'> & { tensors: Values } {
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  const { metadata, sha256 } = streamSafetensors(path, { take: (name, value) => tensors.set(name, value) });
  return { tensors, metadata, sha256 };
}

const corrupt = (path: string, what: string): CorruptFileError => new CorruptFileError(`${path} is damaged: ${what}`);

/** Opens a file for reading. Every error counts as damage, also a missing file. */
function withFile<T>(path: string, read: (file: number, size: number) => T): T {
  const stored = openStored(path, Number.MAX_SAFE_INTEGER, read);
  if (stored.kind === 'missing') throw new CorruptFileError(`${path} is missing`);
  if (stored.kind === 'damaged') throw corrupt(path, `it ${stored.problem}`);
  return stored.value;
}

/** Fills the target from a place in the file and adds it to the hash. */
function readHashed(
  path: string,
  file: number,
  target: Uint8Array,
  position: number,
  hash: Hash,
  chunkBytes: number,
): void {
  for (let done = 0; done < target.length;) {
    const read = readSync(file, target, done, Math.min(chunkBytes, target.length - done), position + done);
    if (read === 0) throw corrupt(path, 'it is cut short');
    hash.update(target.subarray(done, done + read));
    done += read;
  }
}

const count = z.int().nonnegative();
const infoSchema = z.strictObject({
  dtype: z.literal('F32'),
  shape: z.array(count),
  data_offsets: z.tuple([count, count]),
});
const metadataSchema = z.record(z.string(), z.string());

/** The header, and the hash of the file so far. */
function parseHeader(path: string, file: number, size: number): { header: SafetensorsHeader; hash: Hash } {
  const bytes = readHeaderBytes(path, file, size);
  const sha256 = bytes.toString('latin1', DIGEST_AT, DIGEST_AT + BLANK.length);
  const opens = bytes.toString('latin1', LENGTH_BYTES, DIGEST_AT) === OPENING;
  if (!opens || !/^[0-9a-f]{64}$/.test(sha256)) throw corrupt(path, 'it has no checksum');
  bytes.write(BLANK, DIGEST_AT);

  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8', LENGTH_BYTES));
  } catch {
    throw corrupt(path, 'its header is not JSON');
  }
  const [[, first], ...rest] = Object.entries(json as object) as [[string, unknown], ...[string, unknown][]];
  const metadata = metadataSchema.safeParse(first);
  if (!metadata.success) throw corrupt(path, 'its metadata are not strings');
  const places = rest.map(([name, value]): [string, TensorPlace] => {
    const info = infoSchema.safeParse(value);
    if (!info.success) throw corrupt(path, `${name} is not described as a float32 tensor`);
    const { shape, data_offsets: offsets } = info.data;
    return [name, { shape, begin: bytes.length + offsets[0], length: offsets[1] - offsets[0] }];
  });
  const end = checkPlaces(path, places, bytes.length);
  if (end !== size) throw corrupt(path, end > size ? 'it is cut short' : 'its data are longer than its tensors');
  const { sha256: _, ...others } = metadata.data;
  const tensors = new Map(places);
  // One header has one spelling: this detects a repeated name, and anything else that the checks above miss.
  const shapes = new Map(places.map(([name, { shape }]) => [name, shape]));
  if (!encodeHeader(shapes, others).equals(bytes)) throw corrupt(path, 'its header is not as vitmim writes it');
  return { header: { metadata: others, sha256, tensors }, hash: createHash('sha256').update(bytes) };
}

function readHeaderBytes(path: string, file: number, size: number): Buffer {
  const prefix = Buffer.alloc(LENGTH_BYTES);
  if (size < DIGEST_AT + BLANK.length || readSync(file, prefix, 0, LENGTH_BYTES, 0) < LENGTH_BYTES) {
    throw corrupt(path, 'it is cut short');
  }
  const length = prefix.readBigUInt64LE();
  if (length > BigInt(size - LENGTH_BYTES)) throw corrupt(path, 'it is cut short');
  if (length > BigInt(MOST_HEADER_BYTES)) throw corrupt(path, 'its header is too long');
  const bytes = Buffer.alloc(LENGTH_BYTES + Number(length));
  for (let done = 0; done < bytes.length;) {
    const read = readSync(file, bytes, done, bytes.length - done, done);
    if (read === 0) throw corrupt(path, 'it is cut short');
    done += read;
  }
  return bytes;
}

/**
 * Checks that tensors follow each other without gaps and have the lengths of their shapes; returns the end of the last.
 */
function checkPlaces(path: string, places: readonly (readonly [string, TensorPlace])[], start: number): number {
  return places.reduce((end, [name, { shape, begin, length }]) => {
    const expected = 4 * sizeOf(shape);
    if (begin !== end || length !== expected || !Number.isSafeInteger(expected)) {
      throw corrupt(path, `${name} has a wrong byte range`);
    }
    return end + length;
  }, start);
}

function requireLittleEndian(): void {
  if (endianness() !== 'LE') throw new Error('checkpoints need a little-endian machine');
}
