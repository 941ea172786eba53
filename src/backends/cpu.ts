/** The plain JavaScript backend of tfjs: slow, available everywhere, and identical to the bit on every machine. */
import type { DeviceEntry } from './device.js';

export const cpu: DeviceEntry<'cpu'> = {
  name: 'cpu',
  computesOn: 'processor',
  automatic: false,
  async open() {
    const tf = await import('@tensorflow/tfjs');
    await tf.setBackend('cpu');
    return {
      description: `tfjs cpu ${tf.version.tfjs}`,
      details: { backend: `tfjs cpu ${tf.version.tfjs}`, adapter: null, driver: null, blas: null, threads: 1 },
      software: true,
      close: () => undefined,
    };
  },
};
