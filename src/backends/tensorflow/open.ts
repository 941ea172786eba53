/** TensorFlow's library, on a GPU or on the processor, with the kernels of tfjs-node. */
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { messageOf, UsageError } from '../../common/errors.js';
import type { DeviceOptions, OpenDevice } from '../device.js';
import { nvidia } from '../nvidia.js';
import { findInstallations } from './installation.js';
import { load, type Loaded } from './load.js';
import { whyNoGpu } from './why-no-gpu.js';

const REMEDY = 'build it with `npm run tensorflow:build` in the folder of vitmim, or use another --device';

/**
 * Makes its backend the active one.
 *
 * @throws UsageError with the reason why the device is not available, and a remedy.
 */
export async function open({ threads = availableParallelism() }: DeviceOptions): Promise<OpenDevice> {
  const { version, gpu, threads: given, noGpu } = (opened ??= loadPreferred(threads));
  if (!(await tf.setBackend('tensorflow'))) throw new UsageError(`device tensorflow did not start; ${REMEDY}`);
  const { adapter, driver } = gpu ? nvidia() : { adapter: null, driver: null };
  return {
    description: `TensorFlow ${version}, ${gpu ? (adapter ?? 'GPU') : `${plural(given, 'thread')} (${noGpu ?? ''})`}`,
    details: {
      backend: `TensorFlow ${version}, tfjs ${tf.version.tfjs}`,
      adapter,
      driver,
      blas: null,
      threads: gpu ? null : given,
    },
    software: !gpu,
    close: () => undefined,
  };
}

interface Opened extends Loaded {
  threads: number;
  /** Why it runs without a GPU; null: it has one. */
  noGpu: string | null;
}

/** There is one per process, with the thread count of its first opening: the library is never unloaded. */
let opened: Opened | undefined;

/** Skips missing installations. The first one that exists must work: using another one silently would be misleading. */
function loadPreferred(threads: number): Opened {
  const candidates = findInstallations();
  const installation = candidates.find((candidate) => 'addon' in candidate);
  if (!installation) {
    const reasons = candidates.map(
      (candidate) => `  ${candidate.name}: ${'absent' in candidate ? candidate.absent : ''}`,
    );
    throw new UsageError(['device tensorflow is not installed:', ...reasons, REMEDY].join('\n'));
  }
  configure(threads);
  try {
    const loaded = load(installation);
    const given = Number(process.env.TF_NUM_INTRAOP_THREADS);
    return { ...loaded, threads: given, noGpu: loaded.gpu ? null : whyNoGpu(installation) };
  } catch (error) {
    throw new UsageError(`device tensorflow: ${installation.name} does not load: ${messageOf(error)}\n${REMEDY}`);
  }
}

/** The library reads these variables when it is loaded. Those that the user has set are not changed. */
function configure(threads: number): void {
  process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3'; // errors are thrown; the log has only notes
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'; // otherwise the first of several workers would reserve the whole GPU
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
