/** Chooses how a product is computed. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { AT_ONCE } from '../pass.js';
import { plainResult, type Epilogue } from './epilogue.js';
import { fitsMatrixUnits, matrixProductPass, tilesOf } from './matrix-product.js';
import { extentOf, type MatrixTile, type MatrixUnits } from './matrix-units.js';
import { DEFAULT_TILE, recordProduct, type Factors } from './product.js';
import type { ProductSizes } from './product-sizes.js';
import { sumRows } from './sum-rows.js';

/** y = epilogue(a·b). */
export function product(backend: VitBackend, factors: Factors, after: Epilogue, sizes: ProductSizes, splits = 1): void {
  const matrices = onMatrixUnits(backend, factors, sizes, splits);
  if (matrices) {
    const { units, tile } = matrices;
    backend.run(matrixProductPass(units, factors, after, { sizes, tile, splits }));
  } else {
    recordProduct(backend, factors, after, { sizes, tile: DEFAULT_TILE, splits });
  }
}

/**
 * a·b as a new tensor. If it has no extra cost, its largest values are noted, so the float16 rounding pass need not
 * find them.
 */
export function plainProduct(
  backend: VitBackend,
  factors: Factors,
  shape: readonly number[],
  sizes: ProductSizes,
): tf.TensorInfo {
  const { y, after } = plainResult(backend, shape, sizes.columns);
  const matrices = onMatrixUnits(backend, factors, sizes, 1);
  if (matrices) {
    const { units, tile } = matrices;
    const [across, down] = tilesOf(sizes, tile, 1);
    const largest = backend.output([across * down]);
    backend.run(matrixProductPass(units, factors, after, { sizes, tile, splits: 1, largest }));
    backend.notes.noteLargest(y, largest);
  } else {
    recordProduct(backend, factors, after, { sizes, tile: DEFAULT_TILE, splits: 1 });
  }
  return y;
}

/** The device's matrix units with the tile for a product; null if the ordinary units have to compute it. */
function onMatrixUnits(
  backend: VitBackend,
  { a }: Factors,
  sizes: ProductSizes,
  splits: number,
): { units: MatrixUnits; tile: MatrixTile } | null {
  const { matrixUnits: units } = backend;
  if (!units || !backend.isHalf(a) || !fitsMatrixUnits(sizes)) return null;
  return { units, tile: units.tiles[sizes.layout][extentOf(sizes, splits)] };
}

/** Shortest part of a sum: for a shorter one, writing and reading its result costs more than it saves. */
const LEAST_PART = 256;
const LONGEST_STRIP = 64;
/** Number of terms of a sum that take as long as writing one result and reading it again; approximate, on an H200. */
const TERMS_OF_RESULT = 250;

/**
 * The number of parts into which long sums are split. With few results, or few workgroups in the last round, most of a
 * GPU is idle; but the results of each part have to be written and read again.
 */
export function splitsOf({ rows, columns, depth }: Omit<ProductSizes, 'layout'>): number {
  const tiles = Math.ceil(rows / 128) * Math.ceil(columns / 128);
  const most = Math.max(1, Math.floor(depth / LEAST_PART));
  const steps = Math.ceil(depth / LONGEST_STRIP);
  const time = (splits: number): number => {
    const rounds = Math.ceil((tiles * splits) / AT_ONCE);
    return (rounds * AT_ONCE) / (tiles * splits) + (splits > 1 ? (splits * TERMS_OF_RESULT) / depth : 0);
  };
  let best = 1;
  for (let splits = 2; splits <= Math.min(most, AT_ONCE); splits++) {
    // Each part has whole steps of the depth, and no part is empty.
    const even = Math.ceil(steps / Math.ceil(steps / splits)) === splits;
    if (even && time(splits) < time(best)) best = splits;
  }
  return best;
}

/**
 * aᵀ·b for few results with long sums, over all tokens of a batch. The sums are split into parts, since otherwise most
 * of a GPU would be idle.
 *
 * @returns A new tensor, rows × columns.
 */
export function weightProduct(
  backend: VitBackend,
  factors: Factors,
  { rows, columns, depth }: Omit<ProductSizes, 'layout'>,
): tf.TensorInfo {
  const splits = splitsOf({ rows, columns, depth });
  const sizes: ProductSizes = { layout: 'first-transposed', rows, columns, depth };
  const shape = splits === 1 ? [rows, columns] : [splits, rows, columns];
  const { y, after } = plainResult(backend, shape, columns);
  product(backend, factors, after, sizes, splits);
  if (splits === 1) return y;
  const sum = sumRows(backend, y, [splits, rows * columns], [rows, columns]);
  backend.release(y);
  return sum;
}
