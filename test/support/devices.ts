/** The devices that tests run on: those this machine has. CI names those it must have in VITMIM_REQUIRE_DEVICES. */
import { DEVICE_NAMES, type DeviceName } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';

const required = (process.env.VITMIM_REQUIRE_DEVICES ?? 'wasm,cpu').split(',') as DeviceName[];

/** Opened once, at the top of a test file, to know which exist; a required one that does not open fails the file. */
export async function availableDevices(): Promise<DeviceName[]> {
  const found: DeviceName[] = [];
  for (const name of DEVICE_NAMES) {
    try {
      (await openDevice(name)).close();
      found.push(name);
    } catch (error) {
      if (required.includes(name)) throw error;
    }
  }
  return found;
}
