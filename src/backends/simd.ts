/** The processor's vector units, through WebAssembly and a BLAS. */
import type { DeviceEntry } from './device.js';

export const simd: DeviceEntry<'simd'> = {
  name: 'simd',
  computesOn: 'processor',
  automatic: true,
  open: async (options) => (await import('./simd/open.js')).open(options),
};
