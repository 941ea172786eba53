/** The plain JavaScript backend of tfjs: slow, available everywhere, and identical to the bit on every machine. */
import type { DeviceEntry } from './device.js';

export const cpu: DeviceEntry<'cpu'> = {
  name: 'cpu',
  computesOn: 'processor',
  automatic: false,
  // Not `import('@tensorflow/tfjs')` itself: in the bundle, that module has only a default export.
  open: async () => (await import('./cpu/open.js')).open(),
};
