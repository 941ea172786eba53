/** The passes for matrix units, without a GPU: Dawn's null device has the feature and checks the code. */
import type { KernelConfig, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs';
import type { VitBackend } from '../../../src/backends/webgpu/backend.js';
import { findMatrixUnits } from '../../../src/backends/webgpu/find-matrix-units.js';
import { attention, attentionGradient } from '../../../src/backends/webgpu/kernels/attention.js';
import { lanesFor, wgsl, type Pass } from '../../../src/backends/webgpu/pass.js';
import { plainProduct } from '../../../src/backends/webgpu/passes/choose-product.js';
import { makeEpilogue } from '../../../src/backends/webgpu/passes/epilogue.js';
import { matrixProductPass } from '../../../src/backends/webgpu/passes/matrix-product.js';
import type { Layout } from '../../../src/backends/webgpu/passes/product-sizes.js';
import { planMatrixAttention } from '../../../src/backends/webgpu/passes/plan-matrix-attention.js';
import { candidatesFor } from '../../../src/backends/webgpu/tune.js';
import { availableDevices } from '../../support/devices.js';

const info = {
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  subgroupMatrixConfigs: [{ componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 }],
};
const limits = { maxComputeWorkgroupStorageSize: 49152, maxComputeInvocationsPerWorkgroup: 1024 };
const features = ['shader-f16', 'chromium-experimental-subgroup-matrix'];
const all = { features: new Set(features), limits };

describe('finding matrix units', () => {
  it('accepts only units that multiply float16 and sum in float32', () => {
    expect(findMatrixUnits(info, all, undefined)).toMatchObject({ lanes: 32, emulated: false });
    const other = {
      ...info,
      subgroupMatrixConfigs: [{ ...info.subgroupMatrixConfigs[0]!, resultComponentType: 'f16' }],
    };
    expect(findMatrixUnits(other, all, undefined)).toBeNull();
    expect(findMatrixUnits({ ...info, subgroupMaxSize: 64 }, all, undefined)).toBeNull();
    expect(findMatrixUnits(info, { features: new Set(['shader-f16']), limits }, undefined)).toBeNull();
    expect(findMatrixUnits({}, all, undefined)).toBeNull();
  });

  it('chooses a tile that fits in memory', () => {
    const tileOf = (bytes: number): object =>
      findMatrixUnits(info, { ...all, limits: { ...limits, maxComputeWorkgroupStorageSize: bytes } }, undefined)!.tiles
        .plain.few;
    expect(tileOf(49152)).toMatchObject({ rows: 128, depth: 32 });
    expect(tileOf(16384)).toMatchObject({ rows: 64 });
  });

  it('can be switched off', () => {
    expect(findMatrixUnits(info, all, 'off')).toBeNull();
    expect(() => findMatrixUnits(info, all, 'on')).toThrow(/VITMIM_MATRIX_UNITS is on/);
  });
});

describe('attention on matrix units', () => {
  const units = findMatrixUnits(info, all, undefined)!;
  const plan = (tokens: number, size = 64, bytes = 49152) => {
    const room = { ...limits, maxComputeWorkgroupStorageSize: bytes };
    return planMatrixAttention(units, { batch: 2, tokens, heads: 3, size }, room);
  };

  it('is divided so that many tiles are computed at once in the workgroup memory, and few of them twice', () => {
    expect(plan(196)).toEqual({
      forward: { subgroups: 5, chunk: 16, threads: 160, groups: [3, 3, 2] },
      queries: { subgroups: 5, chunk: 16, threads: 160, groups: [3, 3, 2] },
      keysAndValues: { subgroups: 7, chunk: 16, threads: 224, groups: [2, 3, 2] },
    });
    expect(plan(49)?.keysAndValues).toEqual({ subgroups: 4, chunk: 32, threads: 128, groups: [1, 3, 2] });
    expect(plan(196, 64, 32768)?.keysAndValues).toMatchObject({ subgroups: 5, chunk: 16 });
    expect(plan(5120)?.keysAndValues).toMatchObject({ groups: [40, 3, 2] });
    expect(plan(16)?.queries).toMatchObject({ subgroups: 1, threads: 32 });
  });

  it('runs on ordinary units otherwise', () => {
    expect(plan(15)).toBeNull();
    expect(plan(49, 40)).toBeNull();
    expect(plan(49, 144)).toBeNull();
    expect(plan(49, 64, 4096)).toBeNull();
    expect(
      planMatrixAttention({ ...units, lanes: 8 }, { batch: 2, tokens: 49, heads: 3, size: 64 }, limits),
    ).toBeNull();
  });
});

/** Records passes without a device. */
function recorder(): { backend: VitBackend; passes: Pass[]; half: (shape: number[]) => TensorInfo } {
  const passes: Pass[] = [];
  const halves = new WeakSet();
  const make = (shape: readonly number[]): TensorInfo => ({ dataId: {}, shape: [...shape], dtype: 'float32' });
  const half = (shape: readonly number[]): TensorInfo => {
    const tensor = make(shape);
    halves.add(tensor.dataId);
    return tensor;
  };
  const isHalf = ({ dataId }: TensorInfo): boolean => halves.has(dataId);
  const backend = {
    run: (pass: Pass) => passes.push(pass),
    output: make,
    outputHalf: half,
    isHalf,
    asStored: (tensor: TensorInfo, columns: number) => ({
      ...lanesFor(tensor, columns),
      ...(isHalf(tensor) && { stored: 'half' }),
    }),
    release: () => undefined,
    notes: {
      noteLargest: () => undefined,
      largestOf: () => undefined,
      noteRounded: () => undefined,
      roundedOf: () => undefined,
    },
    outputRounded: make,
    shared: (tensor: TensorInfo) => tensor,
    device: { limits },
    matrixUnits: findMatrixUnits(info, all, undefined),
  };
  return { backend: backend as unknown as VitBackend, passes, half };
}

const onDawn = (await availableDevices()).includes('webgpu') ? describe : describe.skip;

onDawn('the code for matrix units', () => {
  let device: GPUDevice;
  let held: unknown; // Dawn crashes when its instance is garbage-collected
  beforeAll(async () => {
    const dawn = (await import('webgpu')) as { create: (options: string[]) => GPU; globals: object };
    Object.assign(globalThis, dawn.globals);
    const gpu = dawn.create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
    const adapter = (await gpu.requestAdapter())!;
    device = await adapter.requestDevice({ requiredFeatures: [...features, 'subgroups'] as GPUFeatureName[] });
    held = [gpu, adapter];
  });

  const messagesOf = async (pass: Pass): Promise<string[]> => {
    const module = device.createShaderModule({ code: wgsl(pass) });
    const { messages } = await module.getCompilationInfo();
    return messages.map(({ lineNum, message }) => `${lineNum}: ${message}`);
  };

  it.each<[Layout, number, number, number]>([
    ['plain', 12544, 3072, 768],
    ['second-transposed', 100, 48, 72],
    ['first-transposed', 768, 1000, 3001],
  ])('compiles for products, %s, %i × %i of depth %i', async (layout, rows, columns, depth) => {
    expect(held).toBeDefined();
    const { backend, passes, half } = recorder();
    const units = backend.matrixUnits!;
    const y = layout === 'plain' ? half([rows, columns]) : backend.output([rows, columns]);
    const more =
      layout === 'plain'
        ? { bias: backend.output([columns]), derivative: half([rows, columns]) }
        : { residual: backend.output([rows, columns]) };
    const after = makeEpilogue(backend, { y, ...more }, columns);
    const factors = { a: half([rows, depth]), b: half([depth, columns]), scale: backend.output([2]) };
    const sizes = { layout, rows, columns, depth };
    for (const tile of candidatesFor(layout, units.lanes, limits)) {
      backend.run(matrixProductPass(units, factors, after, { sizes, tile, splits: 2 }));
    }
    plainProduct(backend, factors, [rows, columns], sizes);
    expect(passes.length).toBeGreaterThan(5);
    for (const pass of passes) expect(await messagesOf(pass)).toEqual([]);
  });

  it.each([16, 49, 196, 300])('compiles for attention among %i tokens', async (tokens) => {
    const { backend, passes, half } = recorder();
    const [batch, heads, size] = [2, 3, 64];
    const qkv = half([batch, tokens, 3 * heads * size]);
    const attributes = { heads } as unknown as NamedAttrMap;
    const run = ({ kernelFunc }: KernelConfig, inputs: Record<string, TensorInfo>): TensorInfo[] =>
      [kernelFunc({ inputs, attrs: attributes, backend })].flat();
    const [y, saved, logSums] = run(attention, { input0: qkv });
    const dy = backend.output(y!.shape);
    run(attentionGradient, { dy, input0: qkv, saved0: saved!, saved1: logSums! });
    const names = ['attention', 'attention, gradient of queries', 'attention, gradient of keys and values'];
    const own = passes.filter(({ name }) => names.includes(name));
    expect(own.map(({ name }) => name)).toEqual(names);
    for (const pass of own) {
      expect(wgsl(pass)).toContain('subgroupMatrixMultiplyAccumulate');
      expect(await messagesOf(pass)).toEqual([]);
    }
  });
});
