/**
 * Times every pass that device webgpu runs in a step, by timestamps that the device itself records at the pass's
 * beginning and end. Each pass is a submission of its own, so a measured step takes longer than other steps.
 */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../src/backends/webgpu/backend.js';
import { internalsOf } from '../src/backends/webgpu/internals.js';
import type { Pass } from '../src/backends/webgpu/pass.js';
import { UsageError } from '../src/common/errors.js';
import type { Cost, Sample } from './floors.js';
import { passCost } from './pass-cost.js';

/**
 * The value of VITMIM_DAWN to set before the device is opened: otherwise Dawn rounds timestamps to a tenth of a
 * millisecond, as protection between web pages.
 */
export const EXACT_TIMESTAMPS = 'disable-dawn-features=timestamp_quantization';

/**
 * Runs one step and times its passes, both vitmim's and the stock ones.
 *
 * @param bySizes Whether passes with the same name and different sizes are listed separately.
 * @throws UsageError if the device has no timestamps.
 */
export async function timePasses(backend: VitBackend, step: () => void, bySizes: boolean): Promise<Sample[]> {
  const internals = internalsOf(backend);
  if (!internals.supportTimestampQuery) throw new UsageError('this adapter has no timestamps: --breakdown needs them');
  const timers: { name: string; query: Promise<number> }[] = [];
  const passes: (Cost & { kernel: string })[] = [];
  const bytes = ({ dataId }: tf.TensorInfo): number => (backend.tensorMap.get(dataId).resource as GPUBuffer).size;

  const run = backend.run.bind(backend);
  const runStock = backend.runWebGPUProgram.bind(backend);
  backend.run = (pass) => {
    run(pass);
    passes.push({ kernel: nameOf(pass, bySizes), ...passCost(withBytes(pass, bytes)) });
  };
  backend.runWebGPUProgram = (program, inputs, ...rest) => {
    const output = runStock(program, inputs, ...rest);
    // A result without values has no pass.
    if (timers.length === passes.length) return output;
    const kernel = `${timers.at(-1)!.name}${bySizes ? ` [${output.shape.join('×')}]` : ''}`;
    const buffers = [...inputs, output].map(bytes);
    passes.push({ kernel, bytes: buffers.reduce((a, b) => a + b, 0), flops: 0 });
    return output;
  };
  internals.activeTimers = timers;
  try {
    step();
  } finally {
    internals.activeTimers = undefined;
    backend.run = run;
    backend.runWebGPUProgram = runStock;
  }
  const times = await Promise.all(timers.map(({ query }) => query));
  if (times.length !== passes.length) throw new Error(`${times.length} times for ${passes.length} passes`);
  return passes.map((pass, i) => ({ ...pass, milliseconds: times[i]! }));
}

function withBytes({ name, sizes, reads, writes }: Pass, bytes: (tensor: tf.TensorInfo) => number) {
  const sized = (operands: Pass['reads']): Record<string, number> =>
    Object.fromEntries(Object.entries(operands).map(([buffer, { tensor }]) => [buffer, bytes(tensor)]));
  return { name, sizes, reads: sized(reads), writes: sized(writes) };
}

const nameOf = ({ name, sizes }: Pass, bySizes: boolean): string =>
  bySizes ? `${name} ${JSON.stringify(sizes).replaceAll('"', '')}` : name;
