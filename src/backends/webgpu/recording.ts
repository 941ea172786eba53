/**
 * What one call of a function asks of the device, recorded to be asked again: which pipelines run with which buffers. The
 * call's own buffers stay with the recording, so that they are the same in every repetition and nobody else's meanwhile;
 * of the tensors it takes from outside, the buffers are checked to be where they were.
 */
import type { BufferManager, Buffers } from './buffers.js';

interface Command {
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  groups: readonly [number, number, number];
}

/** A tensor that a call is given anew each time. */
export interface Given {
  readonly dataId: object;
  readonly buffer: GPUBuffer;
}

/** What was recorded, for whoever repeats it. */
export interface Tape {
  readonly commands: readonly Command[];
  /** Buffers that take the values of the inputs, by their place; null for one that no pass takes. */
  readonly inputs: readonly (GPUBuffer | null)[];
  /** Tensors that are neither made by the call nor given to it, and where they were. */
  readonly outside: ReadonlyMap<object, GPUBuffer>;
  /** Those of them that are written. */
  readonly written: ReadonlySet<object>;
  readonly dispose: () => void;
}

export class Recording {
  readonly buffers: RecordedBuffers;
  readonly #base: Buffers;
  readonly #commands: Command[] = [];
  readonly #taken = new Map<object, GPUBuffer>();
  readonly #written = new Set<object>();
  /** Something was written that is not written again before it is read. */
  #spoiled = false;

  constructor(base: Buffers) {
    this.#base = base;
    this.buffers = new RecordedBuffers(base);
  }

  /** A tensor that a pass takes. */
  note(dataId: object, buffer: GPUBuffer, isWritten: boolean): void {
    if (isWritten && this.buffers.isConstant(buffer)) this.#spoiled = true;
    if (this.buffers.owns(buffer)) return;
    this.#taken.set(dataId, buffer);
    if (isWritten) this.#written.add(dataId);
  }

  /** The same encoder, whose passes are recorded. */
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

  /** Ends the recording. @returns undefined where it cannot be repeated; its buffers are then as any others. */
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

/** Takes the place of the device's buffers while a call is recorded: what it has taken from them stays taken. */
class RecordedBuffers implements BufferManager {
  readonly #base: Buffers;
  /** By what a buffer is asked for; null for one that holds a constant: nothing else may ever lie in it. */
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
    // Uniforms of tfjs's programs are constants too.
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

  /** To the device's buffers; those of tensors that still live, once these are disposed of. */
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
