/**
 * The layout of row-wise shaders: a workgroup computes 16 rows, with 16 invocations for each, which exchange their
 * results through workgroup memory.
 */
import { linearGroup, linearGroups, type Shader } from '../pass.js';

const LANES = 16;
const ROWS = 16;
export const LANE_THREADS = LANES * ROWS;

/** WGSL: `name(thread, value)` joins the values of `lanes` lanes of a row, in order. */
const ofLanes = (lanes: number, name: string, type: string, join: (a: string, b: string) => string): string => `
  var<workgroup> ${name}Shares: array<${type}, ${LANE_THREADS}>;
  fn ${name}(thread: u32, value: ${type}) -> ${type} {
    ${name}Shares[thread] = value;
    workgroupBarrier();
    let first = thread - thread % ${lanes}u;
    var joined = ${name}Shares[first];
    for (var i = 1u; i < ${lanes}u; i++) { joined = ${join('joined', `${name}Shares[first + i]`)}; }
    workgroupBarrier();
    return joined;
  }`;
const sum = (a: string, b: string): string => `${a} + ${b}`;

/** WGSL: `sumsOfLanes` of a vector of two, which all invocations of the workgroup call together. */
export const sumsOfLanes = (lanes: number): string => ofLanes(lanes, 'sumsOfLanes', 'vec2<f32>', sum);

/** WGSL: `sumOfLanes` and `maxOfLanes`, likewise. */
export const LANE_FUNCTIONS = [
  ofLanes(LANES, 'sumOfLanes', 'f32', sum),
  ofLanes(LANES, 'maxOfLanes', 'f32', (a, b) => `max(${a}, ${b})`),
].join('\n');

/** WGSL: the sum of the components of a value of one or four lanes. */
export const across = (lanes: 1 | 4, value: string): string =>
  lanes === 4 ? `dot(${value}, vec4<f32>(1.0))` : `(${value})`;

/** WGSL: a loop of `column` over a row of `width` columns, shared among its lanes. `lane` is in scope. */
export const overColumns = (width: number, body: string): string =>
  `for (var column = lane; column < ${width}u; column += ${LANES}u) { ${body} }`;

/**
 * The layout of a shader over this many rows. Its code begins with `begin`, which declares `lane`, `own`, the row's
 * index, and `row`: the same, but at most the last row. Invocations beyond the last row must run until the last
 * exchange.
 */
export function rowwise(rows: number): Pick<Shader, 'threads' | 'groups'> & { begin: string } {
  const groups = Math.ceil(rows / ROWS);
  const begin = `
    let lane = thread % ${LANES}u;
    let own = ${linearGroup(groups)} * ${ROWS}u + thread / ${LANES}u;
    let row = min(own, ${rows - 1}u);`;
  return { threads: LANE_THREADS, groups: linearGroups(groups), begin };
}
