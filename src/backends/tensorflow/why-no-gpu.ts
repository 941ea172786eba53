/** Why TensorFlow runs on the processor. The library writes the reason only to its log. */
import { spawnSync } from 'node:child_process';
import { nvidia } from '../nvidia.js';
import type { Installation } from './installation.js';

/** The reason in one line, with a remedy. */
export function whyNoGpu({ forGpu, addon }: Installation, { driver }: { driver: string | null } = nvidia()): string {
  if (driver === null) return 'no GPU: no NVIDIA driver is here';
  if (!forGpu) return `built without GPUs, but ${driver} is here: npm run tensorflow:build -- --gpu`;
  const words = wordsOfLibrary(addon);
  const reasons = words.length === 0 ? 'no reason in its log' : words.join('; ');
  return `no GPU, though ${driver} is here: ${reasons}. TF_CPP_MIN_LOG_LEVEL=0 shows the whole log`;
}

/** "W0000 00:00:1795642335.341293    6986 cudart_stub.cc:31] Could not …", or with a date, as in versions of 2022. */
const ENTRY = /\b[\w.]+\.cc:\d+\] (.*)/;
const ABOUT_GPUS = /gpu|cuda|cudnn|libcu|libnv/i;

/**
 * What the library logs about GPUs when it is loaded. Runs in another process, since a process can load it only once.
 */
function wordsOfLibrary(addon: string): string[] {
  const { stderr } = spawnSync(process.execPath, ['-e', 'require(process.argv[1])', addon], {
    encoding: 'utf8',
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '0' },
  });
  const entries = stderr.split('\n').flatMap((line) => ENTRY.exec(line)?.[1] ?? []);
  return [...new Set(entries.filter((entry) => ABOUT_GPUS.test(entry)))];
}
