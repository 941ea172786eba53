/** The state of a thread: its own instance of the kernels on the shared memory, and its matrix product. */
import { FLOAT, offset, type Address } from './address.js';
import { blasGemm, type BlasLibrary } from './blas.js';
import { typedKernels, type Kernels } from './exports.js';
import type { Gemm } from './gemm.js';

/** At least the result of the kernels' `gemmScratchBytes()`; {@link openThread} checks this. */
export const GEMM_SCRATCH = 264 * 1024;

/** The options of {@link openThread}. They can be sent to another thread. */
export interface ThreadOptions {
  /** 0 for the calling thread. */
  index: number;
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  blas: BlasLibrary | null;
  /** Scratch for the product if there is no BLAS: {@link GEMM_SCRATCH} bytes for each thread. */
  gemmScratch: Address;
}

export interface Thread {
  index: number;
  memory: WebAssembly.Memory;
  kernels: Kernels;
  gemm: Gemm;
}

/** @throws Error if the module was built from another version. */
export function openThread({ index, module, memory, blas, gemmScratch }: ThreadOptions): Thread {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = typedKernels(exports);
  if (kernels.gemmScratchBytes() > GEMM_SCRATCH) throw new Error('GEMM_SCRATCH is too small for the kernels');
  const scratch = offset(gemmScratch, (index * GEMM_SCRATCH) / FLOAT);
  return { index, memory, kernels, gemm: blas ? blasGemm(blas, memory) : kernelGemm(kernels, scratch) };
}

function kernelGemm({ gemm }: Kernels, scratch: Address): Gemm {
  return ({ m, n, k, a, b, c, lda, ldb, ldc, transposeA = false, transposeB = false, alpha = 1, beta = 0 }) => {
    const [opA, opB] = [transposeA ? 1 : 0, transposeB ? 1 : 0];
    gemm({ transposeA: opA, transposeB: opB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, scratch });
  };
}
