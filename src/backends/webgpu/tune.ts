/**
 * Chooses the tiles of products on matrix units by measuring them, once for each device and driver: the speed of a tile
 * depends on registers and caches that no interface reports. Each tile's result is first compared with the ordinary
 * product.
 */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../kernels.js';
import type { VitBackend } from './backend.js';
import { plainResult } from './passes/epilogue.js';
import { roundToHalf } from './passes/half.js';
import { canMove, matrixProductPass, workgroupOf } from './passes/matrix-product.js';
import {
  forEachProduct,
  type Extent,
  type MatrixTile,
  type MatrixUnits,
  type Tiles,
  type WorkgroupLimits,
} from './passes/matrix-units.js';
import { DEFAULT_TILE, recordProduct } from './passes/product.js';
import type { Layout, ProductSizes } from './passes/product-sizes.js';

const tile = (rows: number, columns: number, depth: number, split: [number, number]): MatrixTile => ({
  rows,
  columns,
  depth,
  split,
});

/** If no tile has been measured, the first is used. */
export const CANDIDATES: readonly MatrixTile[] = [
  tile(128, 128, 32, [2, 2]),
  tile(96, 128, 32, [2, 2]),
  tile(128, 128, 64, [2, 2]),
  tile(256, 128, 32, [4, 2]),
  tile(128, 256, 32, [2, 4]),
  tile(128, 128, 16, [2, 2]),
  tile(64, 64, 32, [1, 1]),
];

/** The candidates that can copy the layout's strips and fit the limits of the device. */
export function candidatesFor(
  layout: Layout,
  lanes: number,
  limits: WorkgroupLimits,
  candidates = CANDIDATES,
): MatrixTile[] {
  return candidates.filter((candidate) => {
    const { bytes, threads } = workgroupOf(layout, candidate, lanes);
    if (!canMove(layout, candidate, lanes)) return false;
    return bytes <= limits.maxComputeWorkgroupStorageSize && threads <= limits.maxComputeInvocationsPerWorkgroup;
  });
}

type TriedSizes = Readonly<Record<Layout, Readonly<Record<Extent, Omit<ProductSizes, 'layout'>>>>>;

/** Tokens of a batch, and the widths of a ViT-B. */
const OF_TOKENS = {
  few: { rows: 12544, columns: 768, depth: 1536 },
  many: { rows: 12544, columns: 3072, depth: 768 },
};
const SIZES: TriedSizes = {
  plain: OF_TOKENS,
  'second-transposed': OF_TOKENS,
  'first-transposed': {
    few: { rows: 768, columns: 768, depth: 12544 },
    many: { rows: 1536, columns: 3072, depth: 12544 },
  },
};
/** Parts of sums over all tokens. Each has whole strips, as in the ordinary product. */
const SPLITS = 7;

/** Milliseconds of each measurement, and of the warm-up: a GPU that was idle is slow at first. */
const MEASURED = 10;
const WARM_UP = 300;
const ROUNDS = 3;
/** Relative to the largest value of a product. Factors in float16 have errors of 2^-11, but the same on both sides. */
const TOLERANCE = 1e-4;

/** The measurement of a tile. */
export interface Tried {
  readonly sizes: ProductSizes;
  readonly tile: MatrixTile;
  readonly milliseconds: number;
}

/**
 * Tries all tiles.
 *
 * @param trial Other tiles, and products to try them with.
 * @returns The fastest tiles, with all measurements; or how the result of the units differs from the product.
 */
export async function tuneTiles(
  backend: VitBackend,
  units: MatrixUnits,
  trial: { candidates: readonly MatrixTile[]; sizes: TriedSizes } = { candidates: CANDIDATES, sizes: SIZES },
): Promise<{ tiles: Tiles; tried: Tried[] } | { wrong: string }> {
  const trials = forEachProduct((layout, extent): Trial => ({
    sizes: { layout, ...trial.sizes[layout][extent] },
    splits: layout === 'first-transposed' ? SPLITS : 1,
    candidates: candidatesFor(layout, units.lanes, backend.device.limits, trial.candidates),
  }));
  const inTurn = Object.values(trials).flatMap(({ few, many }) => [few, many]);
  const all: Tried[] = [];
  const fastest = new Map<Trial, MatrixTile>();
  try {
    await prepare(backend, units, inTurn);
    for (const trial of inTurn) {
      const tried = await tryTiles(backend, units, trial, all.length === 0);
      all.push(...tried);
      fastest.set(trial, tried.toSorted((one, other) => one.milliseconds - other.milliseconds)[0]!.tile);
    }
    return { tiles: forEachProduct((layout, extent) => fastest.get(trials[layout][extent])!), tried: all };
  } catch (error) {
    if (error instanceof WrongProduct) return { wrong: error.message };
    throw error;
  }
}

class WrongProduct extends Error {}

/** A product, and the tiles to try it with. */
interface Trial {
  readonly sizes: ProductSizes;
  readonly splits: number;
  readonly candidates: readonly MatrixTile[];
}

/** Compiles all passes in parallel: one after the other would take longer than all measurements. */
async function prepare(backend: VitBackend, units: MatrixUnits, trials: readonly Trial[]): Promise<void> {
  const factor: tf.TensorInfo = { dataId: {}, shape: [], dtype: 'float32' }; // the code does not depend on it
  const passes = trials.flatMap(({ sizes, splits, candidates }) => {
    const { y, after } = plainResult(backend, [splits, sizes.rows, sizes.columns], sizes.columns);
    backend.release(y);
    return candidates.map((tile) => matrixProductPass(units, { a: factor, b: factor }, after, { sizes, tile, splits }));
  });
  await backend.prepare(passes);
}

/** @throws WrongProduct for a tile whose result differs from the ordinary product. */
async function tryTiles(
  backend: VitBackend,
  units: MatrixUnits,
  { sizes, splits, candidates }: Trial,
  cold: boolean,
): Promise<Tried[]> {
  const { layout, rows, columns, depth } = sizes;
  const [a, b] = [noise(backend, rows * depth), noise(backend, depth * columns)];
  const { y, after } = plainResult(backend, [splits, rows, columns], columns);
  const runner = (tile: MatrixTile) => (): void => {
    backend.run(matrixProductPass(units, { a, b }, after, { sizes, tile, splits }));
  };
  recordProduct(backend, { a, b }, after, { sizes, tile: DEFAULT_TILE, splits });
  const expected = await someOf(backend, y);
  for (const tile of candidates) {
    clear(backend, y);
    runner(tile)();
    const error = difference(await someOf(backend, y), expected);
    if (!(error < TOLERANCE))
      throw new WrongProduct(`${layout} in ${describeTile(tile)} is wrong by ${error.toExponential(1)}`);
  }
  if (cold) await timeOf(backend, runner(candidates[0]!), WARM_UP);
  const fastest = candidates.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, tile] of candidates.entries()) {
      fastest[i] = Math.min(fastest[i]!, await timeOf(backend, runner(tile), MEASURED));
    }
  }
  backend.release(a, b, y);
  return candidates.map((tile, i) => ({ sizes, tile, milliseconds: fastest[i]! }));
}

export const describeTile = ({ rows, columns, depth, split }: MatrixTile): string =>
  `${rows}×${columns}×${depth} of ${split.join('×')}`;

/** Milliseconds of one run: the mean of enough runs to take at least this long together. */
async function timeOf(backend: VitBackend, run: () => void, atLeast: number): Promise<number> {
  for (let runs = 4; ; runs *= 4) {
    const begin = performance.now();
    for (let i = 0; i < runs; i++) run();
    await finished(backend);
    const taken = performance.now() - begin;
    if (taken >= atLeast) return taken / runs;
  }
}

async function finished(backend: VitBackend): Promise<void> {
  backend.submit();
  await backend.queue.onSubmittedWorkDone();
}

/** Values of about 1. Not zeros or equal values, which GPUs multiply faster. */
function noise(backend: VitBackend, length: number): tf.TensorInfo {
  const values = new Float32Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = state / 2 ** 30;
  }
  const wide = backend.makeTensorInfo([length], 'float32', values);
  const half = roundToHalf(backend, wide);
  backend.release(wide);
  return half;
}

/** Number of values that are compared at each position: some rows of tiles. */
const STRETCH = 2 ** 20;

/** The positions of the compared values: at the beginning of a list, in its middle and at its end. */
function stretchesOf(length: number): { starts: number[]; each: number } {
  const each = Math.min(STRETCH, length);
  return { starts: [...new Set([0, Math.floor((length - each) / 2), length - each])], each };
}

/**
 * Sets the compared values to 0, so that a stale value cannot count as a result. All passes must have been submitted.
 */
function clear(backend: VitBackend, y: tf.TensorInfo): void {
  const { starts, each } = stretchesOf(sizeOf(y.shape));
  for (const start of starts) backend.queue.writeBuffer(bufferOf(backend, y), 4 * start, new Float32Array(each));
}

/** The compared values of a tensor, after all recorded passes. */
async function someOf(backend: VitBackend, y: tf.TensorInfo): Promise<Float32Array> {
  backend.submit();
  const { device } = backend;
  const { starts, each } = stretchesOf(sizeOf(y.shape));
  const read = device.createBuffer({
    size: 4 * each * starts.length,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder();
  for (const [i, start] of starts.entries()) {
    encoder.copyBufferToBuffer(bufferOf(backend, y), 4 * start, read, 4 * each * i, 4 * each);
  }
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(read.getMappedRange()).slice();
  read.destroy();
  return values;
}

const bufferOf = (backend: VitBackend, y: tf.TensorInfo): GPUBuffer =>
  backend.tensorMap.get(y.dataId).resource as GPUBuffer;

function difference(actual: Float32Array, expected: Float32Array): number {
  let [worst, largest] = [0, 0];
  expected.forEach((value, i) => {
    const error = Math.abs(value - actual[i]!);
    if (!(error <= worst)) worst = error; // NaN, too
    largest = Math.max(largest, Math.abs(value));
  });
  return worst / largest;
}
