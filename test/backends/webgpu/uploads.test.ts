/** What a step brings to the device: nothing of the size of a batch, or the device waits for the host in every step. */
import * as tf from '@tensorflow/tfjs';
import { trainingStep } from '../../../bench/training-step.js';
import { modelOf, workNamed } from '../../../bench/works.js';
import { openDevice } from '../../../src/backends/open.js';
import type { VitBackend } from '../../../src/backends/webgpu/backend.js';
import { availableDevices } from '../../support/devices.js';

const onWebgpu = (await availableDevices()).includes('webgpu') ? it : it.skip;

onWebgpu.each(['P', 'F'])('a step of %s brings single numbers alone', async (name) => {
  await openDevice('webgpu');
  const backend = tf.backend() as unknown as VitBackend;
  const work = workNamed(name);
  const small = { ...modelOf(work, 'float32'), dim: 16, depth: 1, heads: 1 };
  const step = trainingStep(work, { ...small, decoder: { dim: 16, depth: 1, heads: 1 } }, 2);
  step().dispose();
  const write = backend.write.bind(backend);
  const shapes: number[][] = [];
  backend.write = (values, shape, type) => {
    // Typed otherwise, but a result that is computed comes without values.
    if ((values as unknown) != null) shapes.push(shape);
    return write(values, shape, type);
  };
  try {
    step().dispose();
  } finally {
    backend.write = write;
  }
  expect(shapes.filter((shape) => shape.length > 0)).toEqual([]);
});
