/** The one way to a device: by name, or the best one this machine has. */
import * as tf from '@tensorflow/tfjs';
import { unreachable, messageOf } from '../common/errors.js';
import { cpu } from './cpu.js';
import { type Device, type DeviceDriver, type DeviceName } from './device.js';
import { tensorflow } from './tensorflow.js';
import { wasm } from './wasm.js';
import { webgpu } from './webgpu.js';

function driverOf(name: DeviceName): DeviceDriver {
  switch (name) {
    case 'tensorflow':
      return tensorflow;
    case 'webgpu':
      return webgpu;
    case 'wasm':
      return wasm;
    case 'cpu':
      return cpu;
    default:
      return unreachable(name);
  }
}

/** What `auto` thought of a device. */
export interface Verdict {
  name: DeviceName;
  /** null: taken. */
  rejected: string | null;
}

/** `auto` takes the first of these that is there and no software in disguise; wasm always is. */
const PREFERENCE: readonly DeviceName[] = ['tensorflow', 'webgpu', 'wasm'];

/**
 * Opens a device and makes it the active tfjs backend. There is one per process.
 *
 * @throws UsageError when the device asked for by name is not available.
 */
export async function openDevice(requested: DeviceName | 'auto'): Promise<Device & { verdicts: Verdict[] }> {
  tf.enableProdMode(); // no advertisement for other backends on standard error
  if (requested !== 'auto') {
    return { ...(await driverOf(requested).open()), verdicts: [{ name: requested, rejected: null }] };
  }
  const verdicts: Verdict[] = [];
  for (const name of PREFERENCE) {
    try {
      const device = await driverOf(name).open();
      if (!device.software || name === 'wasm') {
        verdicts.push({ name, rejected: null });
        return { ...device, verdicts };
      }
      device.close();
      verdicts.push({ name, rejected: `runs in software (${device.description})` });
    } catch (error) {
      verdicts.push({ name, rejected: messageOf(error) });
    }
  }
  throw new Error('no device could be opened');
}
