/** Opens a device: by name, or the best one that this machine has. */
import * as tf from '@tensorflow/tfjs';
import { messageOf, unreachable, UsageError } from '../common/errors.js';
import { cpu } from './cpu.js';
import type { Device, DeviceDriver, DeviceName, DeviceOptions } from './device.js';
import { simd } from './simd/open.js';
import { tensorflow } from './tensorflow.js';
import { webgpu } from './webgpu/open.js';

function driverOf(name: DeviceName): DeviceDriver {
  switch (name) {
    case 'tensorflow':
      return tensorflow;
    case 'webgpu':
      return webgpu;
    case 'simd':
      return simd;
    case 'cpu':
      return cpu;
    default:
      return unreachable(name);
  }
}

/** How `auto` judged a device. */
export interface TriedDevice {
  name: DeviceName;
  /** Why it was not chosen; null: it was. */
  rejected: string | null;
}

/** `auto` takes the first of these that opens and is not a GPU interface in software. simd always opens. */
const PREFERENCE: readonly DeviceName[] = ['tensorflow', 'webgpu', 'simd'];

/**
 * Opens a device and makes it the active tfjs backend. There is one per process.
 *
 * @throws UsageError when the device asked for by name is not available.
 */
export async function openDevice(
  requested: DeviceName | 'auto',
  options: DeviceOptions = {},
): Promise<Device & { tried: TriedDevice[] }> {
  tf.enableProdMode(); // tfjs would print advice to use other backends
  if (requested !== 'auto') {
    return { ...(await driverOf(requested).open(options)), tried: [{ name: requested, rejected: null }] };
  }
  const tried: TriedDevice[] = [];
  for (const name of PREFERENCE) {
    try {
      const device = await driverOf(name).open(options);
      if (!device.software || name === 'simd') {
        tried.push({ name, rejected: null });
        return { ...device, tried };
      }
      device.close();
      tried.push({ name, rejected: `runs in software (${device.description})` });
    } catch (error) {
      tried.push({ name, rejected: messageOf(error) });
    }
  }
  const reasons = tried.map(({ name, rejected }) => `  ${name}: ${rejected ?? ''}`).join('\n');
  throw new UsageError(`no device could be opened; --device cpu always works, but is slow\n${reasons}`);
}
