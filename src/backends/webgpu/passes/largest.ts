/** The largest absolute values of parts of a list, found by one pass over the list. They determine a scale for it. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { striding, type Shader } from '../pass.js';
import { reduction } from './reduction.js';

export const THREADS = 256;

/** WGSL: `largestOfGroup(thread, value)`, which all invocations of a workgroup call together. */
export const largestOfGroup = (threads = THREADS): string =>
  reduction('largestOfGroup', 'f32', threads, (a, b) => `max(${a}, ${b})`);

/** WGSL: the maximum of `most` and of the absolute values in a variable. */
export const mostOf = (lanes: 1 | 4, value: string): string =>
  lanes === 4
    ? `max(most, max(max(abs(${value}.x), abs(${value}.y)), max(abs(${value}.z), abs(${value}.w))))`
    : `max(most, abs(${value}))`;

/** WGSL for element `i`. */
interface Each {
  readonly value: string;
  /** Further statements. `value` is in scope. */
  readonly also?: string;
}

/**
 * A shader that reads a list and writes the largest values of its parts, one for each workgroup, to `parts`.
 *
 * @param count Elements, each of so many lanes.
 */
export function largestParts(count: number, lanes: 1 | 4, { value, also = '' }: Each): Shader {
  const { loop, ...layout } = striding(count, THREADS);
  const body = `
    var most = 0.0;
    ${loop(`
      let value = ${value};
      ${also}
      most = ${mostOf(lanes, 'value')};`)}
    let largest = largestOfGroup(thread, most);
    if (thread == 0u) { parts[group.x] = largest; }`;
  return { ...layout, declarations: largestOfGroup(), body };
}

/** A new tensor for the parts that {@link largestParts} writes. */
export const partsFor = (backend: VitBackend, count: number): tf.TensorInfo =>
  backend.output([striding(count, THREADS).groups[0]]);
