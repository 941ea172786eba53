/**
 * Matrix units: a subgroup multiplies two 16 × 16 matrices of float16 and adds the product to one of float32, whose
 * values are distributed over its invocations. In WGSL they are an experimental feature of Dawn. This file also
 * emulates them, to test the passes on devices that have none.
 */
import { AT_ONCE } from '../pass.js';
import { LAYOUTS, type Layout, type ProductSizes } from './product-sizes.js';

/** Limits of workgroups. */
export type WorkgroupLimits = Pick<
  GPUSupportedLimits,
  'maxComputeWorkgroupStorageSize' | 'maxComputeInvocationsPerWorkgroup'
>;

/** Properties that code for matrix units depends on. */
export interface MatrixUnitKind {
  /** Invocations of a subgroup. */
  readonly lanes: number;
  /** Whether the device has none. Results are the same, but so slow that only tests use it. */
  readonly emulated: boolean;
}

export interface MatrixUnits extends MatrixUnitKind {
  readonly tiles: Tiles;
}

/**
 * Whether a product has few tiles. The best tile may then be different, since the last round of workgroups matters
 * more.
 */
export type Extent = 'few' | 'many';
type ForEachProduct<T> = Readonly<Record<Layout, Readonly<Record<Extent, T>>>>;
export type Tiles = ForEachProduct<MatrixTile>;

/** @returns The result of `one` for each layout and extent. */
export const forEachProduct = <T>(one: (layout: Layout, extent: Extent) => T): ForEachProduct<T> =>
  Object.fromEntries(
    LAYOUTS.map((layout) => [layout, { few: one(layout, 'few'), many: one(layout, 'many') }]),
  ) as ForEachProduct<T>;

/** Tiles of 128 × 128: four rounds of workgroups on a large GPU. */
const MANY = 4 * AT_ONCE;

export const extentOf = ({ rows, columns }: Pick<ProductSizes, 'rows' | 'columns'>, splits: number): Extent =>
  Math.ceil(rows / 128) * Math.ceil(columns / 128) * splits < MANY ? 'few' : 'many';

/** A workgroup's part of a product, in values of the result, and the length of its strips of the factors. */
export interface MatrixTile {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Subgroups along the rows and along the columns: each has a part of at most 64 × 64. */
  readonly split: readonly [number, number];
}

/** Sides of all matrices. */
export const SIDE = 16;
/** Float16 in a vec4<u32>, in which matrices are moved. */
export const PACK = 8;

/** Names of the buffers and workgroup variables that matrices are read from or written to. */
interface Memories {
  /** Of vec4<u32>, each of eight float16. */
  readonly packed: readonly string[];
  /** Of vec4<f32>; of their bits if the name is also in `packed`. */
  readonly sums: readonly string[];
}

/** Whether the rows or the columns of a matrix are contiguous. */
export type MatrixOrder = 'rows' | 'columns';

/** WGSL for matrix units. Offsets and strides count elements of the memory, and are the same for the whole subgroup. */
export interface MatrixCode {
  readonly extensions: readonly string[];
  readonly parameters: readonly string[];
  readonly declarations: string;
  /**
   * The type of sums. Each declaration sets `sum()`, which is 0: in a loop, Dawn 0.6 initialises variables only once.
   */
  readonly sum: string;
  /**
   * The beginning of the body: declares `subgroup`, its number in the workgroup, and `lane`, the number in the
   * subgroup.
   */
  readonly begin: string;
  readonly load: (
    factor: 'left' | 'right',
    memory: string,
    offset: string,
    stride: number,
    order: MatrixOrder,
  ) => string;
  /** sum + left·right */
  readonly multiplyAdd: (left: string, right: string, sum: string) => string;
  /** A statement. */
  readonly store: (memory: string, offset: string, sum: string, stride: number) => string;
}

export function matrixCode(units: MatrixUnitKind, memories: Memories): MatrixCode {
  return units.emulated ? emulated(units, memories) : HARDWARE;
}

const HARDWARE: MatrixCode = {
  extensions: ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'],
  parameters: ['@builtin(subgroup_id) subgroup: u32', '@builtin(subgroup_invocation_id) lane: u32'],
  declarations: '',
  sum: `subgroup_matrix_result<f32, ${SIDE}, ${SIDE}>`,
  begin: '',
  load: (factor, memory, offset, stride, order) =>
    `subgroupMatrixLoad<subgroup_matrix_${factor}<f16, ${SIDE}, ${SIDE}>, ${order === 'rows' ? 'row_major' : 'col_major'}>(&${memory}, ${offset}, ${stride}u)`,
  multiplyAdd: (left, right, sum) => `subgroupMatrixMultiplyAccumulate(${left}, ${right}, ${sum})`,
  store: (memory, offset, sum, stride) => `subgroupMatrixStore<row_major>(&${memory}, ${offset}, ${sum}, ${stride}u);`,
};

/**
 * A factor is represented by its index in memory, which must not be overwritten before the multiplication. Every
 * invocation holds an equal part of a sum.
 */
function emulated({ lanes }: MatrixUnitKind, { packed, sums }: Memories): MatrixCode {
  const own = SIDE ** 2 / lanes;
  const store = (memory: string): string => `
    fn ${memory}Store(lane: u32, offset: u32, sum: array<f32, ${own}>, stride: u32) {
      for (var i = 0u; i < ${own}u; i++) {
        let place = ${own}u * lane + i;
        let at = 4u * (offset + place / 16u * stride) + place % 16u;
        ${memory}[at / 4u][at % 4u] = ${packed.includes(memory) ? 'bitcast<u32>(sum[i])' : 'sum[i]'};
      }
    }`;
  const declarations = `
    struct Factor { memory: u32, offset: u32, stride: u32, columns: bool }
    fn valueOf(factor: Factor, row: u32, column: u32) -> f32 {
      let major = select(row, column, factor.columns);
      let minor = select(column, row, factor.columns);
      let at = 8u * (factor.offset + major * factor.stride) + minor;
      // One component instead of the vector: a processor would compile that to four reads, in each of many places.
      var pair = 0u;
      switch factor.memory {
        ${packed.map((memory, i) => `case ${i}u: { pair = ${memory}[at / 8u][at / 2u % 4u]; }`).join('\n')}
        default: {}
      }
      return unpack2x16float(pair)[at % 2u];
    }
    fn multiplyAdd(lane: u32, left: Factor, right: Factor, sum: array<f32, ${own}>) -> array<f32, ${own}> {
      var result = sum;
      for (var at = 0u; at < ${own * SIDE}u; at++) {
        let place = ${own}u * lane + at / 16u;
        let k = at % 16u;
        result[at / 16u] += valueOf(left, place / 16u, k) * valueOf(right, k, place % 16u);
      }
      return result;
    }`;
  return {
    extensions: [],
    parameters: [],
    declarations: [declarations, ...sums.map(store)].join('\n'),
    sum: `array<f32, ${own}>`,
    begin: `let subgroup = thread / ${lanes}u; let lane = thread % ${lanes}u;`,
    load: (_factor, memory, offset, stride, order) =>
      `Factor(${packed.indexOf(memory)}u, ${offset}, ${stride}u, ${String(order === 'columns')})`,
    multiplyAdd: (left, right, sum) => `multiplyAdd(lane, ${left}, ${right}, ${sum})`,
    store: (memory, offset, sum, stride) => `${memory}Store(lane, ${offset}, ${sum}, ${stride}u);`,
  };
}
