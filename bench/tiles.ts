/**
 * The speed of products on matrix units with each candidate tile of device webgpu, in TFLOP/s:
 *
 *   node dist/bench/tiles.js [--peak 989]
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../src/backends/open.js';
import type { VitBackend } from '../src/backends/webgpu/backend.js';
import { describeTile, tuneTiles } from '../src/backends/webgpu/tune.js';
import { TrainingError, UsageError } from '../src/common/errors.js';
import { optionalRate } from './numbers.js';

const { values: options } = parseArgs({ options: { peak: { type: 'string' } } });
const peak = optionalRate('--peak', options.peak, 1e12);

const device = await openDevice('webgpu');
const backend = tf.backend() as unknown as VitBackend;
const { matrixUnits: units } = backend;
if (!units) throw new UsageError(`${device.description} has no matrix units that vitmim can use`);
const result = await tuneTiles(backend, units);
if ('wrong' in result) throw new TrainingError(result.wrong, 'diverged');
for (const { sizes, tile, milliseconds } of result.tried) {
  const { layout, rows, columns, depth } = sizes;
  const rate = (2e3 * rows * columns * depth) / milliseconds;
  const share = peak === null ? '' : `, ${((100 * rate) / peak).toFixed(0)} %`;
  console.log(
    `${layout} ${rows}×${columns}×${depth} in ${describeTile(tile)}: ${(rate / 1e12).toFixed(0)} TFLOP/s${share}`,
  );
}
device.close();
process.exit();
