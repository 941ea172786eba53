/** The WebAssembly backend of tfjs: SIMD on one thread, no installation. */
import * as tf from '@tensorflow/tfjs';
import { UsageError } from '../common/errors.js';
import type { DeviceDriver } from './device.js';

export const wasm: DeviceDriver = {
  name: 'wasm',
  async open() {
    const { version_wasm } = await import('@tensorflow/tfjs-backend-wasm');
    if (!(await tf.setBackend('wasm'))) {
      throw new UsageError('device wasm: the WebAssembly backend did not start; use --device cpu');
    }
    return { name: 'wasm', description: `tfjs wasm ${version_wasm}`, software: true, close: () => undefined };
  },
};
