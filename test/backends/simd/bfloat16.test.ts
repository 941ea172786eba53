/** bfloat16 on device simd: rounding, tensors that are stored as bfloat16, and the choice of the product. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../../src/backends/device.js';
import { openDevice } from '../../../src/backends/open.js';
import type { SimdBackend } from '../../../src/backends/simd/backend.js';
import { chooseBfloat16, type Surroundings } from '../../../src/backends/simd/bfloat16-choice.js';
import type { Gemm } from '../../../src/backends/simd/gemm.js';
import * as ops from '../../../src/ops/index.js';
import { readFixture } from '../../parity/fixture.js';
import { normals } from '../../support/arrays.js';
import { temporaryFolder } from '../../support/cli.js';
import { withVariables } from '../../support/variables.js';

const fixture = readFixture('bfloat16') as { float32: number[]; bfloat16: number[] };
const isNaN16 = (bits: number): boolean => (bits & 0x7fff) > 0x7f80;

let device: Device;
let backend: SimdBackend;
beforeAll(async () => {
  device = await openDevice('simd', { threads: 1 });
  backend = tf.backend() as unknown as SimdBackend;
});
afterAll(() => {
  device.close();
});

/** Rounds the numbers of the fixture, as rows of some length that follow each other. */
function rounded(columns: number): number[] {
  const { heap, threads } = backend;
  const { kernels } = threads;
  const length = fixture.float32.length;
  const [x, out] = [heap.allocate(4 * length), heap.allocate(2 * length)];
  new Uint32Array(heap.memory.buffer, x, length).set(fixture.float32);
  kernels.roundRows({ x, xStride: columns, out, outStride: columns, rows: length / columns, columns });
  const bits = [...new Uint16Array(heap.memory.buffer, out, length)];
  heap.free(x);
  heap.free(out);
  return bits;
}

describe('rounding', () => {
  it.each([fixture.float32.length, 4, 1, 2])('rows of %i values: the bits of PyTorch, and NaN stays NaN', (columns) => {
    rounded(columns).forEach((bits, i) => {
      const expected = fixture.bfloat16[i]!;
      expect([i, isNaN16(bits) ? 'NaN' : bits]).toEqual([i, isNaN16(expected) ? 'NaN' : expected]);
    });
  });

  it('is undone exactly by widening', () => {
    const { heap, threads } = backend;
    const { kernels } = threads;
    const length = fixture.bfloat16.length;
    const [x, out] = [heap.allocate(2 * length), heap.allocate(4 * length)];
    new Uint16Array(heap.memory.buffer, x, length).set(fixture.bfloat16);
    for (const columns of [length, 1]) {
      kernels.widenRows({ x, xStride: columns, out, outStride: columns, rows: length / columns, columns });
      const bits = new Uint32Array(heap.memory.buffer, out, length);
      expect([...bits]).toEqual(fixture.bfloat16.map((value) => value * 2 ** 16));
    }
    heap.free(x);
    heap.free(out);
  });
});

describe('a tensor that is stored as bfloat16', () => {
  const [scale, shift, x] = [normals(10, 'scale'), normals(10, 'shift'), normals(30, 'x')];
  const normed = (result: ops.Precision): tf.Tensor =>
    ops.layerNorm(tf.tensor2d([...x], [3, 10]), tf.tensor1d([...scale]), tf.tensor1d([...shift]), 1e-6, result);

  it('is widened for kernels that read float32, tfjs’s own and ours', () => {
    const [exact, doubled, cosines] = tf.tidy(() => {
      const stored = normed('bfloat16');
      expect(backend.bfloat16Address(stored)).toBeDefined();
      return [normed('float32'), tf.add(stored, stored), tf.acosh(stored)].map((tensor) => tensor.dataSync());
    });
    const nearest = Float32Array.from(exact!, (value) => {
      const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
      return new Float32Array(Uint32Array.of(((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) * 2 ** 16).buffer)[0]!;
    });
    expect(doubled).toEqual(nearest.map((value) => 2 * value));
    expect(cosines).toEqual(nearest.map((value) => Math.acosh(value)));
  });

  it('takes half the memory, and gives it back', () => {
    const before = backend.heap.statistics.used;
    const stored = backend.outputBfloat16([1024]);
    expect(backend.heap.statistics.used - before).toBe(2048);
    backend.address(stored); // widens it
    expect(backend.heap.statistics.used - before).toBe(2048 + 4096);
    backend.disposeData(stored.dataId);
    expect(backend.heap.statistics.used).toBe(before);
  });
});

describe('the choice of the product', () => {
  const folder = temporaryFolder();
  afterAll(() => {
    folder.remove();
  });
  /** A product that does nothing for some milliseconds. */
  const lasting =
    (milliseconds: number): Gemm =>
    () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
    };
  const surroundings = (
    file: string,
    [float32, widened, library]: readonly [number, number, number],
  ): Surroundings => ({
    thread: {
      ...backend.threads.caller,
      gemm: lasting(float32),
      bfloat16Gemm: { widened: lasting(widened), library: lasting(library) },
    },
    heap: backend.heap,
    blas: { path: 'somewhere', name: 'some', version: null, description: 'some library', bfloat16: 'cblas_some' },
    cache: join(folder.path, file),
    requested: undefined,
  });

  it('is the faster one, with its speed beside float32', () => {
    expect(chooseBfloat16(surroundings('fast.json', [20, 20, 2]))).toMatchObject({ product: 'library' });
    expect(chooseBfloat16(surroundings('slow.json', [2, 2, 20]))).toMatchObject({ product: 'widened' });
    expect(chooseBfloat16(surroundings('gain.json', [40, 40, 4])).speed).toBeGreaterThan(2);
  });

  it('is measured once, and then read from the file', () => {
    const first = chooseBfloat16(surroundings('kept.json', [5, 5, 1]));
    expect(existsSync(join(folder.path, 'kept.json'))).toBe(true);
    expect(chooseBfloat16(surroundings('kept.json', [1, 1, 5]))).toEqual(first);
  });

  it('is measured again if the file is damaged, for another library, or cannot be written', () => {
    writeFileSync(join(folder.path, 'damaged.json'), '{');
    expect(chooseBfloat16(surroundings('damaged.json', [5, 5, 1])).product).toBe('library');
    expect(JSON.parse(readFileSync(join(folder.path, 'damaged.json'), 'utf8'))).toHaveProperty('choices');

    const other = surroundings('damaged.json', [1, 1, 5]);
    const blas = { ...other.blas!, description: 'another library' };
    expect(chooseBfloat16({ ...other, blas }).product).toBe('widened');
    expect(chooseBfloat16(surroundings('damaged.json/below', [5, 5, 1])).product).toBe('library');
  });

  it('is the requested one, which is not measured', () => {
    const never = surroundings('requested.json', [1, 1, 1]);
    expect(chooseBfloat16({ ...never, requested: 'library' })).toEqual({ product: 'library', speed: null });
    expect(existsSync(join(folder.path, 'requested.json'))).toBe(false);
    expect(() => chooseBfloat16({ ...never, requested: 'fast' })).toThrow(/VITMIM_BFLOAT16=fast: expected widened or/);
    const blas = { ...never.blas!, bfloat16: null };
    expect(() => chooseBfloat16({ ...never, blas, requested: 'library' })).toThrow(/vitmim blas install mkl/);
    expect(() => chooseBfloat16({ ...never, blas: null, requested: 'library' })).toThrow(/there is no BLAS/);
  });

  it('is described with its gain, which provenance leaves out', async () => {
    const other = await withVariables({ XDG_CACHE_HOME: folder.path, VITMIM_BFLOAT16: undefined }, () =>
      openDevice('simd', { threads: 1, precision: 'bfloat16' }),
    );
    other.close();
    expect(other.description).toMatch(/bfloat16 by \w+.* \(\d.*× the speed of float32\)$/);
    expect(other.details.backend).toMatch(/bfloat16 by (?!.*speed)/);
  });
});
