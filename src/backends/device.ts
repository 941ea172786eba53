/** The interface of devices. Each has an entry beside this file; `index.ts` lists them and `open.ts` opens one. */
import type { Precision } from '../ops/index.js';
import type { DeviceName } from './index.js';

/** Properties that may influence results, for provenance. null: does not apply, or is not reported. */
export interface DeviceDetails {
  /** The library that computes, with its version. */
  readonly backend: string;
  /** The GPU. */
  readonly adapter: string | null;
  readonly driver: string | null;
  readonly blas: { readonly name: string; readonly version: string | null } | null;
  readonly threads: number | null;
}

/** A tfjs backend that is set up and active. */
export interface OpenDevice {
  /** An adapter, or a library and its version, for messages. */
  readonly description: string;
  readonly details: DeviceDetails;
  /** How it could be faster, in sentences for the user. */
  readonly advice?: readonly string[];
  /** Whether the processor does the work, as with a software Vulkan driver. */
  readonly software: boolean;
  /** Releases everything that would keep the process alive. The device cannot be used afterwards. */
  close(): void;
}

/** Options for opening a device. */
export interface DeviceOptions {
  /** Threads of a device that computes on the processor, at least 1; undefined: one for each core. */
  threads?: number | undefined;
  /** Of the model that will be trained; undefined: float32. A device may measure which kernels are fastest for it. */
  precision?: Precision | undefined;
}

/** An open device, with the name by which it was opened. */
export interface Device extends OpenDevice {
  readonly name: DeviceName;
}

/** A device. Every command loads its file, so `open` imports what needs TensorFlow.js when it is called. */
export interface DeviceEntry<Name extends string = string> {
  readonly name: Name;
  /** `gpu`: on a GPU if there is one that it can use. */
  readonly computesOn: 'processor' | 'gpu';
  /** Whether `auto` tries it. */
  readonly automatic: boolean;
  /**
   * Makes its backend the active one.
   *
   * @throws UsageError with the reason why the device is not available, and a remedy.
   */
  open(options: DeviceOptions): Promise<OpenDevice>;
}
