/**
 * The commands of one call of a function, recorded to be replayed: which pipelines run with which buffers. The
 * recording owns the buffers of the call, so they are the same in every replay and not used for anything else in
 * between. For tensors from outside, each replay checks that they still have the same buffers.
 */
import type { BufferManager, Buffers } from './buffers.js';

interface Command {
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  groups: readonly [number, number, number];
}

/** A tensor that is passed to each call. */
export interface Given {
  readonly dataId: object;
  readonly buffer: GPUBuffer;
}

/** A recording that can be replayed. */
export interface Tape {
  readonly commands: readonly Command[];
  /** Buffers for the values of the inputs, in their order; null for an input that no pass reads. */
  readonly inputs: readonly (GPUBuffer | null)[];
  /** Tensors that the call neither creates nor receives, with their buffers. */
  readonly outside: ReadonlyMap<object, GPUBuffer>;
  /** The tensors among them that are written. */
  readonly written: ReadonlySet<object>;
  readonly dispose: () => void;
}

export class Recording {
  readonly buffers: RecordedBuffers;
  readonly #base: Buffers;
  readonly #commands: Command[] = [];
  readonly #taken = new Map<object, GPUBuffer>();
  readonly #written = new Set<object>();
  /** A constant was written: a replay would read the changed value. */
  #spoiled = false;

  constructor(base: Buffers) {
    this.#base = base;
    this.buffers = new RecordedBuffers(base);
  }

  /** Notes a tensor that a pass reads or writes. */
  note(dataId: object, buffer: GPUBuffer, isWritten: boolean): void {
    if (isWritten && this.buffers.isConstant(buffer)) this.#spoiled = true;
    if (this.buffers.owns(buffer)) return;
    this.#taken.set(dataId, buffer);
    if (isWritten) this.#written.add(dataId);
  }

  /** Wraps an encoder, to record its passes. */
  listen(encoder: GPUComputePassEncoder): GPUComputePassEncoder {
    let [pipeline, group]: [GPUComputePipeline?, GPUBindGroup?] = [];
    const listening: Pick<GPUComputePassEncoder, 'setPipeline' | 'setBindGroup' | 'dispatchWorkgroups' | 'end'> = {
      setPipeline: (next) => {
        encoder.setPipeline((pipeline = next));
      },
      setBindGroup: (index: number, next: GPUBindGroup | null) => {
        encoder.setBindGroup(index, (group = next!));
      },
      dispatchWorkgroups: (x, y = 1, z = 1) => {
        encoder.dispatchWorkgroups(x, y, z);
        this.#commands.push({ pipeline: pipeline!, group: group!, groups: [x, y, z] });
      },
      end: () => {
        encoder.end();
      },
    };
    return listening as GPUComputePassEncoder;
  }

  get length(): number {
    return this.#commands.length;
  }

  /** Ends the recording. @returns undefined if it cannot be replayed; its buffers are then released. */
  end(given: readonly Given[]): Tape | undefined {
    if (this.#spoiled || this.buffers.someAreInUse || given.some(({ dataId }) => this.#written.has(dataId))) {
      this.buffers.giveBack();
      return undefined;
    }
    const outside = new Map(this.#taken);
    const inputs = given.map(({ dataId, buffer }) => (outside.delete(dataId) ? buffer : null));
    const kept = inputs.filter((buffer) => buffer !== null);
    for (const buffer of kept) this.#base.keep(buffer);
    return {
      commands: this.#commands,
      inputs,
      outside,
      written: this.#written,
      dispose: () => {
        for (const buffer of kept) this.#base.letGo(buffer);
        this.buffers.giveBack();
      },
    };
  }
}

/** Replaces the manager of the device's buffers while a call is recorded. It keeps all buffers that it has acquired. */
class RecordedBuffers implements BufferManager {
  readonly #base: Buffers;
  /** Buffers with their size and usage; null for a buffer that contains a constant, which must never be reused. */
  readonly #own = new Map<GPUBuffer, string | null>();
  readonly #inUse = new Set<GPUBuffer>();
  readonly #free = new Map<string, GPUBuffer[]>();

  constructor(base: Buffers) {
    this.#base = base;
  }

  get numBytesUsed(): number {
    return this.#base.numBytesUsed;
  }

  get numBytesAllocated(): number {
    return this.#base.numBytesAllocated;
  }

  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation = false, reuse = true): GPUBuffer {
    if (!reuse) return this.#base.acquireBuffer(size, usage, mappedAtCreation, reuse);
    // The uniforms of tfjs's programs are constants too.
    if (mappedAtCreation || usage & GPUBufferUsage.UNIFORM) return this.acquireConstant(size, usage);
    const key = `${size} ${usage}`;
    return this.#take(this.#free.get(key)?.pop() ?? this.#base.acquireBuffer(size, usage), key);
  }

  acquireConstant(size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.#take(this.#base.acquireConstant(size, usage), null);
  }

  #take(buffer: GPUBuffer, key: string | null): GPUBuffer {
    this.#own.set(buffer, key);
    this.#inUse.add(buffer);
    return buffer;
  }

  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    const key = this.#own.get(buffer);
    if (key === undefined) {
      this.#base.releaseBuffer(buffer, reuse);
      return;
    }
    this.#inUse.delete(buffer);
    if (key === null) return;
    const free = this.#free.get(key);
    if (free) free.push(buffer);
    else this.#free.set(key, [buffer]);
  }

  owns(buffer: GPUBuffer): boolean {
    return this.#own.has(buffer);
  }

  isConstant(buffer: GPUBuffer): boolean {
    return this.#own.get(buffer) === null;
  }

  get someAreInUse(): boolean {
    return this.#inUse.size > 0;
  }

  /**
   * Releases the buffers, except those of tensors that still exist: these are released when the tensors are disposed
   * of.
   */
  giveBack(): void {
    for (const buffer of this.#own.keys()) if (!this.#inUse.has(buffer)) this.#base.releaseBuffer(buffer);
    this.#own.clear();
  }

  getNumUsedBuffers(): number {
    return this.#base.getNumUsedBuffers();
  }

  getNumFreeBuffers(): number {
    return this.#base.getNumFreeBuffers();
  }

  dispose(): void {
    this.#base.dispose();
  }
}
