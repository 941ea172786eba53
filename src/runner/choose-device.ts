/** Which device the workers of a sweep get. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DEVICES, type DeviceChoice, type DeviceName } from '../backends/index.js';
import { messageOf, UsageError } from '../common/errors.js';

/** A device of workers, and whether the processor does its work. */
export interface ChosenDevice {
  name: DeviceName;
  software: boolean;
}

/**
 * Settles what `auto` means, once for all workers.
 *
 * Asked in a process of its own: TensorFlow keeps most of a GPU's memory for as long as the process that opened it
 * lives, and the workers need it.
 *
 * @param program The script of vitmim.
 */
export async function chooseDevice(requested: DeviceChoice, program: string): Promise<ChosenDevice> {
  if (requested !== 'auto') {
    return { name: requested, software: DEVICES[requested].computesOn === 'processor' };
  }
  const args = [program, 'doctor', '--json', '--no-benchmark'];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { chosen, software } = JSON.parse(stdout) as { chosen: DeviceName; software: boolean };
    return { name: chosen, software };
  } catch (error) {
    // A broken graphics driver can take down the process that looks at it.
    throw new UsageError(`looking for devices failed; name one with --device, such as simd (${messageOf(error)})`);
  }
}
