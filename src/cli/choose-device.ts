/** Which device the workers of a sweep get. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { DeviceName } from '../backends/device.js';
import { messageOf, UsageError } from '../common/errors.js';
import type { Diagnosis } from './diagnose.js';
import type { DeviceChoice } from './options.js';

/**
 * Settles what `auto` means, once for all workers.
 *
 * Asked in a process of its own: TensorFlow keeps most of a GPU's memory for as long as the process that opened it
 * lives, and the workers need it.
 *
 * @returns Its name, and whether the processor does its work.
 */
export async function chooseDevice(requested: DeviceChoice): Promise<{ name: DeviceName; software: boolean }> {
  if (requested === 'simd' || requested === 'cpu') return { name: requested, software: true };
  if (requested !== 'auto') return { name: requested, software: false };
  const args = [process.argv[1]!, 'doctor', '--json', '--no-benchmark'];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { chosen, software } = JSON.parse(stdout) as Diagnosis;
    return { name: chosen, software };
  } catch (error) {
    // A broken graphics driver can take down the process that looks at it.
    throw new UsageError(`looking for devices failed; name one with --device, such as simd (${messageOf(error)})`);
  }
}
