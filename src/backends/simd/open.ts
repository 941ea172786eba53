/**
 * Device `simd`: the CPU's vector units through WebAssembly SIMD, the system's BLAS if one is installed, and threads.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { cachePath } from '../../common/cache-folder.js';
import { unreachable, UsageError } from '../../common/errors.js';
import type { DeviceOptions, OpenDevice } from '../device.js';
import { SimdBackend } from './backend.js';
import { chooseBfloat16, type Bfloat16Choice } from './bfloat16-choice.js';
import { findBlas, type BlasLibrary } from './blas.js';
import { BACKEND_NAME } from './kernels/kernel.js';
import { registerKernels } from './kernels/index.js';
import { SharedHeap } from './memory.js';
import { THREAD_SCRATCH } from './thread.js';
import { ThreadPool } from './threads.js';

/**
 * Makes its backend the active one.
 *
 * @throws UsageError with the reason why the device is not available, and a remedy.
 */
export async function open({ threads = availableParallelism(), precision }: DeviceOptions): Promise<OpenDevice> {
  const found = findBlas(process.env.VITMIM_BLAS);
  const blas = 'path' in found ? found : null;
  const { module, fused } = kernelModule();
  const heap = new SharedHeap();
  const pool = await ThreadPool.start(threads, {
    module,
    memory: heap.memory,
    blas,
    scratch: heap.allocate(threads * THREAD_SCRATCH),
  });
  if (tf.findBackend(BACKEND_NAME) as unknown) tf.removeBackend(BACKEND_NAME);
  else registerKernels();
  const [cache, requested] = [cachePath('bfloat16.json'), process.env.VITMIM_BFLOAT16];
  const choose = (): Bfloat16Choice => chooseBfloat16({ thread: pool.caller, heap, blas, cache, requested });
  const backend = new SimdBackend(heap, pool, choose);
  tf.registerBackend(BACKEND_NAME, () => backend);
  if (!(await tf.setBackend(BACKEND_NAME))) throw new UsageError('device simd did not start; use --device cpu');

  const product = 'path' in found ? found.description : `no BLAS (${found.absent})`;
  const bfloat16 = precision === 'bfloat16' ? [describeBfloat16(backend.bfloat16, blas)] : [];
  const advice = [
    ...(found.advice === undefined ? [] : [found.advice]),
    ...(precision === 'bfloat16' ? adviceOn(backend.bfloat16) : []),
  ];
  return {
    description: [
      product,
      `${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      ...bfloat16.map((way) => way + describeSpeed(backend.bfloat16)),
    ].join(', '),
    advice,
    details: {
      backend: [`simd, tfjs ${tf.version.tfjs}`, ...(fused ? ['fused multiply-add'] : []), ...bfloat16].join(', '),
      adapter: null,
      driver: null,
      blas: blas && { name: blas.name, version: blas.version },
      threads,
    },
    software: true,
    close: () => {
      pool.close();
    },
  };
}

/**
 * The kernels, with fused multiply-adds if this version of Node has relaxed SIMD (22 and newer). Results then differ in
 * the last bits, so provenance names the way.
 */
function kernelModule(): { module: WebAssembly.Module; fused: boolean } {
  const bytesOf = (name: string) => Uint8Array.from(readFileSync(new URL(name, import.meta.url)));
  const relaxed = bytesOf('./kernels-relaxed.wasm');
  const fused = WebAssembly.validate(relaxed);
  return { module: new WebAssembly.Module(fused ? relaxed : bytesOf('./kernels.wasm')), fused };
}

/**
 * `bfloat16 by cblas_gemm_bf16bf16f32`. It is part of provenance: results differ in the last bits between the products.
 */
function describeBfloat16({ product }: Bfloat16Choice, blas: BlasLibrary | null): string {
  switch (product) {
    case 'library':
      return `bfloat16 by ${blas?.bfloat16 ?? 'no library'}`;
    case 'widened':
      return 'bfloat16 by widened factors';
    default:
      return unreachable(product);
  }
}

/** ` (6.3 × the speed of float32)`; empty: it was not measured. Provenance leaves it out, since it varies between runs. */
function describeSpeed({ speed }: Bfloat16Choice): string {
  return speed === null ? '' : ` (${speed.toPrecision(2)} × the speed of float32)`;
}

/** Empty if bfloat16 is faster than float32, or was not measured. */
function adviceOn({ speed }: Bfloat16Choice): string[] {
  if (speed === null || speed > 1) return [];
  const percent = Math.round(100 * speed);
  return [
    `bfloat16 products are not faster than float32 ones on this processor (${percent} % of their speed): ` +
      'model.precision: bfloat16 only saves memory here',
  ];
}
