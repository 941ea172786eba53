/**
 * Images per second of whole training steps on generated numbers, for the works in works.json:
 *
 *   node dist/bench/step.js --work P --device simd [--threads 2]
 *   node dist/bench/step.js --work G1 --device webgpu --peak 67 --bandwidth 3350 --breakdown
 *
 *   --batch N        instead of the work's batch size
 *   --steps N        number of measurements (5); the median is reported
 *   --in-flight N    steps in a measurement; the loss is read after the last. Default: 1 on synchronous devices; 10 on
 *                    others, which would be idle if the loss were read after every step
 *   --precision P    float32, float16 (webgpu) or bfloat16 (simd)
 *   --peak N         TFLOP/s of the device in that precision, for the utilisation and the floors of --breakdown
 *   --bandwidth N    GB/s of its memory, for the floors
 *   --breakdown      prints the time of each kernel; --sizes lists different sizes of a kernel separately (webgpu)
 *   --json           prints one object on standard output
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../src/backends/device.js';
import type { DeviceChoice } from '../src/backends/index.js';
import { openDevice } from '../src/backends/open.js';
import type { VitBackend } from '../src/backends/webgpu/backend.js';
import { TrainingError } from '../src/common/errors.js';
import { breathe } from '../src/training/loop.js';
import { measureRates, timeKernels } from './door-meter.js';
import { describeTimes, perStep, type KernelTime, type Rates, type Sample } from './floors.js';
import { count, median, optionalRate } from './numbers.js';
import { EXACT_TIMESTAMPS, timePasses } from './pass-meter.js';
import { trainingStep } from './training-step.js';
import { flopsPerImage, modelOf, workNamed } from './works.js';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'auto' },
    work: { type: 'string', default: 'P' },
    batch: { type: 'string' },
    steps: { type: 'string', default: '5' },
    'in-flight': { type: 'string' },
    precision: { type: 'string', default: 'float32' },
    threads: { type: 'string' },
    peak: { type: 'string' },
    bandwidth: { type: 'string' },
    breakdown: { type: 'boolean', default: false },
    sizes: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** Number of steps averaged by --breakdown, after the measured ones. */
const BREAKDOWN_STEPS = 3;

const work = workNamed(options.work);
const model = modelOf(work, options.precision);
const batch = options.batch === undefined ? work.batch : count('--batch', options.batch);
const measurements = count('--steps', options.steps);
const peak = optionalRate('--peak', options.peak, 1e12);
const bandwidth = optionalRate('--bandwidth', options.bandwidth, 1e9);

if (options.breakdown) process.env.VITMIM_DAWN ??= EXACT_TIMESTAMPS;
const device = await openDevice(options.device as DeviceChoice, {
  threads: options.threads === undefined ? undefined : count('--threads', options.threads),
  precision: model.precision,
});
const inFlight =
  options['in-flight'] === undefined ? (computesAtOnce(device) ? 1 : 10) : count('--in-flight', options['in-flight']);

const step = trainingStep(work, model, batch);
let peakMemory = 0;
const first = await measure(1); // compiles
if (inFlight > 1) await measure(inFlight); // warms up clocks and buffers as in the measurements
const measured = [];
for (let i = 0; i < measurements; i++) measured.push(await measure(inFlight));

const imagesPerSecond = batch / median(measured.map(({ seconds }) => seconds));
const flops = flopsPerImage(work);
const result = {
  device: device.description,
  ...device.details,
  work: options.work,
  precision: options.precision,
  batch,
  inFlight,
  imagesPerSecond,
  seconds: measured.map(({ seconds }) => seconds),
  /** The time to submit a step, on asynchronous devices. If it is close to `seconds`, the device waits for the host. */
  hostSeconds: computesAtOnce(device) ? null : median(measured.map(({ hostSeconds }) => hostSeconds)),
  firstStepSeconds: first.seconds,
  flopsPerImage: flops,
  teraflops: (flops * imagesPerSecond) / 1e12,
  utilisation: peak === null ? null : (flops * imagesPerSecond) / peak,
  peakMemoryBytes: peakMemory || null,
  loss: measured.at(-1)!.loss,
  breakdown: options.breakdown ? await breakdown() : null,
};
if (options.json) console.log(JSON.stringify(result));
else for (const line of describe()) console.log(line);
device.close();

/** Submits several steps without waiting: seconds of one of them, and their mean loss. */
async function measure(steps: number): Promise<{ seconds: number; hostSeconds: number; loss: number }> {
  const before = (await step.lossSum.data())[0]!;
  const begin = performance.now();
  for (let i = 0; i < steps; i++) {
    step.take();
    peakMemory = Math.max(peakMemory, memoryOf(device) ?? 0);
    await breathe(); // as in training
  }
  const asked = performance.now();
  const loss = ((await step.lossSum.data())[0]! - before) / steps;
  const end = performance.now();
  if (!Number.isFinite(loss)) throw new TrainingError(`the loss is ${loss}: this was not a valid training`, 'diverged');
  return { seconds: (end - begin) / 1000 / steps, hostSeconds: (asked - begin) / 1000 / steps, loss };
}

function computesAtOnce({ name, software }: Device): boolean {
  return name === 'cpu' || name === 'simd' || (name === 'tensorflow' && software);
}

/**
 * Bytes: buffers of the GPU; for a processor, the largest size of the process. null: the backend does not report it.
 */
function memoryOf({ name, software }: Device): number | null {
  const { numBytesAllocatedInGPU } = tf.memory() as { numBytesAllocatedInGPU?: number };
  if (name === 'webgpu') return numBytesAllocatedInGPU ?? null;
  return software || name === 'simd' || name === 'cpu' ? 1024 * process.resourceUsage().maxRSS : null;
}

async function breakdown(): Promise<KernelTime[]> {
  const samples: Sample[] = [];
  const told: Rates = { flopsPerSecond: peak, bytesPerSecond: bandwidth };
  if (device.name === 'webgpu') {
    const backend = tf.backend() as unknown as VitBackend;
    for (let i = 0; i < BREAKDOWN_STEPS; i++) samples.push(...(await timePasses(backend, step.take, options.sizes)));
    return perStep(samples, BREAKDOWN_STEPS, told);
  }
  const here = measureRates();
  const kernels = timeKernels();
  for (let i = 0; i < BREAKDOWN_STEPS; i++) {
    step.take();
    samples.push(...kernels.take());
  }
  const rates = {
    flopsPerSecond: told.flopsPerSecond ?? here.flopsPerSecond,
    bytesPerSecond: told.bytesPerSecond ?? here.bytesPerSecond,
  };
  return perStep(samples, BREAKDOWN_STEPS, rates);
}

function describe(): string[] {
  const { utilisation, peakMemoryBytes, hostSeconds } = result;
  const facts = [
    `${result.teraflops.toFixed(3)} TFLOP/s`,
    ...(utilisation === null ? [] : [`${(100 * utilisation).toFixed(1)} % of the peak`]),
    ...(peakMemoryBytes === null ? [] : [`${(peakMemoryBytes / 2 ** 20).toFixed(0)} MiB`]),
    ...(hostSeconds === null ? [] : [`${(1000 * hostSeconds).toFixed(1)} ms of host time for a step`]),
  ];
  return [
    `${imagesPerSecond.toFixed(1)} images/s of ${result.work} (${result.precision}, batch ${batch}) on ${result.device}`,
    facts.join(', '),
    ...(result.breakdown === null ? [] : describeTimes(result.breakdown)),
  ];
}
