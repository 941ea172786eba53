/**
 * WebGPU through Dawn (npm `webgpu`), for any current GPU; it needs only the GPU's driver. The device is opened here with
 * the adapter's limits, since those that tfjs requests are too low.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { messageOf, UsageError } from '../../common/errors.js';
import type { OpenDevice } from '../device.js';
import { findMatrixUnits, type AdapterInfo } from './find-matrix-units.js';
import { Health } from './health.js';
import type { MatrixUnits } from './passes/matrix-units.js';
import { Pipelines } from './pipelines.js';
import { rememberedTiles, rememberTiles } from './tile-cache.js';
import { tuneTiles } from './tune.js';

/** The limits that large tensors reach first. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
] as const;

/** The type package may not declare these names yet. */
const FEATURES = ['timestamp-query', 'shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

/**
 * Dawn's defaults are for web pages: they protect the machine from a page, and omit experiments. Here these are
 * enabled:
 * - `allow_unsafe_apis` and `use_vulkan_memory_model`: matrix units;
 * - `vulkan_enable_f16_on_nvidia`: float16, which is off for NVIDIA's cards since some conformance tests fail there;
 * - `disable_workgroup_init`: workgroup memory is not set to 0 first; every workgroup of a product has some 20 kB of it;
 * - `disable_robustness`: no bounds checks for indices and no forced end of loops. The shaders here stay within bounds;
 *   a step of G1 in float32 took 8 % less time on an H200.
 */
const DAWN_FEATURES = [
  'allow_unsafe_apis',
  'use_vulkan_memory_model',
  'vulkan_enable_f16_on_nvidia',
  'disable_robustness',
  'disable_workgroup_init',
];

/** An optional package, absent on platforms without a prebuilt Dawn. Therefore its types are not used. */
const PACKAGE = 'webgpu' as string;

interface Dawn {
  create(options: string[]): { requestAdapter(options: GPURequestAdapterOptions): Promise<Adapter | null> };
  globals: object;
}

/** As Dawn provides it; the WebGPU types of tfjs are older. */
type Adapter = GPUAdapter & { info: GPUAdapterInfo & AdapterInfo & { isFallbackAdapter: boolean } };

const REMEDY = 'install a Vulkan, Metal or Direct3D 12 driver, or use another --device';

/**
 * Makes its backend the active one.
 *
 * @throws UsageError with the reason why the device is not available, and a remedy.
 */
export async function open(): Promise<OpenDevice> {
  const { adapter, device, wrong, ...parts } = await (opened ??= openAdapter());
  const { VitBackend } = await import('./backend.js');
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new VitBackend(device, adapter.info, parts));
  await tf.setBackend('webgpu');

  const matrixUnits = wrong
    ? [`matrix units rejected (${wrong})`]
    : parts.matrixUnits
      ? ['matrix units for float16']
      : [];
  // Dawn's `device` is the adapter's name, its `description` the driver's with the version.
  const { vendor, architecture, device: model, description } = adapter.info;
  return {
    description: [description || vendor, architecture, ...matrixUnits].filter(Boolean).join(', '),
    details: {
      backend: [`tfjs webgpu ${tf.version.tfjs}`, ...matrixUnits].join(', '),
      adapter: [model, vendor, architecture].filter(Boolean).join(', ') || null,
      driver: description || null,
      blas: null,
      threads: null,
    },
    software: adapter.info.isFallbackAdapter,
    close: () => undefined,
  };
}

interface Opened {
  gpu: object;
  adapter: Adapter;
  device: GPUDevice;
  health: Health;
  pipelines: Pipelines;
  matrixUnits: MatrixUnits | null;
  /** Why matrix units were rejected: their result differs from the product. null: they were not rejected. */
  wrong: string | null;
}

/**
 * There is one per process, never destroyed: Dawn 0.6 crashes when a destroyed device, or its instance, is
 * garbage-collected (observed with Mesa's software driver). An open device does not keep the process alive.
 */
let opened: Promise<Opened> | undefined;

async function openAdapter(): Promise<Opened> {
  const dawn = await load();
  // Selects one of several GPUs by a part of its name, as `vitmim doctor` shows it.
  const name = process.env.VITMIM_ADAPTER;
  // Further options for Dawn, separated by spaces: `enable-dawn-features=…`, for measurements and debugging.
  const given = process.env.VITMIM_DAWN?.split(' ').filter(Boolean) ?? [];
  const enable = 'enable-dawn-features=';
  const enabled = given.filter((option) => option.startsWith(enable)).map((option) => option.slice(enable.length));
  const gpu = dawn.create([
    ...(name ? [`adapter=${name}`] : []),
    `${enable}${[...DAWN_FEATURES, ...enabled].join()}`,
    ...given.filter((option) => !option.startsWith(enable)),
  ]);
  // tfjs registers its backend at import, if it finds the globals of a browser.
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
  const parts = { health: new Health(device), pipelines: new Pipelines(device) };
  const matrixUnits = await tunedMatrixUnits(adapter, device, parts);
  return { gpu, adapter, device, ...parts, ...matrixUnits };
}

/** Matrix units with the fastest tiles on this device: read from the cache, or measured now, which takes seconds. */
async function tunedMatrixUnits(
  { info }: Adapter,
  device: GPUDevice,
  parts: { health: Health; pipelines: Pipelines },
): Promise<Pick<Opened, 'matrixUnits' | 'wrong'>> {
  const matrixUnits = findMatrixUnits(info, device, process.env.VITMIM_MATRIX_UNITS);
  if (!matrixUnits) return { matrixUnits, wrong: null };
  const path = join(homedir(), '.cache', 'vitmim', 'webgpu-tiles.json');
  const name = [info.vendor, info.architecture, info.device, info.description].join(', ');
  const remembered = rememberedTiles(path, name);
  if (remembered) return { matrixUnits: { ...matrixUnits, tiles: remembered }, wrong: null };
  const { VitBackend } = await import('./backend.js');
  const backend = new VitBackend(device, info, { ...parts, matrixUnits });
  const result = await tuneTiles(backend, matrixUnits);
  backend.bufferManager.dispose();
  if ('wrong' in result) return { matrixUnits: null, wrong: result.wrong };
  rememberTiles(path, name, result.tiles);
  return { matrixUnits: { ...matrixUnits, tiles: result.tiles }, wrong: null };
}

async function load(): Promise<Dawn> {
  try {
    return (await import(PACKAGE)) as Dawn;
  } catch (error) {
    throw new UsageError(`device webgpu: the package \`webgpu\` cannot be loaded (${messageOf(error)}); ${REMEDY}`);
  }
}
