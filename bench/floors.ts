/**
 * Converts the times of single kernels to a table: sums by name, each beside the least possible time on the device.
 * Pure functions; door-meter.ts and pass-meter.ts measure.
 */

/** The highest rates of a device; null: unknown. */
export interface Rates {
  flopsPerSecond: number | null;
  bytesPerSecond: number | null;
}

/** The minimal work of a kernel: bytes between memory and processor, and FLOPs of matrix products. */
export interface Cost {
  bytes: number;
  flops: number;
}

/** One call of a kernel. */
export interface Sample extends Cost {
  kernel: string;
  milliseconds: number;
}

/** All calls of a kernel in one step, on average. */
export interface KernelTime extends Sample {
  calls: number;
  /** Milliseconds; null if a rate that it depends on is unknown. */
  floor: number | null;
}

/**
 * The larger of two times in milliseconds: of the products at the highest rate, and of the bytes at the speed of
 * memory.
 */
export function floorOf({ bytes, flops }: Cost, { flopsPerSecond, bytesPerSecond }: Rates): number | null {
  const time = (amount: number, rate: number | null): number | null =>
    amount === 0 ? 0 : rate === null ? null : (1000 * amount) / rate;
  const [arithmetic, memory] = [time(flops, flopsPerSecond), time(bytes, bytesPerSecond)];
  return arithmetic === null || memory === null ? null : Math.max(arithmetic, memory);
}

/**
 * Sums calls by kernel, averaged over `steps` steps, slowest kernel first. A floor is the sum of the floors of the
 * calls.
 */
export function perStep(samples: readonly Sample[], steps: number, rates: Rates): KernelTime[] {
  const kernels = new Map<string, KernelTime>();
  for (const { kernel, milliseconds, bytes, flops } of samples) {
    const sum = kernels.get(kernel) ?? { kernel, calls: 0, milliseconds: 0, bytes: 0, flops: 0, floor: 0 };
    const floor = floorOf({ bytes, flops }, rates);
    kernels.set(kernel, {
      kernel,
      calls: sum.calls + 1 / steps,
      milliseconds: sum.milliseconds + milliseconds / steps,
      bytes: sum.bytes + bytes / steps,
      flops: sum.flops + flops / steps,
      floor: sum.floor === null || floor === null ? null : sum.floor + floor / steps,
    });
  }
  return [...kernels.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

/** One line for each kernel, and one for the total. */
export function describeTimes(times: readonly KernelTime[]): string[] {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const floors = times.map(({ floor }) => floor);
  const total = {
    kernel: 'all',
    calls: sum(times.map(({ calls }) => calls)),
    milliseconds: sum(times.map(({ milliseconds }) => milliseconds)),
    floor: floors.includes(null) ? null : sum(floors as number[]),
  };
  return [...times, total].map(({ kernel, calls, milliseconds, floor }) => {
    const least = floor === null ? '' : ` at least ${floor.toFixed(3).padStart(9)} ms`;
    return `${milliseconds.toFixed(3).padStart(10)} ms${least} ${calls.toFixed(0).padStart(5)} × ${kernel}`;
  });
}
