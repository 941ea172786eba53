/** The details that devices report for provenance, on every device of this machine. */
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../src/backends/open.js';
import { availableDevices } from '../support/devices.js';

const names = await availableDevices();

it.each(names)('device %s names its library, with the version', async (name) => {
  const device = await openDevice(name, { threads: 1 });
  device.close();
  expect(device.details.backend).toMatch(/\d+\.\d+\.\d+/);
});

it('simd reports its threads and its BLAS', async () => {
  const device = await openDevice('simd', { threads: 2 });
  device.close();
  const { blas, ...others } = device.details;
  // Node 22 and newer have relaxed SIMD.
  const fused = Number(process.versions.node.split('.')[0]) >= 22 ? ', fused multiply-add' : '';
  expect(others).toEqual({ backend: `simd, tfjs ${tf.version.tfjs}${fused}`, adapter: null, driver: null, threads: 2 });
  const library = blas === null ? 'no BLAS' : [blas.name, blas.version].filter(Boolean).join(' ');
  expect(device.description.startsWith(library)).toBe(true);
});
