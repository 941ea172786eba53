/** What a thread works with: its own instance of the kernels on the shared memory, and its matrix product. */
import { blasGemm, type BlasLibrary } from './blas.js';
import type { Gemm } from './gemm.js';

/** The module's exports (src/backends/simd/assembly). Addresses and counts in, nothing or a sum out. */
export type Kernels = Record<KernelName, (...values: number[]) => number>;

/** Checked against the module when a thread opens. */
const KERNEL_NAMES = [
  'absolute',
  'adamW',
  'add',
  'addWeightedRows',
  'clip',
  'copyStrided',
  'crossEntropy',
  'crossEntropyGradient',
  'divide',
  'expandChannels',
  'exponential',
  'fill',
  'fillRows',
  'gatherRows',
  'gelu',
  'gemm',
  'gemmScratchBytes',
  'inverseSquareRoot',
  'layerNorm',
  'layerNormGradient',
  'maximum',
  'minimum',
  'multiply',
  'negate',
  'scale',
  'scatterRows',
  'softmax',
  'softmaxGradient',
  'square',
  'squareRoot',
  'squaredError',
  'squaredErrorGradient',
  'subtract',
  'sum',
  'sumColumns',
  'sumRows',
] as const;
type KernelName = (typeof KERNEL_NAMES)[number];

/** At least what the kernels' `gemmScratchBytes()` says, which a thread checks. */
export const GEMM_SCRATCH = 264 * 1024;

/** What is needed to open a thread; can be sent to one. */
export interface ThreadOptions {
  /** 0 for the calling thread. */
  index: number;
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  blas: BlasLibrary | null;
  /** Address of scratch for the product where there is no BLAS: {@link GEMM_SCRATCH} bytes for each thread. */
  gemmScratch: number;
}

export interface Thread {
  index: number;
  memory: WebAssembly.Memory;
  kernels: Kernels;
  gemm: Gemm;
}

export function openThread({ index, module, memory, blas, gemmScratch }: ThreadOptions): Thread {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = exports as Kernels;
  const missing = KERNEL_NAMES.filter((name) => typeof kernels[name] !== 'function');
  if (missing.length > 0) throw new Error(`the kernels are of another build, without ${missing.join(', ')}`);
  if (kernels.gemmScratchBytes() > GEMM_SCRATCH) throw new Error('GEMM_SCRATCH is too small for the kernels');
  return {
    index,
    memory,
    kernels,
    gemm: blas ? blasGemm(blas, memory) : kernelGemm(kernels, gemmScratch + index * GEMM_SCRATCH),
  };
}

function kernelGemm({ gemm }: Kernels, scratch: number): Gemm {
  return (...values) => {
    gemm(...values, scratch);
  };
}
