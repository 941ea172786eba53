/**
 * Bind groups, each created once for its buffers: a step uses the same buffers as the step before, and creating a group
 * costs more than recording the pass.
 */
export class BindGroups {
  readonly #device: GPUDevice;
  readonly #numbers = new WeakMap<GPUBuffer, number>();
  #count = 0;
  readonly #groups = new Map<string, GPUBindGroup>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  of(layout: GPUBindGroupLayout, buffers: readonly GPUBuffer[]): GPUBindGroup {
    // A layout specifies only which buffers are written and which contain uniforms, and its label contains the same
    // information.
    const key = `${layout.label} ${buffers.map((buffer) => this.#numberOf(buffer)).join()}`;
    let group = this.#groups.get(key);
    if (!group) {
      // Groups whose buffers are no longer used are not detected; therefore all groups are dropped when there are too
      // many.
      if (this.#groups.size >= MOST) this.#groups.clear();
      group = this.#device.createBindGroup({
        layout,
        entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      this.#groups.set(key, group);
    }
    return group;
  }

  #numberOf(buffer: GPUBuffer): number {
    let number = this.#numbers.get(buffer);
    if (number === undefined) {
      number = this.#count++;
      this.#numbers.set(buffer, number);
    }
    return number;
  }
}

/** Enough for many steps: a step uses the buffers of the step before, unless its batch has another size. */
const MOST = 32768;
