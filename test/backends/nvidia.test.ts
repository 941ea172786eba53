import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nvidia } from '../../src/backends/nvidia.js';
import { temporaryFolder } from '../runner/support.js';

const root = temporaryFolder();

test.each([
  [
    'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version:  gcc 12.2',
    '535.104.05',
  ],
  ['NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (builder)', '570.86.15'],
])('the driver and its GPUs are read: %s', (text, version) => {
  const folder = join(root, version);
  for (const [gpu, model] of [
    ['0000:65:00.0', 'A GPU'],
    ['0000:17:00.0', 'Another GPU'],
  ] as const) {
    mkdirSync(join(folder, 'gpus', gpu), { recursive: true });
    writeFileSync(join(folder, 'gpus', gpu, 'information'), `Model: \t\t ${model}\nIRQ:   \t\t 16\n`);
  }
  writeFileSync(join(folder, 'version'), text);
  expect(nvidia(folder)).toEqual({ adapter: 'Another GPU, A GPU', driver: `NVIDIA ${version}` });
});

test('without a driver, nothing is reported', () => {
  expect(nvidia(join(root, 'none'))).toEqual({ adapter: null, driver: null });
});
