/**
 * A failure of a graphics device fails the stage with its cause, and never yields a number that looks like a result.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../../src/backends/open.js';
import { Health } from '../../../src/backends/webgpu/health.js';
import { TrainingError } from '../../../src/common/errors.js';
import { availableDevices } from '../../support/devices.js';

class GPUOutOfMemoryError extends Error {}
class GPUValidationError extends Error {}

/** A device that reports the given failures. */
function fakeDevice(): { device: GPUDevice; lose: (message: string) => void; raise: (error: Error) => boolean } {
  let lose: (message: string) => void = () => undefined;
  const lost = new Promise((resolve) => {
    lose = (message) => {
      resolve({ reason: 'unknown', message });
    };
  });
  const device = Object.assign(new EventTarget(), { lost });
  const raise = (error: Error): boolean =>
    device.dispatchEvent(Object.assign(new Event('uncapturederror', { cancelable: true }), { error }));
  return { device: device as unknown as GPUDevice, lose, raise };
}

function failureOf(health: Health): TrainingError | null {
  try {
    health.check();
    return null;
  } catch (error) {
    return error as TrainingError;
  }
}

it('is healthy until a failure is reported', () => {
  expect(failureOf(new Health(fakeDevice().device))).toBeNull();
});

it('distinguishes exhausted memory from a rejected command, and prints neither', () => {
  const memory = fakeDevice();
  const health = new Health(memory.device);
  expect(memory.raise(new GPUOutOfMemoryError('no room\n - while calling'))).toBe(false);
  expect(failureOf(health)).toMatchObject({
    failure: 'out-of-memory',
    message: 'the graphics device has no memory left: no room',
  });
  const command = fakeDevice();
  const other = new Health(command.device);
  command.raise(new GPUValidationError('bad binding'));
  expect(failureOf(other)).toMatchObject({ failure: 'crash' });
});

it('keeps the first failure: the others follow from it', async () => {
  const { device, lose, raise } = fakeDevice();
  const health = new Health(device);
  lose('driver was reset');
  await device.lost;
  raise(new GPUValidationError('device is lost'));
  expect(failureOf(health)).toMatchObject({
    failure: 'device-lost',
    message: 'the graphics device was lost: driver was reset',
  });
});

const onWebgpu = (await availableDevices()).includes('webgpu') ? describe : describe.skip;

onWebgpu('on a real device', () => {
  /** Runs in another process, which ends with the device. */
  const run = (body: string): unknown => {
    const open = fileURLToPath(new URL('../../../src/backends/open.js', import.meta.url));
    const script = `
      import * as tf from '@tensorflow/tfjs';
      const { openDevice } = await import(${JSON.stringify(open)});
      await openDevice('webgpu');
      const { device } = tf.backend();
      try { ${body} } catch (error) { console.log(JSON.stringify({ failure: error.failure, message: error.message })); }
      process.exit();`;
    const told = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    return JSON.parse(told.trim().split('\n').at(-1)!);
  };

  it('throws if numbers are read from a lost device', () => {
    expect(run('const x = tf.add(tf.ones([4]), 1); device.destroy(); await x.data();')).toMatchObject({
      failure: 'device-lost',
    });
  });

  it('throws if numbers are read after a rejected command', () => {
    expect(
      run(`device.createShaderModule({ code: 'fn main( {' });
           for (let i = 0; i < 10; i++) await tf.add(tf.ones([4]), i).data();`),
    ).toMatchObject({ failure: 'crash' });
  });

  it('reports the size of a tensor that is too large, and the limit of the device', async () => {
    const device = await openDevice('webgpu');
    const { limits } = (tf.backend() as unknown as { device: GPUDevice }).device;
    const length = limits.maxStorageBufferBindingSize / 4 + 1;
    const before = tf.memory().numTensors;
    expect(() => tf.tidy(() => tf.fill([length], 1))).toThrow(TrainingError);
    expect(() => tf.tidy(() => tf.fill([length], 1))).toThrow(/a tensor \[\d+\] of \d+ MiB exceeds the \d+ MiB/);
    expect(tf.memory().numTensors).toBe(before);
    device.close();
  });
});
