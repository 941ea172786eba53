/**
 * Matrix products on matrix units. A workgroup computes one tile of the result: it copies strips of both factors to
 * workgroup memory, and reads the next strips to registers while it multiplies. Each of its subgroups keeps a part of
 * the tile in its matrices. A part of 64 × 64 reads 2 · 64 · 16 values from workgroup memory for 64 · 64 · 16
 * multiply-adds.
 */
import type * as tf from '@tensorflow/tfjs';
import { definePass, packed, scalars, type BufferElements, type ByBuffer, type Pass } from '../pass.js';
import { epilogue, type Epilogue, type EpilogueReads, type EpilogueWrites } from './epilogue.js';
import { largestOfGroup, mostOf } from './largest.js';
import {
  matrixCode,
  PACK,
  SIDE,
  type MatrixCode,
  type MatrixTile,
  type MatrixUnitKind,
  type MatrixUnits,
  type MatrixOrder,
} from './matrix-units.js';
import type { Factors } from './product.js';
import type { Layout, ProductSizes } from './product-sizes.js';
import { repeat } from './unroll.js';

/** Extra columns in each row of a strip, so that rows that are read together lie in different memory banks. */
const PADDING = 8;

/** The part of a stored factor that a workgroup holds at a time. The inner side is contiguous. */
interface Strip {
  readonly name: 'a' | 'b';
  readonly order: MatrixOrder;
  /** Sides of the stored matrix, and of the strip. */
  readonly outer: number;
  readonly inner: number;
  readonly outerTile: number;
  readonly innerTile: number;
  /** The start of the strip along each side; one of them is `k`, which advances. */
  readonly outerBase: string;
  readonly innerBase: string;
}

/** Whether matrix units can compute a product: rows of both factors must have whole numbers of vectors. */
export const fitsMatrixUnits = ({ layout, rows, columns, depth }: ProductSizes): boolean =>
  (layout === 'first-transposed' ? rows : depth) % PACK === 0 &&
  (layout === 'second-transposed' ? depth : columns) % PACK === 0;

/** Whether the invocations of a workgroup can share the vectors of each strip's rows evenly. */
export const canMove = (layout: Layout, tile: MatrixTile, lanes: number): boolean =>
  stripsOf({ layout, rows: 0, columns: 0, depth: 0 }, tile).every(
    (strip) => threadsOf(tile, lanes) % widthOf(strip) === 0,
  );

const threadsOf = (tile: MatrixTile, lanes: number): number => lanes * tile.split[0] * tile.split[1];

/** Bytes of workgroup memory, and invocations of a workgroup. */
export function workgroupOf(layout: Layout, tile: MatrixTile, lanes: number): { bytes: number; threads: number } {
  const threads = threadsOf(tile, lanes);
  const { vectors } = memoryOf(stripsOf({ layout, rows: 0, columns: 0, depth: 0 }, tile), tile);
  return { bytes: 16 * vectors + 4 * threads, threads };
}

/**
 * Vectors from one row of a subgroup's sums to the next in workgroup memory: one more, to use different memory banks.
 */
const sumStride = (partColumns: number): number => partColumns / 4 + 1;

/**
 * Workgroup memory, in vectors of 16 bytes. It holds one strip after another. After the last multiplication, the sums
 * of each subgroup are copied through it to the buffer, `atOnce` matrices of 16 rows at a time.
 */
function memoryOf([a, b]: readonly [Strip, Strip], tile: MatrixTile) {
  const [sizeOfA, sizeOfB] = [a.outerTile * strideOf(a), b.outerTile * strideOf(b)];
  const subgroups = tile.split[0] * tile.split[1];
  const sums = SIDE * sumStride(tile.columns / tile.split[1]);
  const vectors = Math.max(sizeOfA + sizeOfB, subgroups * sums);
  const down = tile.rows / tile.split[0] / SIDE;
  return { vectors, beginOfB: sizeOfA, sums, atOnce: Math.min(down, Math.floor(vectors / (subgroups * sums))) };
}

export interface MatrixProductOptions {
  readonly sizes: ProductSizes;
  readonly tile: MatrixTile;
  /** The depth is split into at most this many parts, each with its own result: [splits, rows, columns]. */
  readonly splits: number;
  /** Receives the largest absolute value of each tile. Only for a product without an epilogue. */
  readonly largest?: tf.TensorInfo | undefined;
}

/** Number of workgroups: along the columns, along the rows, of parts. */
export const tilesOf = (
  { rows, columns }: Pick<ProductSizes, 'rows' | 'columns'>,
  tile: MatrixTile,
  splits: number,
): [number, number, number] => [Math.ceil(columns / tile.columns), Math.ceil(rows / tile.rows), splits];

/** The pass of y = epilogue(a·b) for factors that are stored as float16. */
export function matrixProductPass(
  units: MatrixUnits,
  { a, b, scale }: Factors,
  after: Epilogue,
  options: MatrixProductOptions,
): Pass {
  const { sizes, tile, splits, largest } = options;
  const { lanes, emulated } = units;
  const reads = { a: packed(a), b: packed(b), ...after.reads, scale: scale && scalars(scale) };
  const writes = { ...after.writes, largest: largest && scalars(largest) };
  return matrixProduct({ ...sizes, tile, splits, lanes, emulated }, reads, writes);
}

function stripsOf({ layout, rows, columns, depth }: ProductSizes, tile: MatrixTile): [Strip, Strip] {
  const [row, column] = ['firstRow', 'firstColumn'];
  const a = { name: 'a', outer: rows, inner: depth, outerTile: tile.rows, innerTile: tile.depth } as const;
  const b = { name: 'b', outer: depth, inner: columns, outerTile: tile.depth, innerTile: tile.columns } as const;
  return [
    layout === 'first-transposed'
      ? { ...turned(a), order: 'columns', outerBase: 'k', innerBase: row }
      : { ...a, order: 'rows', outerBase: row, innerBase: 'k' },
    layout === 'second-transposed'
      ? { ...turned(b), order: 'columns', outerBase: column, innerBase: 'k' }
      : { ...b, order: 'rows', outerBase: 'k', innerBase: column },
  ];
}

type Sides = Pick<Strip, 'outer' | 'inner' | 'outerTile' | 'innerTile'>;

function turned<S extends Sides>(strip: S): S {
  const { outer, inner, outerTile, innerTile } = strip;
  return { ...strip, outer: inner, inner: outer, outerTile: innerTile, innerTile: outerTile };
}

/** Vectors from one outer index of a strip to the next. */
const strideOf = ({ innerTile }: Pick<Strip, 'innerTile'>): number => (innerTile + PADDING) / PACK;

type Sizes = ProductSizes & MatrixUnitKind & { readonly tile: MatrixTile; readonly splits: number };
type Types = ByBuffer<'a' | 'b' | EpilogueReads | 'scale?' | EpilogueWrites | 'largest?', BufferElements>;

/** Values that the pieces of the code share. */
interface Plan {
  readonly matrices: MatrixCode;
  readonly threads: number;
  readonly lanes: number;
  readonly strips: readonly [Strip, Strip];
  readonly memory: ReturnType<typeof memoryOf>;
  /** The start of each strip in workgroup memory. */
  readonly beginOf: Readonly<Record<Strip['name'], number>>;
  /** Sides of a subgroup's part of the tile, and its matrices along each. */
  readonly partRows: number;
  readonly partColumns: number;
  readonly down: number;
  readonly across: number;
}

function planOf(sizes: Sizes): Plan {
  const { tile, lanes } = sizes;
  const strips = stripsOf(sizes, tile);
  const memory = memoryOf(strips, tile);
  const [partRows, partColumns] = [tile.rows / tile.split[0], tile.columns / tile.split[1]];
  return {
    matrices: matrixCode(sizes, { packed: ['strips'], sums: ['strips'] }),
    threads: threadsOf(tile, lanes),
    lanes,
    strips,
    memory,
    beginOf: { a: 0, b: memory.beginOfB },
    ...{ partRows, partColumns, down: partRows / SIDE, across: partColumns / SIDE },
  };
}

const matrixProduct = definePass<Sizes, 'a' | 'b' | EpilogueReads | 'scale?', EpilogueWrites | 'largest?'>(
  ({ layout }) => `product, ${layout}`,
  (sizes, types) => {
    const plan = planOf(sizes);
    const { matrices, threads, memory } = plan;
    const { tile, rows, columns, splits } = sizes;
    const declarations = [
      `var<workgroup> strips: array<vec4<u32>, ${memory.vectors}>;`,
      matrices.declarations,
      epilogue(types, { rows, columns }),
      ...(types.largest ? [largestOfGroup(threads)] : []),
      `const SPLIT_SIZE = ${rows * columns}u;`,
    ].join('\n');
    const body = `
      ${matrices.begin}
      ${multiplyStrips(sizes, plan)}
      ${drainAll(sizes, plan, types)}`;
    const { extensions, parameters } = matrices;
    return { threads, groups: tilesOf(sizes, tile, splits), extensions, parameters, declarations, body };
  },
);

/** All multiplications. The sums remain in the matrices `sum…x…`. */
function multiplyStrips({ tile, depth, splits }: Sizes, plan: Plan): string {
  const { matrices, threads, strips, beginOf, partRows, partColumns, down, across } = plan;
  const partDepth = tile.depth * Math.ceil(Math.ceil(depth / tile.depth) / splits);
  return `
    let firstRow = group.y * ${tile.rows}u;
    let firstColumn = group.x * ${tile.columns}u;
    let partRow = subgroup / ${tile.split[1]}u * ${partRows}u;
    let partColumn = subgroup % ${tile.split[1]}u * ${partColumns}u;
    let begin = group.z * ${partDepth}u;
    let end = min(begin + ${partDepth}u, ${depth}u);
    ${repeat(down, (i) => repeat(across, (j) => `var sum${i}x${j} = ${matrices.sum}();`))}
    ${strips.map((strip) => declareFetch(strip, threads, beginOf[strip.name])).join('\n')}
    if (begin < end) {
      let k = begin;
      ${strips.map((strip) => fetch(strip, threads)).join('\n')}
    }
    for (var now = begin; now < end; now += ${tile.depth}u) {
      ${strips.map((strip) => put(strip, threads)).join('\n')}
      workgroupBarrier();
      let k = now + ${tile.depth}u;
      if (k < end) {
        ${strips.map((strip) => moveOn(strip, tile.depth) + fetch(strip, threads)).join('\n')}
      }
      ${repeat(tile.depth / SIDE, (step) => multiply(plan, step))}
      workgroupBarrier();
    }`;
}

/** One step of 16 along the depth. */
function multiply({ matrices, strips, beginOf, down, across }: Plan, step: number): string {
  const [a, b] = strips;
  const at = (strip: Strip, order: MatrixOrder, part: string, index: number): string => {
    const stride = strideOf(strip);
    return order === 'rows'
      ? `${beginOf[strip.name]}u + (${part} + ${index * SIDE}u) * ${stride}u + ${(step * SIDE) / PACK}u`
      : `${beginOf[strip.name] + step * SIDE * stride}u + (${part} + ${index * SIDE}u) / ${PACK}u`;
  };
  // For b the orders are swapped: its rows run along the depth.
  const orderAcross: MatrixOrder = b.order === 'rows' ? 'columns' : 'rows';
  return `{
    ${repeat(down, (i) => `let left${i} = ${matrices.load('left', 'strips', at(a, a.order, 'partRow', i), strideOf(a), a.order)};`)}
    ${repeat(
      across,
      (j) => `{
        let right = ${matrices.load('right', 'strips', at(b, orderAcross, 'partColumn', j), strideOf(b), b.order)};
        ${repeat(down, (i) => `sum${i}x${j} = ${matrices.multiplyAdd(`left${i}`, 'right', `sum${i}x${j}`)};`)}
      }`,
    )}
  }`;
}

/** Writes all sums through the epilogue, and the largest value of the tile if it is requested. */
function drainAll(sizes: Sizes, plan: Plan, { scale, largest }: Types): string {
  const { memory, down } = plan;
  const [tilesAcross, tilesDown] = tilesOf(sizes, sizes.tile, sizes.splits);
  const writeLargest = `
    let largestHere = largestOfGroup(thread, most);
    if (thread == 0u) { largest[(group.z * ${tilesDown}u + group.y) * ${tilesAcross}u + group.x] = largestHere; }`;
  const rounds = Math.ceil(down / memory.atOnce);
  return `
    let staging = subgroup * ${memory.atOnce * memory.sums}u;
    ${scale ? 'let unscale = scale[1];' : ''}
    ${largest ? 'var most = 0.0;' : ''}
    ${repeat(rounds, (i) => {
      const first = i * memory.atOnce;
      const options = { scaled: scale !== undefined, withLargest: largest !== undefined };
      return drain(plan, first, Math.min(memory.atOnce, down - first), options);
    })}
    ${largest ? writeLargest : ''}`;
}

/** Writes the sums of this many matrices, downwards from the first. */
function drain(
  { matrices, lanes, partColumns, down, across }: Plan,
  first: number,
  count: number,
  { scaled, withLargest }: { scaled: boolean; withLargest: boolean },
): string {
  const vectors = partColumns / 4;
  const stride = sumStride(partColumns);
  return `
    ${repeat(count, (i) => repeat(across, (j) => matrices.store('strips', `staging + ${i * SIDE * stride + (j * SIDE) / 4}u`, `sum${first + i}x${j}`, stride)))}
    workgroupBarrier();
    for (var at = lane; at < ${count * SIDE * vectors}u; at += ${lanes}u) {
      let row = firstRow + partRow + ${first * SIDE}u + at / ${vectors}u;
      let column = firstColumn + partColumn + at % ${vectors}u * 4u;
      let four = bitcast<vec4<f32>>(strips[staging + at / ${vectors}u * ${stride}u + at % ${vectors}u])${scaled ? ' * unscale' : ''};
      ${withLargest ? `most = ${mostOf(4, 'four')};` : ''}
      storeFour(row, column, four, group.z * SPLIT_SIZE);
    }
    ${first + count < down ? 'workgroupBarrier();' : ''}`;
}

/** Vectors of an outer index of the strip. */
const widthOf = ({ innerTile }: Strip): number => innerTile / PACK;

/** Number of outer indices that all invocations copy at a time. */
const outerAtOnce = (strip: Strip, threads: number): number => threads / widthOf(strip);
/** Vectors that an invocation copies. */
const vectorsOf = (strip: Strip, threads: number): number => Math.ceil(strip.outerTile / outerAtOnce(strip, threads));

/**
 * Code for each vector of a strip that an invocation copies, given the distance of its outer index from the first
 * one's.
 */
function eachVector(strip: Strip, threads: number, code: (i: number, further: number) => string): string {
  const step = outerAtOnce(strip, threads);
  return repeat(vectorsOf(strip, threads), (i) => {
    const line = code(i, i * step);
    return (i + 1) * step <= strip.outerTile
      ? line
      : `if (${strip.name}Outer + ${i * step}u < ${strip.outerTile}u) { ${line} }`;
  });
}

/**
 * Declares the copies of an invocation for every strip: it reads vectors from `At` in the buffer on, at the distance of
 * their outer indices, and writes them to `Put` in workgroup memory. These indices are computed once, since that takes
 * longer than the copying.
 */
function declareFetch(strip: Strip, threads: number, begin: number): string {
  const { name, inner, outerTile, outerBase, innerBase } = strip;
  const width = widthOf(strip);
  // Rows of four vectors are written by eight invocations, two rows at once. Adjacent rows would share four memory banks.
  // With 20 words from row to row, row r + 4 begins 80 = 16 mod 32 words further, after the 16 words of row r.
  const apart = width === 4 && threads % 32 === 0 && outerTile % 8 === 0;
  const outer = apart ? 'thread / 32u * 8u + thread % 32u / 8u + thread / 4u % 2u * 4u' : `thread / ${width}u`;
  const base = (side: string): string => (side === 'k' ? 'begin' : side);
  return `
    let ${name}Outer = ${outer};
    let ${name}Inner = thread % ${width}u;
    var ${name}At = (${base(outerBase)} + ${name}Outer) * ${inner / PACK}u + ${base(innerBase)} / ${PACK}u + ${name}Inner;
    let ${name}Put = ${begin}u + ${name}Outer * ${strideOf(strip)}u + ${name}Inner;
    ${repeat(vectorsOf(strip, threads), (i) => `var ${name}Vector${i} = vec4<u32>(0u);`)}`;
}

const moveOn = ({ name, inner, outerBase }: Strip, depth: number): string =>
  `${name}At += ${outerBase === 'k' ? (depth * inner) / PACK : depth / PACK}u;`;

/** From the buffer to registers. Values beyond the sides of the matrix are 0. */
function fetch(strip: Strip, threads: number): string {
  const { name, outer, inner, outerTile, innerTile, outerBase, innerBase } = strip;
  return eachVector(strip, threads, (i, further) => {
    const read = `${name}Vector${i} = ${name}[${name}At + ${(further * inner) / PACK}u];`;
    const bounds = [
      ...(outer % outerTile ? [`${outerBase} + ${name}Outer + ${further}u < ${outer}u`] : []),
      ...(inner % innerTile ? [`${innerBase} / ${PACK}u + ${name}Inner < ${inner / PACK}u`] : []),
    ].join(' && ');
    return bounds === '' ? read : `if (${bounds}) { ${read} } else { ${name}Vector${i} = vec4<u32>(0u); }`;
  });
}

const put = (strip: Strip, threads: number): string =>
  eachVector(
    strip,
    threads,
    (i, further) => `strips[${strip.name}Put + ${further * strideOf(strip)}u] = ${strip.name}Vector${i};`,
  );
