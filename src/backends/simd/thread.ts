/** The state of a thread: its own instance of the kernels on the shared memory, and its matrix products. */
import type { Address } from './address.js';
import { blasGemm, type BlasLibrary } from './blas.js';
import { typedKernels, type Kernels } from './exports.js';
import type { Bfloat16Product, Gemm } from './gemm.js';
import { WIDENED_SCRATCH, widenedGemm } from './widened.js';

/** At least the result of the kernels' `gemmScratchBytes()`; {@link openThread} checks this. */
const GEMM_SCRATCH = 264 * 1024;

/** Bytes of scratch for the products of each thread. */
export const THREAD_SCRATCH = GEMM_SCRATCH + WIDENED_SCRATCH;

/** The options of {@link openThread}. They can be sent to another thread. */
export interface ThreadOptions {
  /** 0 for the calling thread. */
  index: number;
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  blas: BlasLibrary | null;
  /** {@link THREAD_SCRATCH} bytes for each thread. */
  scratch: Address;
}

export interface Thread {
  index: number;
  memory: WebAssembly.Memory;
  kernels: Kernels;
  gemm: Gemm;
  /** For factors in bfloat16. */
  bfloat16Gemm: Readonly<Record<Bfloat16Product, Gemm>>;
}

/** @throws Error if the module was built from another version. */
export function openThread({ index, module, memory, blas, scratch: all }: ThreadOptions): Thread {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = typedKernels(exports);
  if (kernels.gemmScratchBytes() > GEMM_SCRATCH) throw new Error('GEMM_SCRATCH is too small for the kernels');
  const scratch = (all + index * THREAD_SCRATCH) as Address;
  const gemm = blas ? blasGemm(blas, memory) : kernelGemm(kernels, scratch);
  const bfloat16Gemm = {
    widened: widenedGemm(gemm, kernels, (scratch + GEMM_SCRATCH) as Address),
    library: blas?.bfloat16 != null ? blasGemm(blas, memory, blas.bfloat16) : noProduct,
  };
  return { index, memory, kernels, gemm, bfloat16Gemm };
}

function noProduct(): never {
  throw new Error('no library multiplies in bfloat16');
}

function kernelGemm({ gemm }: Kernels, scratch: Address): Gemm {
  return ({ m, n, k, a, b, c, lda, ldb, ldc, transposeA = false, transposeB = false, alpha = 1, beta = 0 }) => {
    const [opA, opB] = [transposeA ? 1 : 0, transposeB ? 1 : 0];
    gemm({ transposeA: opA, transposeB: opB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, scratch });
  };
}
