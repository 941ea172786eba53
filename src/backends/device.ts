/** What a device is. One file beside this one opens each; `open.ts` chooses among them. */

export const DEVICE_NAMES = ['tensorflow', 'webgpu', 'simd', 'cpu'] as const;
export type DeviceName = (typeof DEVICE_NAMES)[number];

/** What a result may owe to the device, for provenance; null: does not apply, or does not tell. */
export interface DeviceDetails {
  /** What computes, with its version. */
  readonly backend: string;
  /** The GPU. */
  readonly adapter: string | null;
  readonly driver: string | null;
  readonly blas: { readonly name: string; readonly version: string | null } | null;
  readonly threads: number | null;
}

/** A tfjs backend that is set up and active. */
export interface Device {
  readonly name: DeviceName;
  /** What it runs on, for people: an adapter, a library and its version. */
  readonly description: string;
  readonly details: DeviceDetails;
  /** True where the work is done by the processor, as with a software Vulkan driver. */
  readonly software: boolean;
  /** Lets go of everything that would keep the process alive. The device cannot be used afterwards. */
  close(): void;
}

/** What the opener may say about a device. */
export interface DeviceOptions {
  /** Threads of a device that computes on the processor, from 1; undefined: one for each core. */
  threads?: number | undefined;
}

/** How a device is opened. */
export interface DeviceDriver {
  readonly name: DeviceName;
  /**
   * Makes this backend the active one.
   *
   * @throws UsageError saying why it cannot be had here and what would help.
   */
  open(options: DeviceOptions): Promise<Device>;
}
