/**
 * Matrix products on matrix units. A workgroup computes one tile of the result: it brings strips of both factors into
 * workgroup memory, mostly the next ones to registers while it multiplies, and each of its subgroups keeps a part of the
 * tile in its matrices. A part of 64 × 64 reads 2 · 64 · 16 values from workgroup memory for 64 · 64 · 16 multiply-adds.
 */
import type * as tf from '@tensorflow/tfjs';
import { packed, scalars, type Code, type Pass } from '../pass.js';
import { epilogue, type Epilogue } from './epilogue.js';
import { matrixCode, SIDE, type MatrixTile, type MatrixUnits, type Order } from './matrix-units.js';
import type { Factors, Layout, ProductSizes } from './product.js';
import { reduction } from './reduction.js';
import { repeat } from './unroll.js';

/** Float16 in a vec4<u32>, the size in which strips are moved. */
const PACK = 8;
/** More columns in each row of a strip, lest rows that are read together meet in one bank. */
const PADDING = 8;
/** Columns of sums that a subgroup puts through workgroup memory at once: 128 contiguous bytes of a row. */
const STAGED = 32;

interface Strip {
  readonly name: string;
  readonly order: Order;
  /** Sides of the stored matrix, and of the part of it that is a strip; the inner one is contiguous. */
  readonly outer: number;
  readonly inner: number;
  readonly outerTile: number;
  readonly innerTile: number;
  /** Where the strip begins along each side. */
  readonly outerBase: string;
  readonly innerBase: string;
}

/** Whether matrix units can do it: rows of both factors have whole numbers of vectors. */
export const fitsMatrixUnits = ({ layout, rows, columns, depth }: ProductSizes): boolean =>
  (layout === 'first-transposed' ? rows : depth) % PACK === 0 &&
  (layout === 'second-transposed' ? depth : columns) % PACK === 0;

/** Bytes of workgroup memory, and invocations of a workgroup. */
export function needsOf(layout: Layout, tile: MatrixTile, lanes: number): { bytes: number; threads: number } {
  const strips = stripsOf({ layout, rows: 0, columns: 0, depth: 0 }, tile, 'k');
  const subgroups = tile.split[0] * tile.split[1];
  const vectors = strips.reduce((sum, strip) => sum + strip.outerTile * strideOf(strip), 0);
  const threads = lanes * subgroups;
  return { bytes: 16 * vectors + 4 * (subgroups * SIDE * STAGED + threads), threads };
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
  const { threads } = needsOf(sizes.layout, tile, units.lanes);
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

function stripsOf({ layout, rows, columns, depth }: ProductSizes, tile: MatrixTile, k: string): [Strip, Strip] {
  const [row, column] = ['firstRow', 'firstColumn'];
  const a = { name: 'a', outer: rows, inner: depth, outerTile: tile.rows, innerTile: tile.depth };
  const b = { name: 'b', outer: depth, inner: columns, outerTile: tile.depth, innerTile: tile.columns };
  return [
    layout === 'first-transposed'
      ? { ...turned(a), order: 'columns', outerBase: k, innerBase: row }
      : { ...a, order: 'rows', outerBase: row, innerBase: k },
    layout === 'second-transposed'
      ? { ...turned(b), order: 'columns', outerBase: column, innerBase: k }
      : { ...b, order: 'rows', outerBase: k, innerBase: column },
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
  const matrices = matrixCode(units, { packed: ['aStrip', 'bStrip'], sums: ['staged'] });
  const { threads } = needsOf(sizes.layout, tile, units.lanes);
  const { rows, columns, depth } = sizes;
  const [partRows, partColumns] = [tile.rows / tile.split[0], tile.columns / tile.split[1]];
  const [down, across] = [partRows / SIDE, partColumns / SIDE];
  const partDepth = tile.depth * Math.ceil(Math.ceil(depth / tile.depth) / splits);
  const strips = stripsOf(sizes, tile, 'k');
  const [tilesAcross, tilesDown] = tilesOf(sizes, tile, splits);

  const atOnce = Math.min(STAGED / SIDE, across);
  const vectorsOfRow = (atOnce * SIDE) / 4;
  const stagedVectors = SIDE * vectorsOfRow;
  const drain = (i: number, first: number): string => `
    ${repeat(atOnce, (j) => matrices.store('staged', `staging + ${(j * SIDE) / 4}u`, `sum${i}x${first + j}`, vectorsOfRow))}
    workgroupBarrier();
    for (var at = lane; at < ${stagedVectors}u; at += ${units.lanes}u) {
      let row = partRow + ${i * SIDE}u + at / ${vectorsOfRow}u;
      let column = partColumn + ${first * SIDE}u + at % ${vectorsOfRow}u * 4u;
      let four = staged[staging + at]${scaled ? ' * unscale' : ''};
      ${largest ? 'let sizes = max(abs(four.xy), abs(four.zw)); most = max(most, max(sizes.x, sizes.y));' : ''}
      storeFour(row, column, four, group.z * SPLIT_SIZE);
    }
    workgroupBarrier();`;

  return {
    extensions: matrices.extensions,
    parameters: matrices.parameters,
    declarations: [
      ...strips.map(
        (strip) => `var<workgroup> ${strip.name}Strip: array<vec4<u32>, ${strip.outerTile * strideOf(strip)}>;`,
      ),
      `var<workgroup> staged: array<vec4<f32>, ${tile.split[0] * tile.split[1] * stagedVectors}>;`,
      matrices.declarations,
      epilogue(after, sizes),
      ...(largest ? [reduction('largestOfGroup', 'f32', threads, (a, b) => `max(${a}, ${b})`)] : []),
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
      ${strips.map((strip) => declareVectors(strip, threads)).join('\n')}
      ${tile.ahead ? fetchAhead() : fetchAtOnce()}
      let staging = subgroup * ${stagedVectors}u;
      ${scaled ? 'let unscale = scale[1];' : ''}
      ${largest ? 'var most = 0.0;' : ''}
      {
        let partRow = firstRow + partRow;
        let partColumn = firstColumn + partColumn;
        ${repeat(down, (i) => repeat(across / atOnce, (j) => drain(i, j * atOnce)))}
      }
      ${
        largest
          ? `let largestHere = largestOfGroup(thread, most);
             if (thread == 0u) { largest[(group.z * ${tilesDown}u + group.y) * ${tilesAcross}u + group.x] = largestHere; }`
          : ''
      }`,
  };

  function fetchAhead(): string {
    const next = stripsOf(sizes, tile, 'next');
    return `
      if (begin < end) {
        let k = begin;
        ${strips.map((strip) => fetch(strip, threads)).join('\n')}
      }
      for (var k = begin; k < end; k += ${tile.depth}u) {
        ${strips.map((strip) => put(strip, threads)).join('\n')}
        workgroupBarrier();
        // After the last it is the last once more.
        let next = min(k + ${tile.depth}u, end - 1u) / ${tile.depth}u * ${tile.depth}u;
        ${next.map((strip) => fetch(strip, threads)).join('\n')}
        ${repeat(tile.depth / SIDE, (step) => multiply(strips, step))}
        workgroupBarrier();
      }`;
  }

  function fetchAtOnce(): string {
    return `
      for (var k = begin; k < end; k += ${tile.depth}u) {
        ${strips.map((strip) => fetch(strip, threads)).join('\n')}
        ${strips.map((strip) => put(strip, threads)).join('\n')}
        workgroupBarrier();
        ${repeat(tile.depth / SIDE, (step) => multiply(strips, step))}
        workgroupBarrier();
      }`;
  }

  /** One step of 16 along the depth. */
  function multiply([a, b]: readonly [Strip, Strip], step: number): string {
    const at = ({ order }: Strip, stride: number, part: string, index: number): string =>
      order === 'rows'
        ? `(${part} + ${index * SIDE}u) * ${stride}u + ${(step * SIDE) / PACK}u`
        : `${step * SIDE * stride}u + (${part} + ${index * SIDE}u) / ${PACK}u`;
    // b lies the other way round: its rows run along the depth.
    const flip = (strip: Strip): Strip => ({ ...strip, order: strip.order === 'rows' ? 'columns' : 'rows' });
    const [aStride, bStride] = [strideOf(a), strideOf(b)];
    return `{
      ${repeat(down, (i) => `let left${i} = ${matrices.load('left', 'aStrip', at(a, aStride, 'partRow', i), aStride, a.order)};`)}
      ${repeat(
        across,
        (j) => `{
          let right = ${matrices.load('right', 'bStrip', at(flip(b), bStride, 'partColumn', j), bStride, b.order)};
          ${repeat(down, (i) => `sum${i}x${j} = ${matrices.multiplyAdd(`left${i}`, 'right', `sum${i}x${j}`)};`)}
        }`,
      )}
    }`;
  }
}

/** What an invocation carries of the next strip. */
const vectorsOf = ({ outerTile, innerTile }: Strip, threads: number): number =>
  Math.ceil((outerTile * innerTile) / PACK / threads);

const declareVectors = (strip: Strip, threads: number): string =>
  repeat(vectorsOf(strip, threads), (i) => `var ${strip.name}Vector${i} = vec4<u32>(0u);`);

function eachVector(strip: Strip, threads: number, code: (i: number) => string): string {
  const width = strip.innerTile / PACK;
  const count = strip.outerTile * width;
  return repeat(vectorsOf(strip, threads), (i) => {
    const body = `
      let at = thread + ${i * threads}u;
      let outer = at / ${width}u;
      let inner = at % ${width}u;
      ${code(i)}`;
    return (i + 1) * threads <= count ? `{ ${body} }` : `if (thread + ${i * threads}u < ${count}u) { ${body} }`;
  });
}

/** From the buffer to registers; what lies beyond its sides is 0. */
function fetch(strip: Strip, threads: number): string {
  const { name, outer, inner, outerTile, innerTile, outerBase, innerBase } = strip;
  const read = `${name}[(${outerBase} + outer) * ${inner / PACK}u + ${innerBase} / ${PACK}u + inner]`;
  const bounds = [
    ...(outer % outerTile ? [`${outerBase} + outer < ${outer}u`] : []),
    ...(inner % innerTile ? [`${innerBase} / ${PACK}u + inner < ${inner / PACK}u`] : []),
  ].join(' && ');
  return eachVector(strip, threads, (i) =>
    bounds === ''
      ? `${name}Vector${i} = ${read};`
      : `if (${bounds}) { ${name}Vector${i} = ${read}; } else { ${name}Vector${i} = vec4<u32>(0u); }`,
  );
}

const put = (strip: Strip, threads: number): string =>
  eachVector(
    strip,
    threads,
    (i) => `${strip.name}Strip[outer * ${strideOf(strip)}u + inner] = ${strip.name}Vector${i};`,
  );
