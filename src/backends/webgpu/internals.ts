/**
 * Undeclared parts of tfjs's WebGPU backend that are used here. The version of tfjs is pinned; another version may need
 * changes in this file. vitmim's passes use the command encoder that the stock kernels fill, so that all run in the
 * order of their calls.
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
  /** Tensors of passes that are not yet submitted. Their buffers are released after the submission. */
  commandQueueOwnedIds: WeakSet<object>;
  dispatchCountInPass: number;
  /** Uniform buffers to be released at the next submission. */
  uniformPendingDisposal: GPUBuffer[];
  /** Defined while passes are timed. */
  activeTimers: Timer[] | undefined;
  querySet: GPUQuerySet | null;
  supportTimestampQuery: boolean;
}

export function internalsOf(backend: WebGPUBackend): Internals {
  return backend as unknown as Internals;
}
