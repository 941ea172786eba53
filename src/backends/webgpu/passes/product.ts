/**
 * Matrix products in tiles. A workgroup computes one tile of the result: it copies strips of both factors to workgroup
 * memory, and each of its 16 × 16 invocations keeps a few rows × vectors of four columns in registers.
 *
 * Every value of a strip is read once from the buffer and tile/4 times from workgroup memory, as a vector. For a 64 × 64
 * tile that is 8 vector reads for each 64 multiply-adds of an invocation.
 */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { definePass, scalars, type BufferElements } from '../pass.js';
import { epilogue, inScalars, type Epilogue, type EpilogueReads, type EpilogueWrites } from './epilogue.js';
import type { Layout, ProductSizes } from './product-sizes.js';

/** The part of an invocation: 16 invocations along each side form a tile of 16·rows × 64·vectors. */
export interface Tile {
  readonly rows: 4 | 8;
  readonly vectors: 1 | 2;
}

/** Both float32, or both stored as float16. */
export interface Factors {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
  /** [factor, 1 / factor] by which one of them has been multiplied; the sums are divided by it. */
  readonly scale?: tf.TensorInfo | undefined;
}

const SIDE = 16;
/** Length of the strips. */
const STRIP = 16;

export const DEFAULT_TILE: Tile = { rows: 8, vectors: 1 };

export interface ProductOptions {
  readonly sizes: ProductSizes;
  readonly tile: Tile;
  /** The depth is split into this many parts, each with its own result: [splits, rows, columns]. */
  readonly splits: number;
}

/** Records y = epilogue(a·b). The strips are of the type of the factors; the sums are always float32. */
export function recordProduct(
  backend: VitBackend,
  { a, b, scale }: Factors,
  wanted: Epilogue,
  { sizes, tile, splits }: ProductOptions,
): void {
  const { rows, columns, depth, layout } = sizes;
  // In this layout an invocation has every sixteenth column, so it never writes four neighbouring columns.
  const after = layout === 'second-transposed' ? inScalars(wanted) : wanted;
  const first = backend.asStored(a, layout === 'first-transposed' ? rows : depth);
  const second = backend.asStored(b, layout === 'second-transposed' ? depth : columns);
  const reads = { a: first, b: second, ...after.reads, scale: scale && scalars(scale) };
  backend.run(productPass({ rows, columns, depth, layout, tile, splits }, reads, after.writes));
}

const productPass = definePass<
  ProductSizes & { tile: Tile; splits: number },
  'a' | 'b' | EpilogueReads | 'scale?',
  EpilogueWrites
>(
  ({ layout }) => `product, ${layout}`,
  ({ layout, rows, columns, depth, tile, splits }, types) => {
    const [tileRows, tileColumns] = [SIDE * tile.rows, 4 * SIDE * tile.vectors];
    const a =
      layout === 'first-transposed' ? strip('a', depth, rows, tileRows) : acrossStrip('a', rows, depth, tileRows);
    const b =
      layout === 'second-transposed'
        ? acrossStrip('b', columns, depth, tileColumns)
        : strip('b', depth, columns, tileColumns);
    const partDepth = STRIP * Math.ceil(depth / STRIP / splits);
    const declarations = [
      declareStrip(a, types.a),
      declareStrip(b, types.b),
      epilogue(types, { rows, columns }),
      `const SPLIT_SIZE = ${rows * columns}u;`,
    ].join('\n');
    const body = `
      let tx = thread % ${SIDE}u;
      let ty = thread / ${SIDE}u;
      let firstRow = group.y * ${tileRows}u;
      let firstColumn = group.x * ${tileColumns}u;
      let begin = group.z * ${partDepth}u;
      let end = min(begin + ${partDepth}u, ${depth}u);
      var sum: array<vec4<f32>, ${tile.rows * tile.vectors}>;
      for (var k = begin; k < end; k += ${STRIP}u) {
        ${fillStrip(a, 'firstRow')}
        ${fillStrip(b, 'firstColumn')}
        workgroupBarrier();
        ${multiplyAdd(layout, tile, a.stride, b.stride)}
        workgroupBarrier();
      }
      ${each(tile, `${types.scale ? 'sum[at] *= scale[1];' : ''} ${writeSum(layout)}`)}`;
    const groups = [Math.ceil(columns / tileColumns), Math.ceil(rows / tileRows), splits] as const;
    return { threads: SIDE * SIDE, groups, declarations, body };
  },
);

/** How a strip of a factor is stored in workgroup memory: as in the buffer, in vectors along the contiguous side. */
interface Strip {
  name: string;
  /** Sides of the stored matrix; the inner one is contiguous. */
  outer: number;
  inner: number;
  /** Whether the strip runs along the outer side. */
  along: 'outer' | 'inner';
  /** Part of the strip on each side. */
  outerTile: number;
  innerVectors: number;
  /** Vectors from one outer index to the next. */
  stride: number;
}

function strip(name: string, outer: number, inner: number, tile: number): Strip {
  return { name, outer, inner, along: 'outer', outerTile: STRIP, innerVectors: tile / 4, stride: tile / 4 };
}

/**
 * Each row has one additional vector: the invocations read down the rows, and would otherwise all access one memory
 * bank.
 */
function acrossStrip(name: string, outer: number, inner: number, tile: number): Strip {
  return { name, outer, inner, along: 'inner', outerTile: tile, innerVectors: STRIP / 4, stride: STRIP / 4 + 1 };
}

function declareStrip({ name, outer, inner, outerTile, stride }: Strip, { lanes, stored }: BufferElements): string {
  const scalar = stored ? 'f16' : 'f32';
  const type = `vec4<${scalar}>`;
  const one = (j: number): string =>
    `select(${scalar}(0.0), ${name}[min(at + ${j}u, ${outer * inner - 1}u)], inner + ${j}u < ${inner}u)`;
  const read =
    lanes === 4
      ? `return ${name}[outer * ${inner / 4}u + inner / 4u];`
      : `let at = outer * ${inner}u + inner;\nreturn ${type}(${[0, 1, 2, 3].map(one).join(', ')});`;
  return `
    var<workgroup> ${name}Strip: array<${type}, ${outerTile * stride}>;
    fn ${name}At(outer: u32, inner: u32) -> ${type} {
      if (outer >= ${outer}u || inner >= ${inner}u) { return ${type}(0.0); }
      ${read}
    }`;
}

function fillStrip({ name, along, outerTile, innerVectors, stride }: Strip, first: string): string {
  const [outerBase, innerBase] = along === 'outer' ? ['k', first] : [first, 'k'];
  return `
    for (var i = thread; i < ${outerTile * innerVectors}u; i += ${SIDE * SIDE}u) {
      let outer = i / ${innerVectors}u;
      let inner = i % ${innerVectors}u;
      ${name}Strip[outer * ${stride}u + inner] = ${name}At(${outerBase} + outer, ${innerBase} + 4u * inner);
    }`;
}

function multiplyAdd(layout: Layout, tile: Tile, aStride: number, bStride: number): string {
  const { rows, vectors } = tile;
  const a = (at: string): string => `vec4<f32>(aStrip[${at}])`;
  const b = (at: string): string => `vec4<f32>(bStrip[${at}])`;
  const four = (one: (j: number) => string): string => [0, 1, 2, 3].map(one).join(', ');
  switch (layout) {
    case 'plain':
      return `for (var v = 0u; v < ${STRIP / 4}u; v++) {
        var factor: array<vec4<f32>, ${4 * vectors}>;
        for (var s = 0u; s < 4u; s++) {
          for (var c = 0u; c < ${vectors}u; c++) {
            factor[${vectors}u * s + c] = ${b(`(4u * v + s) * ${bStride}u + tx + ${SIDE}u * c`)};
          }
        }
        for (var i = 0u; i < ${rows}u; i++) {
          let row = ${a(`(ty + ${SIDE}u * i) * ${aStride}u + v`)};
          for (var c = 0u; c < ${vectors}u; c++) {
            sum[${vectors}u * i + c] += ${[0, 1, 2, 3].map((s) => `row[${s}] * factor[${vectors * s}u + c]`).join(' + ')};
          }
        }
      }`;
    case 'first-transposed':
      return `for (var s = 0u; s < ${STRIP}u; s++) {
        var factor: array<vec4<f32>, ${vectors}>;
        for (var c = 0u; c < ${vectors}u; c++) { factor[c] = ${b(`s * ${bStride}u + tx + ${SIDE}u * c`)}; }
        for (var v = 0u; v < ${rows / 4}u; v++) {
          let row = ${a(`s * ${aStride}u + ty + ${SIDE}u * v`)};
          for (var c = 0u; c < ${vectors}u; c++) {
            ${[0, 1, 2, 3].map((j) => `sum[${vectors}u * (4u * v + ${j}u) + c] += row[${j}] * factor[c];`).join('\n')}
          }
        }
      }`;
    case 'second-transposed':
      return `for (var v = 0u; v < ${STRIP / 4}u; v++) {
        var factor: array<vec4<f32>, ${4 * vectors}>;
        for (var j = 0u; j < ${4 * vectors}u; j++) { factor[j] = ${b(`(tx + ${SIDE}u * j) * ${bStride}u + v`)}; }
        for (var i = 0u; i < ${rows}u; i++) {
          let row = ${a(`(ty + ${SIDE}u * i) * ${aStride}u + v`)};
          for (var c = 0u; c < ${vectors}u; c++) {
            sum[${vectors}u * i + c] += vec4<f32>(${four((j) => `dot(row, factor[4u * c + ${j}u])`)});
          }
        }
      }`;
  }
}

/** WGSL: writes vector c of an invocation's row i. */
function writeSum(layout: Layout): string {
  const value = 'sum[at]';
  switch (layout) {
    case 'plain':
    case 'first-transposed': {
      const row = layout === 'plain' ? `ty + ${SIDE}u * i` : `4u * (ty + ${SIDE}u * (i / 4u)) + i % 4u`;
      return `storeFour(firstRow + ${row}, firstColumn + 4u * (tx + ${SIDE}u * c), ${value}, group.z * SPLIT_SIZE);`;
    }
    case 'second-transposed':
      return [0, 1, 2, 3]
        .map((j) => {
          const column = `firstColumn + tx + ${SIDE}u * (4u * c + ${j}u)`;
          return `storeOne(firstRow + ty + ${SIDE}u * i, ${column}, ${value}[${j}], group.z * SPLIT_SIZE);`;
        })
        .join('\n');
  }
}

/** WGSL: for each of an invocation's sums. */
const each = ({ rows, vectors }: Tile, body: string): string => `
  for (var i = 0u; i < ${rows}u; i++) {
    for (var c = 0u; c < ${vectors}u; c++) {
      let at = ${vectors}u * i + c;
      ${body}
    }
  }`;
