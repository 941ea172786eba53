/** The uploads of a step: they must be few, since the device would wait for the host in every step. */
import * as tf from '@tensorflow/tfjs';
import { trainingStep } from '../../../bench/training-step.js';
import { modelOf, workNamed } from '../../../bench/works.js';
import { openDevice } from '../../../src/backends/open.js';
import type { VitBackend } from '../../../src/backends/webgpu/backend.js';
import { availableDevices } from '../../support/devices.js';

const onWebgpu = (await availableDevices()).includes('webgpu') ? it : it.skip;

async function smallStep(name: string): Promise<{ backend: VitBackend; step: () => void }> {
  await openDevice('webgpu');
  const work = workNamed(name);
  const small = { ...modelOf(work, 'float32'), dim: 16, depth: 1, heads: 1 };
  const { take: step } = trainingStep(work, { ...small, decoder: { dim: 16, depth: 1, heads: 1 } }, 2);
  return { backend: tf.backend() as unknown as VitBackend, step };
}

onWebgpu.each(['P', 'F'])('a step of %s uploads only a few numbers', async (name) => {
  const { backend, step } = await smallStep(name);
  step();
  const write = backend.write.bind(backend);
  const shapes: number[][] = [];
  backend.write = (values, shape, type) => {
    // Contrary to its type, the result of a computation has no values here.
    if ((values as unknown) != null) shapes.push(shape);
    return write(values, shape, type);
  };
  try {
    step();
  } finally {
    backend.write = write;
  }
  // The learning rate and the other numbers of AdamW that change in every step.
  expect(shapes.filter((shape) => shape.length > 0)).toEqual([[4]]);
});

onWebgpu.each(['P', 'F'])('a step of %s uses the buffers of the step before', async (name) => {
  const { backend, step } = await smallStep(name);
  for (let i = 0; i < 3; i++) step();
  const labels: unknown[] = [];
  const { device } = backend;
  const make = device.createBindGroup.bind(device);
  Object.assign(device, {
    createBindGroup: (descriptor: GPUBindGroupDescriptor) => {
      labels.push(descriptor.layout.label);
      return make(descriptor);
    },
  });
  for (let i = 0; i < 3; i++) step();
  Reflect.deleteProperty(device, 'createBindGroup');
  // Stock kernels create theirs each time; their layouts have no names.
  expect(labels.filter(Boolean)).toEqual([]);
  expect(labels.length).toBeLessThan(20);
});

onWebgpu('an upload without memory fails as out of memory', async () => {
  const { backend } = await smallStep('P');
  const { device } = backend;
  const createBuffer = device.createBuffer.bind(device);
  Object.assign(device, {
    createBuffer: (descriptor: GPUBufferDescriptor) => {
      // as in Dawn's binding
      if (descriptor.mappedAtCreation) throw new RangeError('createBuffer failed to allocate');
      return createBuffer(descriptor);
    },
  });
  try {
    backend.outputOf([{ at: 0, bytes: new Uint8Array(8) }], 2 ** 24);
    throw new Error('nothing was thrown');
  } catch (error) {
    expect(error).toMatchObject({ name: 'TrainingError', failure: 'out-of-memory' });
  } finally {
    Reflect.deleteProperty(device, 'createBuffer');
  }
});
