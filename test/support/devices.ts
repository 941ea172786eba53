/** The devices on which tests run: those of this machine. CI names the required ones in VITMIM_REQUIRE_DEVICES. */
import type { Device } from '../../src/backends/device.js';
import { DEVICE_NAMES, type DeviceName } from '../../src/backends/index.js';
import { openDevice } from '../../src/backends/open.js';
import { UsageError } from '../../src/common/errors.js';
import { withVariables } from './variables.js';

/** The devices to try, if not all: a run of mutants tries only the two that are on every machine. */
const tried = process.env.VITMIM_TEST_DEVICES?.split(',') ?? DEVICE_NAMES;

const required = (process.env.VITMIM_REQUIRE_DEVICES ?? 'simd,cpu').split(',') as DeviceName[];

/** Test files of one process share what is found: opening all devices takes a second. */
function once<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => (found ??= find());
}

/** Opens each device once, to find which exist. If a required one does not open, the test file fails. */
export const availableDevices = once(async (): Promise<DeviceName[]> => {
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
});

/** A way to open device simd: with the system's BLAS or vitmim's own product, on one thread or two. */
export interface SimdVariant {
  label: string;
  open: () => Promise<Device>;
}

/**
 * All variants that this machine supports: none if simd is not required and not available, as in a bundle for a machine
 * with a GPU. `VITMIM_REQUIRE_BLAS=1`, as in CI, requires a BLAS.
 */
export const simdVariants = once(async (): Promise<SimdVariant[]> => {
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
});

function openSimd(blas: boolean, threads: number): Promise<Device> {
  return withVariables(blas ? {} : { VITMIM_BLAS: 'none' }, () => openDevice('simd', { threads }));
}

/**
 * The variants of simd that multiply in bfloat16 differently. That of the library exists if the BLAS has such a product;
 * those of Debian and PyPI's OpenBLAS have none, MKL has one. `VITMIM_TEST_MKL` is the path of MKL, which is then required.
 */
export const bfloat16Variants = once(async (): Promise<SimdVariant[]> => {
  const mkl = process.env.VITMIM_TEST_MKL;
  const ways: { label: string; variables: Record<string, string> }[] = [
    { label: 'by widened factors', variables: { VITMIM_BFLOAT16: 'widened' } },
    { label: 'by widened factors without BLAS', variables: { VITMIM_BFLOAT16: 'widened', VITMIM_BLAS: 'none' } },
    { label: 'by the library', variables: { VITMIM_BFLOAT16: 'library', ...(mkl && { VITMIM_BLAS: mkl }) } },
  ];
  const found: SimdVariant[] = [];
  for (const { label, variables } of ways) {
    const openWith = (threads: number): Promise<Device> =>
      withVariables(variables, () => openDevice('simd', { threads, precision: 'bfloat16' }));
    try {
      (await openWith(1)).close();
    } catch (error) {
      if (label === 'by the library' && !mkl && error instanceof UsageError) continue;
      throw error;
    }
    for (const threads of [1, 2]) {
      found.push({
        label: `${label} on ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
        open: () => openWith(threads),
      });
    }
  }
  return found;
});
