/**
 * Device `simd`: the CPU's vector units through WebAssembly SIMD, the system's BLAS if one is installed, and threads.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { UsageError } from '../../common/errors.js';
import type { DeviceDriver } from '../device.js';
import { SimdBackend } from './backend.js';
import { findBlas } from './blas.js';
import { BACKEND_NAME } from './kernels/kernel.js';
import { registerKernels } from './kernels/index.js';
import { SharedHeap } from './memory.js';
import { GEMM_SCRATCH } from './thread.js';
import { ThreadPool } from './threads.js';

export const simd: DeviceDriver = {
  name: 'simd',
  async open({ threads = availableParallelism() }) {
    const blas = findBlas(process.env.VITMIM_BLAS);
    const module = new WebAssembly.Module(readFileSync(new URL('./kernels.wasm', import.meta.url)));
    const heap = new SharedHeap();
    const pool = await ThreadPool.start(threads, {
      module,
      memory: heap.memory,
      blas: 'path' in blas ? blas : null,
      gemmScratch: heap.allocate(threads * GEMM_SCRATCH),
    });
    if (tf.findBackend(BACKEND_NAME) as unknown) tf.removeBackend(BACKEND_NAME);
    else registerKernels();
    const backend = new SimdBackend(heap, pool);
    tf.registerBackend(BACKEND_NAME, () => backend);
    if (!(await tf.setBackend(BACKEND_NAME))) throw new UsageError('device simd did not start; use --device cpu');

    const product = 'path' in blas ? blas.description : `no BLAS (${blas.absent})`;
    return {
      name: 'simd',
      description: `${product}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      ...('advice' in blas ? { advice: blas.advice } : {}),
      details: {
        backend: `simd, tfjs ${tf.version.tfjs}`,
        adapter: null,
        driver: null,
        blas: 'path' in blas ? { name: blas.name, version: blas.version } : null,
        threads,
      },
      software: true,
      close: () => {
        pool.close();
      },
    };
  },
};
