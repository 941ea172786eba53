/** Why there is no GPU, from logs in TensorFlow's format. A file that writes these logs replaces the addon. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whyNoGpu } from '../../../src/backends/tensorflow/why-no-gpu.js';
import { temporaryFolder } from '../../runner/support.js';

const root = temporaryFolder();
const HERE = { driver: 'NVIDIA 570.86.15' };

/** An addon that logs these lines when it is loaded. */
function addonLogging(name: string, lines: readonly string[]) {
  const addon = join(root, `${name}.cjs`);
  writeFileSync(addon, `process.stderr.write(${JSON.stringify(`${lines.join('\n')}\n`)});`);
  return { name, root, addon, forGpu: true };
}

it('reports a missing driver without a search for further reasons', () => {
  expect(whyNoGpu({ name: '', root, addon: 'missing', forGpu: true }, { driver: null })).toBe(
    'no GPU: no NVIDIA driver is here',
  );
});

it('names the command to run if the library was built without GPUs', () => {
  expect(whyNoGpu({ name: '', root, addon: 'missing', forGpu: false }, HERE)).toContain('tensorflow:build -- --gpu');
});

it.each([
  [
    'the wrong CUDA, of 2022',
    "2022-05-10 09:31:02.1 W tensorflow/stream_executor/platform/default/dso_loader.cc:64] Could not load dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file",
    "Could not load dynamic library 'libcudart.so.11.0'",
  ],
  [
    'no CUDA, today',
    'W0000 00:00:1795642335.341293    6986 gpu_device.cc:2365] Cannot dlopen some GPU libraries. Please make sure the missing libraries mentioned above are installed properly',
    'Cannot dlopen some GPU libraries',
  ],
  [
    'a driver that does not answer',
    'E0000 00:00:1795642335.341293    6986 cuda_executor.cc:1228] INTERNAL: CUDA Runtime error: Failed call to cudaGetRuntimeVersion: no CUDA-capable device is detected',
    'no CUDA-capable device is detected',
  ],
])('%s: quotes the reason without the other messages of the library', (name, line, expected) => {
  const other = 'I0000 00:00:1795642335.341293    6986 port.cc:153] oneDNN custom operations are on.';
  const why = whyNoGpu(addonLogging(name, [other, line, line]), HERE);
  expect(why).toContain(`no GPU, though NVIDIA 570.86.15 is here: `);
  expect(why.split(expected)).toHaveLength(2); // reported once
  expect(why).not.toContain('oneDNN');
});

it('reports that the library logged no reason, and how to see the whole log', () => {
  expect(whyNoGpu(addonLogging('silent', []), HERE)).toMatch(/no reason in its log\. TF_CPP_MIN_LOG_LEVEL=0/);
});
