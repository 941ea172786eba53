/**
 * What we use of tfjs's WebGPU backend beyond its declared interface, in one place: the version is pinned, and a change
 * of it is a change of this file. Our passes go into the command encoder that the stock kernels fill, so that both
 * run in the order in which they were asked for.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { BufferManager } from './buffers.js';

interface Timer {
  name: string;
  /** Milliseconds. */
  query: Promise<number>;
}

export interface Internals {
  bufferManager: BufferManager;
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  /** Tensors of passes that are recorded and not yet submitted: their buffers are given back after that. */
  commandQueueOwnedIds: WeakSet<object>;
  dispatchCountInPass: number;
  /** Uniform buffers to be given back at the next submission. */
  uniformPendingDisposal: GPUBuffer[];
  /** While somebody measures; otherwise undefined. */
  activeTimers: Timer[] | undefined;
  querySet: GPUQuerySet | null;
  supportTimestampQuery: boolean;
}

export function internalsOf(backend: WebGPUBackend): Internals {
  return backend as unknown as Internals;
}
