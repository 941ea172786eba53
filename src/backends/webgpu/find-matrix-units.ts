/** Determines which matrix units a device has, and how products are divided for them. */
import { UsageError } from '../../common/errors.js';
import { forEachProduct, SIDE, type MatrixUnits, type WorkgroupLimits } from './passes/matrix-units.js';
import { CANDIDATES, candidatesFor } from './tune.js';

const FEATURE = 'chromium-experimental-subgroup-matrix';

/** As Dawn reports it; the type package may not declare it yet. */
export interface AdapterInfo {
  subgroupMinSize?: number;
  subgroupMaxSize?: number;
  subgroupMatrixConfigs?: Iterable<{
    componentType: string;
    resultComponentType: string;
    M: number;
    N: number;
    K: number;
  }>;
}

/**
 * @param wanted VITMIM_MATRIX_UNITS: `off`, for comparisons; unset: the device's matrix units are used.
 * @throws UsageError for another value of it.
 */
export function findMatrixUnits(
  info: AdapterInfo,
  { features, limits }: { features: Pick<ReadonlySet<string>, 'has'>; limits: WorkgroupLimits },
  wanted: string | undefined,
): MatrixUnits | null {
  switch (wanted) {
    case 'off':
      return null;
    case undefined:
    case '':
      break;
    default:
      throw new UsageError(`VITMIM_MATRIX_UNITS is ${wanted}: it may be off, or left unset`);
  }
  const lanes = info.subgroupMinSize;
  if (!features.has(FEATURE) || !features.has('shader-f16') || lanes === undefined) return null;
  // If subgroups have several sizes, the compiler chooses one that is unknown here, so the code could not divide the
  // work.
  if (lanes !== info.subgroupMaxSize) return null;
  const usable = [...(info.subgroupMatrixConfigs ?? [])].some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'f16' && resultComponentType === 'f32' && M === SIDE && N === SIDE && K === SIDE,
  );
  if (!usable) return null;
  const tiles = forEachProduct((layout) => candidatesFor(layout, lanes, limits)[0] ?? CANDIDATES.at(-1)!);
  return { lanes, emulated: false, tiles };
}
