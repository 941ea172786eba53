/** TensorFlow's library, on a GPU or on the processor, with the kernels of tfjs-node. */
import type { DeviceEntry } from './device.js';

export const tensorflow: DeviceEntry<'tensorflow'> = {
  name: 'tensorflow',
  computesOn: 'gpu',
  automatic: true,
  open: async (options) => (await import('./tensorflow/open.js')).open(options),
};
