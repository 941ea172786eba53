/** Which of the ways to multiply is taken. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { plainResult, type Epilogue } from './epilogue.js';
import { DEFAULT_TILE, recordProduct, type Factors, type ProductSizes, type StripType } from './product.js';
import { sumRows } from './sum-rows.js';

/** y = epilogue(a·b). */
export function product(
  backend: VitBackend,
  factors: Factors,
  after: Epilogue,
  sizes: ProductSizes,
  strips: StripType,
): void {
  recordProduct(backend, factors, after, { sizes, tile: DEFAULT_TILE, strips, splits: 1 });
}

/** Workgroups that keep any card busy. */
const ENOUGH_GROUPS = 256;
/** A part of a sum shorter than this is not worth its result. */
const LEAST_PART = 256;

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
  strips: StripType,
): tf.TensorInfo {
  const tiles = Math.ceil(rows / 64) * Math.ceil(columns / 64);
  const splits = Math.max(1, Math.min(Math.ceil(ENOUGH_GROUPS / tiles), Math.floor(depth / LEAST_PART)));
  const sizes: ProductSizes = { layout: 'first-transposed', rows, columns, depth };
  const shape = splits === 1 ? [rows, columns] : [splits, rows, columns];
  const { y, after } = plainResult(backend, shape, columns);
  recordProduct(backend, factors, after, { sizes, tile: DEFAULT_TILE, strips, splits });
  if (splits === 1) return y;
  const sum = sumRows(backend, y, [splits, rows * columns], [rows, columns]);
  backend.release(y);
  return sum;
}
