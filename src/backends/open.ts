/** Opens a device: by name, or the best one that this machine has. */
import * as tf from '@tensorflow/tfjs';
import { messageOf, UsageError } from '../common/errors.js';
import type { Device, DeviceOptions } from './device.js';
import { DEVICES, DEVICE_NAMES, type DeviceChoice, type DeviceName } from './index.js';

/** How `auto` judged a device. */
export interface TriedDevice {
  name: DeviceName;
  /** Why it was not chosen; null: it was. */
  rejected: string | null;
}

/**
 * Opens a device and makes it the active tfjs backend. There is one per process. `auto` chooses the first one that opens and
 * is not a GPU interface in software; `simd` always opens.
 *
 * @throws UsageError if the device that was requested by name is not available.
 */
export async function openDevice(
  requested: DeviceChoice,
  options: DeviceOptions = {},
): Promise<Device & { tried: TriedDevice[] }> {
  tf.enableProdMode(); // tfjs would print advice to use other backends
  if (requested !== 'auto') {
    const device = await DEVICES[requested].open(options);
    return { name: requested, ...device, tried: [{ name: requested, rejected: null }] };
  }
  const tried: TriedDevice[] = [];
  for (const name of DEVICE_NAMES.filter((each) => DEVICES[each].automatic)) {
    const entry = DEVICES[name];
    try {
      const device = await entry.open(options);
      if (!device.software || entry.computesOn === 'processor') {
        tried.push({ name, rejected: null });
        return { name, ...device, tried };
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
