/** The devices on which tests run: those of this machine. CI names the required ones in VITMIM_REQUIRE_DEVICES. */
import { DEVICE_NAMES, type Device, type DeviceName } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';

/** The devices to try, if not all: a run of mutants tries only the two that are on every machine. */
const tried = process.env.VITMIM_TEST_DEVICES?.split(',') ?? DEVICE_NAMES;

const required = (process.env.VITMIM_REQUIRE_DEVICES ?? 'simd,cpu').split(',') as DeviceName[];

/**
 * Opens each device once, at the top of a test file, to find which exist. If a required one does not open, the file
 * fails.
 */
export async function availableDevices(): Promise<DeviceName[]> {
  const found: DeviceName[] = [];
  for (const name of DEVICE_NAMES.filter((device) => tried.includes(device))) {
    try {
      (await openDevice(name)).close();
      found.push(name);
    } catch (error) {
      if (required.includes(name)) throw error;
    }
  }
  return found;
}

/** A way to open device simd: with the system's BLAS or vitmim's own product, on one thread or two. */
export interface SimdVariant {
  label: string;
  open: () => Promise<Device>;
}

/**
 * All variants that this machine supports: none if simd is not required and not available, as in a bundle for a machine
 * with a GPU. `VITMIM_REQUIRE_BLAS=1`, as in CI, requires a BLAS.
 */
export async function simdVariants(): Promise<SimdVariant[]> {
  const probe = await openDevice('simd', { threads: 1 }).catch((error: unknown) => {
    if (required.includes('simd')) throw error;
    return null;
  });
  if (probe === null) return [];
  probe.close();
  const hasBlas = !probe.description.includes('no BLAS');
  if (!hasBlas && process.env.VITMIM_REQUIRE_BLAS) throw new Error(`a BLAS is required here: ${probe.description}`);
  return (hasBlas ? [true, false] : [false]).flatMap((blas) =>
    [1, 2].map((threads) => ({
      label: `simd ${blas ? 'with' : 'without'} BLAS on ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      open: () => openSimd(blas, threads),
    })),
  );
}

/** The variable is read when the device is opened. */
async function openSimd(blas: boolean, threads: number): Promise<Device> {
  const before = process.env.VITMIM_BLAS;
  if (!blas) process.env.VITMIM_BLAS = 'none';
  try {
    return await openDevice('simd', { threads });
  } finally {
    if (before === undefined) delete process.env.VITMIM_BLAS;
    else process.env.VITMIM_BLAS = before;
  }
}
