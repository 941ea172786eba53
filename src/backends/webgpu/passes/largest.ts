/** The largest absolute values of parts of a list, as a pass finds them that goes through it: for a scale of all of it. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { striding, type Pass } from '../pass.js';
import { reduction } from './reduction.js';

export const THREADS = 256;

/** WGSL: `largestOfGroup(thread, value)`, which all of a workgroup's invocations call together. */
export const largestOfGroup = (threads = THREADS): string =>
  reduction('largestOfGroup', 'f32', threads, (a, b) => `max(${a}, ${b})`);

/** WGSL: `most`, or what is larger of the absolute values in a variable. */
export const mostOf = (lanes: 1 | 4, value: string): string =>
  lanes === 4
    ? `max(most, max(max(abs(${value}.x), abs(${value}.y)), max(abs(${value}.z), abs(${value}.w))))`
    : `max(most, abs(${value}))`;

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
  return {
    parts: backend.output([layout.groups[0]]),
    ...layout,
    code: () => ({
      declarations: largestOfGroup(),
      body: `
        var most = 0.0;
        ${loop(`
          let value = ${value};
          ${also}
          most = ${mostOf(lanes, 'value')};`)}
        let largest = largestOfGroup(thread, most);
        if (thread == 0u) { parts[group.x] = largest; }`,
    }),
  };
}
