/**
 * Matrix products on matrix units. A workgroup computes one tile of the result: it brings strips of both factors into
 * workgroup memory, the next ones to registers while it multiplies, and each of its subgroups keeps a part of the tile in
 * its matrices. A part of 64 × 64 reads 2 · 64 · 16 values from workgroup memory for 64 · 64 · 16 multiply-adds.
 */
import type * as tf from '@tensorflow/tfjs';
import { packed, scalars, type Code, type Pass } from '../pass.js';
import { epilogue, type Epilogue } from './epilogue.js';
import { largestOfGroup, mostOf } from './largest.js';
import { matrixCode, PACK, SIDE, type MatrixTile, type MatrixUnits, type Order } from './matrix-units.js';
import type { Factors } from './product.js';
import type { Layout, ProductSizes } from './product-sizes.js';
import { repeat } from './unroll.js';

/** More columns in each row of a strip, lest rows that are read together meet in one bank. */
const PADDING = 8;

/** The part of a stored factor that a workgroup has at a time: `outer` × `inner` of it, the inner side contiguous. */
interface Strip {
  readonly name: 'a' | 'b';
  readonly order: Order;
  /** Sides of the stored matrix, and of the strip. */
  readonly outer: number;
  readonly inner: number;
  readonly outerTile: number;
  readonly innerTile: number;
  /** Where the strip begins along each side; one of them is `k`, which moves on. */
  readonly outerBase: string;
  readonly innerBase: string;
}

/** Whether matrix units can do it: rows of both factors have whole numbers of vectors. */
export const fitsMatrixUnits = ({ layout, rows, columns, depth }: ProductSizes): boolean =>
  (layout === 'first-transposed' ? rows : depth) % PACK === 0 &&
  (layout === 'second-transposed' ? depth : columns) % PACK === 0;

/** Whether a workgroup's invocations share the vectors of a strip's rows evenly. */
export const canMove = (layout: Layout, tile: MatrixTile, lanes: number): boolean =>
  stripsOf({ layout, rows: 0, columns: 0, depth: 0 }, tile).every(
    (strip) => threadsOf(tile, lanes) % widthOf(strip) === 0,
  );

const threadsOf = (tile: MatrixTile, lanes: number): number => lanes * tile.split[0] * tile.split[1];

/** Bytes of workgroup memory, and invocations of a workgroup. */
export function needsOf(layout: Layout, tile: MatrixTile, lanes: number): { bytes: number; threads: number } {
  const threads = threadsOf(tile, lanes);
  const { vectors } = memoryOf(stripsOf({ layout, rows: 0, columns: 0, depth: 0 }, tile), tile);
  return { bytes: 16 * vectors + 4 * threads, threads };
}

/** Vectors from one row of a subgroup's sums to the next in workgroup memory: one more, for the banks. */
const sumStride = (partColumns: number): number => partColumns / 4 + 1;

/**
 * Workgroup memory, in vectors of 16 bytes: the strips lie one behind the other. When all is multiplied, each subgroup's
 * sums go through it on their way out, so many matrices of 16 rows at a time.
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
  /** The depth is cut in at most so many parts, each with a result of its own: [splits, rows, columns]. */
  readonly splits: number;
  /** Gets the largest absolute value of each tile; of a result that is the plain product. */
  readonly largest?: tf.TensorInfo | undefined;
}

/** Number of workgroups: along the columns, along the rows, of parts. */
export const tilesOf = (
  { rows, columns }: Pick<ProductSizes, 'rows' | 'columns'>,
  tile: MatrixTile,
  splits: number,
): [number, number, number] => [Math.ceil(columns / tile.columns), Math.ceil(rows / tile.rows), splits];

/** The pass of y = epilogue(a·b) of factors that are kept as float16. */
export function matrixProductPass(
  units: MatrixUnits,
  { a, b, scale }: Factors,
  after: Epilogue,
  options: MatrixProductOptions,
): Pass {
  const { sizes, tile, splits, largest } = options;
  const threads = threadsOf(tile, units.lanes);
  return {
    name: `product, ${sizes.layout}`,
    sizes: { ...sizes, tile, splits, after: after.key, scaled: scale !== undefined, largest: largest !== undefined },
    reads: { a: packed(a), b: packed(b), ...after.reads, ...(scale && { scale: scalars(scale) }) },
    writes: { ...after.writes, ...(largest && { largest: scalars(largest) }) },
    threads,
    groups: tilesOf(sizes, tile, splits),
    code: () => matrixProductCode(units, after, options, scale !== undefined),
  };
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

function matrixProductCode(
  units: MatrixUnits,
  after: Epilogue,
  { sizes, tile, splits, largest }: MatrixProductOptions,
  scaled: boolean,
): Code {
  const matrices = matrixCode(units, { packed: ['strips'], sums: ['strips'] });
  const threads = threadsOf(tile, units.lanes);
  const { rows, columns, depth } = sizes;
  const [partRows, partColumns] = [tile.rows / tile.split[0], tile.columns / tile.split[1]];
  const [down, across] = [partRows / SIDE, partColumns / SIDE];
  const partDepth = tile.depth * Math.ceil(Math.ceil(depth / tile.depth) / splits);
  const strips = stripsOf(sizes, tile);
  const memory = memoryOf(strips, tile);
  const beginOf = { a: 0, b: memory.beginOfB };
  const [tilesAcross, tilesDown] = tilesOf(sizes, tile, splits);

  return {
    extensions: matrices.extensions,
    parameters: matrices.parameters,
    declarations: [
      `var<workgroup> strips: array<vec4<u32>, ${memory.vectors}>;`,
      matrices.declarations,
      epilogue(after, sizes),
      ...(largest ? [largestOfGroup(threads)] : []),
      `const SPLIT_SIZE = ${rows * columns}u;`,
    ].join('\n'),
    body: `
      ${matrices.begin}
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
        ${repeat(tile.depth / SIDE, multiply)}
        workgroupBarrier();
      }
      let staging = subgroup * ${memory.atOnce * memory.sums}u;
      ${scaled ? 'let unscale = scale[1];' : ''}
      ${largest ? 'var most = 0.0;' : ''}
      ${repeat(Math.ceil(down / memory.atOnce), (i) => drain(i * memory.atOnce, Math.min(memory.atOnce, down - i * memory.atOnce)))}
      ${
        largest
          ? `let largestHere = largestOfGroup(thread, most);
             if (thread == 0u) { largest[(group.z * ${tilesDown}u + group.y) * ${tilesAcross}u + group.x] = largestHere; }`
          : ''
      }`,
  };

  /** One step of 16 along the depth. */
  function multiply(step: number): string {
    const [a, b] = strips;
    const at = (strip: Strip, order: Order, part: string, index: number): string => {
      const stride = strideOf(strip);
      return order === 'rows'
        ? `${beginOf[strip.name]}u + (${part} + ${index * SIDE}u) * ${stride}u + ${(step * SIDE) / PACK}u`
        : `${beginOf[strip.name] + step * SIDE * stride}u + (${part} + ${index * SIDE}u) / ${PACK}u`;
    };
    // b lies the other way round: its rows run along the depth.
    const orderAcross: Order = b.order === 'rows' ? 'columns' : 'rows';
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

  /** Brings sums to where they go, of so many matrices down from the first. */
  function drain(first: number, count: number): string {
    const vectors = partColumns / 4;
    const stride = sumStride(partColumns);
    return `
      ${repeat(count, (i) => repeat(across, (j) => matrices.store('strips', `staging + ${i * SIDE * stride + (j * SIDE) / 4}u`, `sum${first + i}x${j}`, stride)))}
      workgroupBarrier();
      for (var at = lane; at < ${count * SIDE * vectors}u; at += ${units.lanes}u) {
        let row = firstRow + partRow + ${first * SIDE}u + at / ${vectors}u;
        let column = firstColumn + partColumn + at % ${vectors}u * 4u;
        let four = bitcast<vec4<f32>>(strips[staging + at / ${vectors}u * ${stride}u + at % ${vectors}u])${scaled ? ' * unscale' : ''};
        ${largest ? `most = ${mostOf(4, 'four')};` : ''}
        storeFour(row, column, four, group.z * SPLIT_SIZE);
      }
      ${first + count < down ? 'workgroupBarrier();' : ''}`;
  }
}

/** Vectors of an outer index of the strip. */
const widthOf = ({ innerTile }: Strip): number => innerTile / PACK;

/** Outer indices that all invocations bring at a time. */
const outerAtOnce = (strip: Strip, threads: number): number => threads / widthOf(strip);
/** Vectors that an invocation brings. */
const vectorsOf = (strip: Strip, threads: number): number => Math.ceil(strip.outerTile / outerAtOnce(strip, threads));

/** Code for each vector that an invocation carries of a strip, with how far its outer index is from the first one's. */
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
 * What an invocation brings of a strip, time after time: vectors from `At` in the buffer, as far apart as their outer
 * indices are, to `Put` in workgroup memory. Worked out once, since it would take longer than to bring them.
 */
function declareFetch(strip: Strip, threads: number, begin: number): string {
  const { name, inner, outerTile, outerBase, innerBase } = strip;
  const width = widthOf(strip);
  // Rows of four vectors are written by eight invocations, two rows at once. Neighbours would meet in four of the banks:
  // with 20 words from row to row, those of row r + 4 begin 80 = 16 mod 32 words further, behind the 16 of row r.
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

/** From the buffer to registers; what lies beyond its sides is 0. */
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
