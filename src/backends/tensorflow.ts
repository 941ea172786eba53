/** TensorFlow's own library through tfjs-node-gpu, or tfjs-node: optional packages that download it when installed. */
import * as tf from '@tensorflow/tfjs';
import { messageOf, UsageError } from '../common/errors.js';
import type { DeviceDriver } from './device.js';
import { nvidia } from './nvidia.js';

/** Preferred first. Neither need be installed, so their types are not relied upon. */
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

const NO_GPU = { adapter: null, driver: null };

interface NodeBinding {
  version: Record<string, string>;
  backend(): { isUsingGpuDevice?: boolean };
}

export const tensorflow: DeviceDriver = {
  name: 'tensorflow',
  async open() {
    const reasons: string[] = [];
    for (const name of PACKAGES) {
      try {
        const binding = (await import(name)) as NodeBinding;
        if (await tf.setBackend('tensorflow')) {
          const gpu = binding.backend().isUsingGpuDevice === true;
          const library = `${name} ${binding.version['tfjs-node'] ?? ''}`.trim();
          return {
            name: 'tensorflow',
            description: `${library}, ${gpu ? 'GPU' : 'no GPU visible'}`,
            details: { backend: library, ...(gpu ? nvidia() : NO_GPU), blas: null, threads: null },
            software: !gpu,
            close: () => undefined,
          };
        }
        reasons.push(`${name}: its backend did not start`);
      } catch (error) {
        reasons.push(`${name}: ${reason(error)}`);
      }
    }
    throw new UsageError(
      `device tensorflow is not available:\n  ${reasons.join('\n  ')}\n` +
        'install it with: npm install @tensorflow/tfjs-node-gpu (Node below 23, CUDA 11.2), or use another --device',
    );
  },
};

function reason(error: unknown): string {
  const missing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
  return missing ? 'not installed' : messageOf(error).split('\n')[0]!;
}
