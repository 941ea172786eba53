/**
 * tfjs and the ops, passed as an argument to the tensor functions of an entry. The files in this folder are imported by
 * `spec`, `store`, `runner` and `report`, which must not load tfjs, so they import only its types.
 */
import type * as tf from '@tensorflow/tfjs';
import type * as ops from '../ops/index.js';

export interface Tensors {
  readonly tf: typeof tf;
  readonly ops: typeof ops;
}
