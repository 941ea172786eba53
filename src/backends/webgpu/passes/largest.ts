/** The largest absolute values of parts of a list, as a pass finds them that goes through it: for a scale of all of it. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { striding, type Pass } from '../pass.js';
import { reduction } from './reduction.js';

export const THREADS = 256;
export const LARGEST_OF_GROUP = reduction('largestOfGroup', 'f32', THREADS, (a, b) => `max(${a}, ${b})`);

/** WGSL of what happens to element `i`. */
interface Each {
  readonly value: string;
  /** Has the `value`. */
  readonly also?: string;
}

/**
 * What a pass through a list needs to leave the largest values of its parts, one for each workgroup, in `parts`.
 *
 * @param count Elements, of so many lanes.
 */
export function partsOf(
  backend: VitBackend,
  count: number,
  lanes: 1 | 4,
  { value, also = '' }: Each,
): Pick<Pass, 'threads' | 'groups' | 'code'> & { parts: tf.TensorInfo } {
  const { loop, ...layout } = striding(count, THREADS);
  const absolute =
    lanes === 4
      ? 'let pair = max(abs(value.xy), abs(value.zw)); let size = max(pair.x, pair.y);'
      : 'let size = abs(value);';
  return {
    parts: backend.output([layout.groups[0]]),
    ...layout,
    code: () => ({
      declarations: LARGEST_OF_GROUP,
      body: `
        var most = 0.0;
        ${loop(`
          let value = ${value};
          ${also}
          ${absolute}
          most = max(most, size);`)}
        let largest = largestOfGroup(thread, most);
        if (thread == 0u) { parts[group.x] = largest; }`,
    }),
  };
}
