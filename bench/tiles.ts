/**
 * What products on matrix units take with each tile: the measurements behind the tiles that device webgpu chooses.
 *
 *   node dist/bench/tiles.js [--images 256] [--seconds 60] [--peak 989]
 *
 * One line for each size and tile: milliseconds, TFLOP/s.
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../src/backends/open.js';
import type { VitBackend } from '../src/backends/webgpu/backend.js';
import { plainResult } from '../src/backends/webgpu/passes/epilogue.js';
import { roundToHalf } from '../src/backends/webgpu/passes/half.js';
import { needsOf, recordMatrixProduct } from '../src/backends/webgpu/passes/matrix-product.js';
import type { MatrixTile } from '../src/backends/webgpu/passes/matrix-units.js';
import type { ProductSizes } from '../src/backends/webgpu/passes/product.js';
import { UsageError } from '../src/common/errors.js';
import { count, median, optionalRate } from './numbers.js';
import { EXACT_TIMESTAMPS, timePasses } from './pass-meter.js';

const { values: options } = parseArgs({
  options: {
    images: { type: 'string', default: '256' },
    seconds: { type: 'string', default: '60' },
    peak: { type: 'string' },
  },
});
const end = performance.now() + 1000 * count('--seconds', options.seconds);
const peak = optionalRate('--peak', options.peak, 1e12);

const tile = (rows: number, columns: number, depth: number, down: number, across: number): MatrixTile => ({
  rows,
  columns,
  depth,
  split: [down, across],
});
const TILES = [
  tile(128, 128, 32, 2, 2),
  tile(256, 128, 32, 4, 2),
  tile(128, 256, 32, 2, 4),
  tile(128, 128, 16, 2, 2),
  tile(128, 128, 64, 2, 2),
  tile(128, 128, 32, 4, 2),
  tile(64, 128, 32, 1, 2),
];
/** Those of ViT-B/16 and its decoder on images of 49 and 196 tokens, forward and backward. */
const [kept, all] = [49, 196].map((tokens) => tokens * count('--images', options.images)) as [number, number];
const SIZES: readonly ProductSizes[] = [
  { layout: 'plain', rows: kept, columns: 3072, depth: 768 },
  { layout: 'second-transposed', rows: kept, columns: 768, depth: 3072 },
  { layout: 'first-transposed', rows: 768, columns: 3072, depth: kept },
  { layout: 'plain', rows: kept, columns: 768, depth: 3072 },
  { layout: 'second-transposed', rows: all, columns: 1536, depth: 384 },
  { layout: 'first-transposed', rows: 768, columns: 768, depth: kept },
];

/** Without a pause, and the last quarter of them counts: a card that was idle takes some tenths of a second to be fast. */
const RUNS = 400;

process.env.VITMIM_DAWN ??= EXACT_TIMESTAMPS;
const device = await openDevice('webgpu');
const backend = tf.backend() as unknown as VitBackend;
const { matrixUnits: units } = backend;
if (!units) throw new UsageError(`${device.description} has no matrix units that are of use here`);
const { limits } = backend.device;

for (const sizes of SIZES) {
  const [a, b] = [
    roundToHalf(backend, noise(sizes.rows * sizes.depth)),
    roundToHalf(backend, noise(sizes.depth * sizes.columns)),
  ];
  for (const tile of TILES) {
    if (performance.now() > end) break;
    const { bytes, threads } = needsOf(sizes.layout, tile, units);
    if (bytes > limits.maxComputeWorkgroupStorageSize || threads > limits.maxComputeInvocationsPerWorkgroup) continue;
    const splits = sizes.layout === 'first-transposed' ? Math.ceil((512 * 128 * 128) / sizes.rows / sizes.columns) : 1;
    const { y, after } = plainResult(backend, [splits, sizes.rows, sizes.columns], sizes.columns);
    const run = (): tf.Tensor => {
      for (let i = 0; i < RUNS; i++) recordMatrixProduct(backend, units, { a, b }, after, { sizes, tile, splits });
      return tf.tensor1d([0]);
    };
    const times = (await timePasses(backend, run, false)).map(({ milliseconds }) => milliseconds);
    backend.release(y);
    const milliseconds = median(times.slice(-RUNS / 4));
    const rate = (2e-9 * sizes.rows * sizes.columns * sizes.depth) / milliseconds;
    const share = peak === null ? '' : `, ${((1e14 * rate) / peak).toFixed(0)} %`;
    console.log(
      `${sizes.layout} ${sizes.rows}×${sizes.columns}×${sizes.depth} in ${tile.rows}×${tile.columns}×${tile.depth} of ${tile.split.join('×')}: ` +
        `${milliseconds.toFixed(3)} ms, ${rate.toFixed(0)} TFLOP/s${share}`,
    );
  }
  backend.release(a, b);
}
device.close();
process.exit();

/** Normal enough, and no zeros, which cards multiply faster. */
function noise(length: number): tf.TensorInfo {
  const some = Float32Array.from({ length: 2 ** 20 }, (_, i) => Math.sin(i * 0.7 + (i % 997)));
  const values = new Float32Array(length);
  for (let at = 0; at < length; at += some.length) values.set(some.subarray(0, length - at), at);
  return tf.tensor1d(values);
}
