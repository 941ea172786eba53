/** Which of the ways to multiply is taken. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { plainResult, type Epilogue } from './epilogue.js';
import { fitsMatrixUnits, recordMatrixProduct } from './matrix-product.js';
import { DEFAULT_TILE, recordProduct, type Factors, type ProductSizes } from './product.js';
import { sumRows } from './sum-rows.js';

/** y = epilogue(a·b). */
export function product(backend: VitBackend, factors: Factors, after: Epilogue, sizes: ProductSizes, splits = 1): void {
  const { matrixUnits: units } = backend;
  if (units && backend.isHalf(factors.a) && fitsMatrixUnits(sizes)) {
    recordMatrixProduct(backend, units, factors, after, { sizes, tile: units.tiles[sizes.layout], splits });
  } else {
    recordProduct(backend, factors, after, { sizes, tile: DEFAULT_TILE, splits });
  }
}

/** Workgroups that keep any card busy. */
const ENOUGH_GROUPS = 512;
/** A part of a sum shorter than this is not worth its result. */
const LEAST_PART = 256;
const LONGEST_STRIP = 64;

/**
 * aᵀ·b, where the sums run over all tokens of a batch: few results, long sums. They are cut in parts, or most of a card
 * would stand idle.
 *
 * @returns A new tensor, rows × columns.
 */
export function weightProduct(
  backend: VitBackend,
  factors: Factors,
  { rows, columns, depth }: Omit<ProductSizes, 'layout'>,
): tf.TensorInfo {
  const tiles = Math.ceil(rows / 128) * Math.ceil(columns / 128);
  const wanted = Math.max(1, Math.min(Math.ceil(ENOUGH_GROUPS / tiles), Math.floor(depth / LEAST_PART)));
  // Whole steps of the depth in each, and none without any.
  const steps = Math.ceil(depth / LONGEST_STRIP);
  const splits = Math.ceil(steps / Math.ceil(steps / wanted));
  const sizes: ProductSizes = { layout: 'first-transposed', rows, columns, depth };
  const shape = splits === 1 ? [rows, columns] : [splits, rows, columns];
  const { y, after } = plainResult(backend, shape, columns);
  product(backend, factors, after, sizes, splits);
  if (splits === 1) return y;
  const sum = sumRows(backend, y, [splits, rows * columns], [rows, columns]);
  backend.release(y);
  return sum;
}
