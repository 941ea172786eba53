/** What devices tell for provenance, on every device that is here. */
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../src/backends/open.js';
import { availableDevices } from '../support/devices.js';

const names = await availableDevices();

it.each(names)('device %s names what computes, with its version', async (name) => {
  const device = await openDevice(name, { threads: 1 });
  device.close();
  expect(device.details.backend).toMatch(/\d+\.\d+\.\d+/);
});

it('simd tells its threads and its BLAS apart', async () => {
  const device = await openDevice('simd', { threads: 2 });
  device.close();
  const { blas, ...others } = device.details;
  expect(others).toEqual({ backend: `simd, tfjs ${tf.version.tfjs}`, adapter: null, driver: null, threads: 2 });
  const told = blas === null ? 'no BLAS' : [blas.name, blas.version].filter(Boolean).join(' ');
  expect(device.description.startsWith(told)).toBe(true);
});
