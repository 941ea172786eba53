/** The compiled shaders of a device. Each is compiled once for all that its code depends on. */
import { keyOf, wgsl, type Pass, type Shader } from './pass.js';

export interface Compiled {
  readonly pipeline: GPUComputePipeline;
  /** Of the buffers of a pass, in the order of its reads, its writes and its uniforms. */
  readonly layout: GPUBindGroupLayout;
  readonly groups: Shader['groups'];
}

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** By definition and key. */
  readonly #compiled = new Map<object, Map<string, Compiled>>();

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
    const known = this.#compiled.get(pass.definition)?.get(keyOf(pass));
    if (known) return known;
    const shader = pass.build();
    return this.#keep(pass, shader, this.#device.createComputePipeline(this.#descriptorOf(pass, shader)));
  }

  /** Compiles passes in parallel, before they are run. */
  async prepare(passes: readonly Pass[]): Promise<void> {
    await Promise.all(
      passes.map(async (pass) => {
        const shader = pass.build();
        this.#keep(pass, shader, await this.#device.createComputePipelineAsync(this.#descriptorOf(pass, shader)));
      }),
    );
  }

  #keep(pass: Pass, { groups }: Shader, pipeline: GPUComputePipeline): Compiled {
    const compiled = { pipeline, groups, layout: this.#layoutOf(pass) };
    let ofDefinition = this.#compiled.get(pass.definition);
    if (!ofDefinition) {
      ofDefinition = new Map();
      this.#compiled.set(pass.definition, ofDefinition);
    }
    ofDefinition.set(keyOf(pass), compiled);
    return compiled;
  }

  #descriptorOf(pass: Pass, shader: Shader): GPUComputePipelineDescriptor {
    const module = this.#device.createShaderModule({ code: wgsl(pass, shader), label: pass.name });
    // Declared explicitly: `auto` would omit buffers that a variant of a shader does not use.
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.#layoutOf(pass)] });
    return { label: pass.name, layout, compute: { module, entryPoint: 'main' } };
  }
}
