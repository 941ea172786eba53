/** Passes compiled on a device, each once for its sizes, for as long as the device lives. */
import { wgsl, type Pass } from './pass.js';

export interface Compiled {
  readonly pipeline: GPUComputePipeline;
  /** Of the buffers of a pass, in the order of its reads, its writes and its uniforms. */
  readonly layout: GPUBindGroupLayout;
}

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #compiled = new Map<string, Compiled>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  #layoutOf({ reads, writes, uniforms }: Pass): GPUBindGroupLayout {
    const types: GPUBufferBindingType[] = [
      ...Object.keys(reads).map(() => 'read-only-storage' as const),
      ...Object.keys(writes).map(() => 'storage' as const),
      ...(uniforms ? (['uniform'] as const) : []),
    ];
    const key = types.join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      layout = this.#device.createBindGroupLayout({
        label: key,
        entries: types.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  of(pass: Pass): Compiled {
    const key = keyOf(pass);
    let compiled = this.#compiled.get(key);
    if (!compiled) {
      compiled = {
        pipeline: this.#device.createComputePipeline(this.#descriptorOf(pass)),
        layout: this.#layoutOf(pass),
      };
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }

  /** Compiles passes beside each other, for whom it is no loss of time to wait for it. */
  async prepare(passes: readonly Pass[]): Promise<void> {
    await Promise.all(
      passes.map(async (pass) => {
        const pipeline = await this.#device.createComputePipelineAsync(this.#descriptorOf(pass));
        this.#compiled.set(keyOf(pass), { pipeline, layout: this.#layoutOf(pass) });
      }),
    );
  }

  #descriptorOf(pass: Pass): GPUComputePipelineDescriptor {
    const module = this.#device.createShaderModule({ code: wgsl(pass), label: pass.name });
    // Declared, since `auto` would leave out what some variant of a shader does not use.
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.#layoutOf(pass)] });
    return { label: pass.name, layout, compute: { module, entryPoint: 'main' } };
  }
}

function keyOf({ name, reads, writes, threads, sizes }: Pass): string {
  const types = [...Object.values(reads), ...Object.values(writes)].map(
    ({ lanes, stored = '' }) => `${lanes}${stored}`,
  );
  return `${name} ${types.join()} ${threads} ${JSON.stringify(sizes)}`;
}
