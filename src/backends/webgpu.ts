/** WebGPU through Dawn, for any current GPU. */
import type { DeviceEntry } from './device.js';

export const webgpu: DeviceEntry<'webgpu'> = {
  name: 'webgpu',
  computesOn: 'gpu',
  automatic: true,
  open: async () => (await import('./webgpu/open.js')).open(),
};
