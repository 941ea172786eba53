/**
 * WebGPU through Dawn (npm `webgpu`): any current GPU with nothing but its driver. The stock tfjs backend runs on a
 * device that is opened here with the adapter's own limits; tfjs alone would ask for too few.
 */
import * as tf from '@tensorflow/tfjs';
import { messageOf, UsageError } from '../../common/errors.js';
import type { DeviceDriver } from '../device.js';
import { Health } from './health.js';
import { Pipelines } from './pipelines.js';

/** The limits that large tensors meet first. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
] as const;

/** Names the type package may not know yet. */
const FEATURES = ['timestamp-query', 'shader-f16', 'subgroups'];

/** An optional package: not installed on platforms without a prebuilt Dawn, so its types are not relied upon. */
const PACKAGE = 'webgpu' as string;

interface Dawn {
  create(options: string[]): { requestAdapter(options: GPURequestAdapterOptions): Promise<Adapter | null> };
  globals: object;
}

/** As Dawn gives it; tfjs's own types of WebGPU are older. */
type Adapter = GPUAdapter & { info: GPUAdapterInfo & { isFallbackAdapter: boolean } };

const REMEDY = 'install a Vulkan, Metal or Direct3D 12 driver, or use another --device';

export const webgpu: DeviceDriver = {
  name: 'webgpu',
  async open() {
    const { adapter, device, health, pipelines } = await (opened ??= openAdapter());
    const { VitBackend } = await import('./backend.js');
    tf.removeBackend('webgpu');
    tf.registerBackend('webgpu', () => new VitBackend(device, adapter.info, health, pipelines));
    await tf.setBackend('webgpu');

    // Dawn's `device` is the adapter's name, its `description` the driver's with the version.
    const { vendor, architecture, device: model, description } = adapter.info;
    return {
      name: 'webgpu',
      description: [description || vendor, architecture].filter(Boolean).join(', '),
      details: {
        backend: `tfjs webgpu ${tf.version.tfjs}`,
        adapter: [model, vendor, architecture].filter(Boolean).join(', ') || null,
        driver: description || null,
        blas: null,
        threads: null,
      },
      software: adapter.info.isFallbackAdapter,
      close: () => undefined,
    };
  },
};

interface Opened {
  gpu: object;
  adapter: Adapter;
  device: GPUDevice;
  health: Health;
  pipelines: Pipelines;
}

/**
 * One for the whole life of the process, never destroyed: Dawn 0.6 crashes when a destroyed device, or its instance, is
 * garbage-collected (seen on Mesa's software driver). Holding it does not keep the process alive.
 */
let opened: Promise<Opened> | undefined;

async function openAdapter(): Promise<Opened> {
  const dawn = await load();
  // One of several GPUs, by a part of its name as `vitmim doctor` shows it.
  const name = process.env.VITMIM_ADAPTER;
  // Whatever else Dawn shall be told, options apart by spaces: `enable-dawn-features=…`, for people who measure or debug.
  const told = process.env.VITMIM_DAWN?.split(' ').filter(Boolean) ?? [];
  const gpu = dawn.create([...(name ? [`adapter=${name}`] : []), ...told]);
  // tfjs registers its backend at import, and only where it finds these globals, as a browser has them.
  Object.assign(globalThis, dawn.globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new UsageError(`device webgpu: no graphics adapter${name ? ` named ${name}` : ''} was found; ${REMEDY}`);
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
    requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)) as GPUFeatureName[],
  });
  const { registerKernels } = await import('./kernels/index.js');
  registerKernels(device.features);
  return { gpu, adapter, device, health: new Health(device), pipelines: new Pipelines(device) };
}

async function load(): Promise<Dawn> {
  try {
    return (await import(PACKAGE)) as Dawn;
  } catch (error) {
    throw new UsageError(`device webgpu: the package \`webgpu\` cannot be loaded (${messageOf(error)}); ${REMEDY}`);
  }
}
