/**
 * Bind groups, each made once for its buffers: a step takes the same buffers as the one before it, and to make a group
 * costs more than to record the pass.
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
    // The layout says no more than which of the buffers are written and which hold uniforms: part of what a label tells.
    const key = `${layout.label} ${buffers.map((buffer) => this.#numberOf(buffer)).join()}`;
    let group = this.#groups.get(key);
    if (!group) {
      // Buffers that are no longer used are not told apart here: now and then all is made anew.
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

/** Those of many steps: a step takes the buffers of the one before, unless its batch has another size. */
const MOST = 32768;
