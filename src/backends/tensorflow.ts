/** TensorFlow's own library, on a GPU or on the processor, with the kernels of tfjs-node: see `tensorflow/` beside this. */
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { messageOf, UsageError } from '../common/errors.js';
import type { DeviceDriver } from './device.js';
import { nvidia } from './nvidia.js';
import { findInstallations } from './tensorflow/installation.js';
import { load, type Loaded } from './tensorflow/load.js';
import { whyNoGpu } from './tensorflow/why-no-gpu.js';

const REMEDY = 'build it with `npm run tensorflow:build` in the folder of vitmim, or use another --device';

export const tensorflow: DeviceDriver = {
  name: 'tensorflow',
  async open({ threads = availableParallelism() }) {
    const { version, gpu, threads: given, noGpu } = (opened ??= loadPreferred(threads));
    if (!(await tf.setBackend('tensorflow'))) throw new UsageError(`device tensorflow did not start; ${REMEDY}`);
    const { adapter, driver } = gpu ? nvidia() : { adapter: null, driver: null };
    return {
      name: 'tensorflow',
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
  },
};

interface Opened extends Loaded {
  threads: number;
  /** null: there is one. */
  noGpu: string | null;
}

/** One for the whole life of the process, with the threads it was first opened with: the library is never unloaded. */
let opened: Opened | undefined;

/** What is missing is passed over; what is there has to work, or another TensorFlow than meant would run unnoticed. */
function loadPreferred(threads: number): Opened {
  const candidates = findInstallations();
  const installation = candidates.find((candidate) => 'addon' in candidate);
  if (!installation) {
    const reasons = candidates.map(
      (candidate) => `  ${candidate.name}: ${'absent' in candidate ? candidate.absent : ''}`,
    );
    throw new UsageError(['device tensorflow is not here:', ...reasons, REMEDY].join('\n'));
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

/** The library reads these when it is loaded. What the user has set is left alone. */
function configure(threads: number): void {
  process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3'; // what fails is thrown; the rest are notes
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'; // or the first of several workers would take the whole GPU
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
