/**
 * Reads safetensors files of any program: float32, float16, bfloat16 and float64 tensors, in any order. The content is
 * untrusted: every offset is checked, and nothing in a file is executed. Files of PyTorch's pickle format are not read.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { z } from 'zod';
import { errorCode, messageOf, UsageError } from '../common/errors.js';
import { NO_WAIT } from '../common/open-flags.js';
import { countWork } from '../common/work.js';
import { readAt } from '../store/open.js';
import { sizeOf, type StoredTensor, type StoredTensors } from './tensors.js';

/** A file of weights, open to read its tensors. */
export interface WeightsFile {
  readonly path: string;
  readonly tensors: StoredTensors;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The most that readers of the format accept. */
const MOST_HEADER_BYTES = 100_000_000;
const CHUNK_BYTES = 1 << 26;

const count = z.int().nonnegative();
const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(count).max(8),
  data_offsets: z.tuple([count, count]),
});
const metadataSchema = z.record(z.string(), z.string());

/** Converts the bytes of a tensor to float32. */
const DTYPES: ReadonlyMap<string, { bytes: number; convert: (bytes: Uint8Array) => Float32Array }> = new Map([
  ['F32', { bytes: 4, convert: (bytes) => new Float32Array(aligned(bytes)) }],
  ['F64', { bytes: 8, convert: (bytes) => Float32Array.from(new Float64Array(aligned(bytes))) }],
  ['F16', { bytes: 2, convert: (bytes) => Float32Array.from(new Uint16Array(aligned(bytes)), halfToNumber) }],
  ['BF16', { bytes: 2, convert: fromBfloat16 }],
]);

/** A copy: the bytes of a Buffer may begin anywhere in memory that it shares with others. */
const aligned = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** bfloat16 is the upper half of float32. */
function fromBfloat16(bytes: Uint8Array): Float32Array {
  const values = new Uint16Array(aligned(bytes));
  const words = Uint32Array.from(values, (value) => (value << 16) >>> 0);
  return new Float32Array(words.buffer);
}

function halfToNumber(half: number): number {
  const [sign, exponent, fraction] = [half & 0x8000 ? -1 : 1, (half >> 10) & 31, half & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Opens a file of weights and reads its header.
 *
 * @throws UsageError if it is missing, is a pickle, or is no valid safetensors file. The message states what to do.
 */
export function openWeightsFile(path: string): WeightsFile {
  return withFile(path, (file, size) => {
    const start = readAt(file, 0, 8);
    const problem = pickleProblem(path, start);
    if (problem !== null) throw new UsageError(problem);
    const length = start.length < 8 ? Infinity : Number(start.readBigUInt64LE());
    if (length > Math.min(size - 8, MOST_HEADER_BYTES)) throw invalid(path, 'its header is cut short');
    const { metadata, places } = parseHeader(path, readAt(file, 8, length), size - 8 - length);
    const tensors = new Map(
      places.map(({ name, shape, dtype, begin, end }): [string, StoredTensor] => {
        const read = (): Float32Array =>
          withFile(path, (again) => {
            const bytes = readAt(again, 8 + length + begin, end - begin);
            if (bytes.length < end - begin) throw invalid(path, `${name} is cut short`);
            countWork();
            return DTYPES.get(dtype)!.convert(bytes);
          });
        return [name, { shape, read }];
      }),
    );
    return { path, tensors, metadata };
  });
}

interface Place {
  name: string;
  shape: number[];
  dtype: string;
  begin: number;
  end: number;
}

function parseHeader(
  path: string,
  bytes: Buffer,
  dataBytes: number,
): { metadata: Record<string, string>; places: Place[] } {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw invalid(path, 'its header is not JSON');
  }
  const entries = z.record(z.string(), z.unknown()).safeParse(json);
  if (!entries.success) throw invalid(path, 'its header is not a JSON object');
  const { __metadata__: written = {}, ...described } = entries.data;
  const metadata = metadataSchema.safeParse(written);
  if (!metadata.success) throw invalid(path, 'its metadata are not texts');
  const places = Object.entries(described).map(([name, value]): Place => {
    const tensor = tensorSchema.safeParse(value);
    if (!tensor.success) throw invalid(path, `the header does not describe the tensor ${name}`);
    const { dtype, shape, data_offsets: offsets } = tensor.data;
    const [begin, end] = offsets;
    const known = DTYPES.get(dtype);
    if (known === undefined) {
      throw invalid(path, `${name} is of type ${dtype}; the types ${[...DTYPES.keys()].join(', ')} can be read`);
    }
    if (end > dataBytes || end - begin !== known.bytes * sizeOf(shape)) throw invalid(path, `${name} is cut short`);
    return { name, shape, dtype, begin, end };
  });
  return { metadata: metadata.data, places };
}

/** A pickle, as a file or in the ZIP archive that torch.save writes; null: the file is none. */
function pickleProblem(path: string, start: Buffer): string | null {
  const isZip = start.subarray(0, 4).equals(Buffer.from('PK\x03\x04'));
  if (!isZip && !(start[0] === 0x80 && start[1]! <= 5 && start[1]! >= 2)) return null;
  return (
    `${path} is a pickle of PyTorch, which could execute code when it is read. Convert it to safetensors: python3 -c ` +
    `"import torch, safetensors.torch as s; c = torch.load('${path}', map_location='cpu', weights_only=True); ` +
    `s.save_file({k: v.clone().contiguous() for k, v in c.get('model', c).items()}, 'weights.safetensors')"`
  );
}

const invalid = (path: string, what: string): UsageError =>
  new UsageError(`${path} is not a valid safetensors file: ${what}; copy or convert it again`);

/** The user names the file, so it may be a link; a pipe or a folder is refused. */
function withFile<T>(path: string, use: (file: number, size: number) => T): T {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | NO_WAIT);
  } catch (error) {
    const missing = errorCode(error) === 'ENOENT';
    throw new UsageError(
      missing
        ? `there is no file of weights at ${path}; correct the path`
        : `cannot read the weights ${path}: ${messageOf(error)}`,
    );
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new UsageError(`${path} is not a file; name a safetensors file`);
    return use(file, stat.size);
  } finally {
    closeSync(file);
  }
}

/** The SHA-256 of a file's bytes. */
export function hashFile(path: string): string {
  return withFile(path, (file, size) => {
    const hash = createHash('sha256');
    for (let at = 0; at < size; at += CHUNK_BYTES) {
      hash.update(readAt(file, at, Math.min(CHUNK_BYTES, size - at)));
      countWork();
    }
    return hash.digest('hex');
  });
}
