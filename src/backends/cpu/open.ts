/** The plain JavaScript backend of tfjs. */
import * as tf from '@tensorflow/tfjs';
import type { OpenDevice } from '../device.js';

/** Makes its backend the active one. */
export async function open(): Promise<OpenDevice> {
  await tf.setBackend('cpu');
  return {
    description: `tfjs cpu ${tf.version.tfjs}`,
    details: { backend: `tfjs cpu ${tf.version.tfjs}`, adapter: null, driver: null, blas: null, threads: 1 },
    software: true,
    close: () => undefined,
  };
}
