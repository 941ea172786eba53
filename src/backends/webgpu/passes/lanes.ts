/**
 * How row-wise passes are laid out: a workgroup takes 16 rows, with 16 invocations for each, which share what they have
 * found through workgroup memory.
 */
import { linearGroup, linearGroups, type Pass } from '../pass.js';

export const LANES = 16;
export const ROWS = 16;
export const LANE_THREADS = LANES * ROWS;

/** WGSL: `sumOfLanes`, `sumsOfLanes` of two and `maxOfLanes`, which all invocations of the workgroup call together. */
export const LANE_FUNCTIONS = `
  var<workgroup> shares: array<f32, ${LANE_THREADS}>;
  fn sumOfLanes(thread: u32, value: f32) -> f32 {
    shares[thread] = value;
    workgroupBarrier();
    let first = thread - thread % ${LANES}u;
    var sum = 0.0;
    for (var i = 0u; i < ${LANES}u; i++) { sum += shares[first + i]; }
    workgroupBarrier();
    return sum;
  }
  var<workgroup> pairShares: array<vec2<f32>, ${LANE_THREADS}>;
  fn sumsOfLanes(thread: u32, values: vec2<f32>) -> vec2<f32> {
    pairShares[thread] = values;
    workgroupBarrier();
    let first = thread - thread % ${LANES}u;
    var sums = vec2<f32>(0.0);
    for (var i = 0u; i < ${LANES}u; i++) { sums += pairShares[first + i]; }
    workgroupBarrier();
    return sums;
  }
  fn maxOfLanes(thread: u32, value: f32) -> f32 {
    shares[thread] = value;
    workgroupBarrier();
    let first = thread - thread % ${LANES}u;
    var highest = shares[first];
    for (var i = 1u; i < ${LANES}u; i++) { highest = max(highest, shares[first + i]); }
    workgroupBarrier();
    return highest;
  }`;

/** WGSL: the sum of the components of a value of one or four lanes. */
export const across = (lanes: 1 | 4, value: string): string =>
  lanes === 4 ? `dot(${value}, vec4<f32>(1.0))` : `(${value})`;

/** WGSL: a loop of `column` over a row of `width` columns, shared among its lanes. `lane` is in scope. */
export const overColumns = (width: number, body: string): string =>
  `for (var column = lane; column < ${width}u; column += ${LANES}u) { ${body} }`;

/**
 * The layout of a pass over so many rows, and how its code begins: with `lane`, with `own`, the row's number, and with
 * `row`, the last one for those beyond it, who have to go along until nothing is shared any more.
 */
export function rowwise(rows: number): Pick<Pass, 'threads' | 'groups'> & { begin: string } {
  const groups = Math.ceil(rows / ROWS);
  const begin = `
    let lane = thread % ${LANES}u;
    let own = ${linearGroup(groups)} * ${ROWS}u + thread / ${LANES}u;
    let row = min(own, ${rows - 1}u);`;
  return { threads: LANE_THREADS, groups: linearGroups(groups), begin };
}
