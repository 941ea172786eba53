/** Which matrix units a device has, and how products are cut for them. */
import { UsageError } from '../../common/errors.js';
import { SIDE, type MatrixTile, type MatrixUnits } from './passes/matrix-units.js';

const FEATURE = 'chromium-experimental-subgroup-matrix';

/** As Dawn tells it; the type package may not know it yet. */
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

const TILE: MatrixTile = { rows: 128, columns: 128, depth: 32, split: [2, 2] };
/** Small, and with more than one matrix along each side of each part. */
const EMULATED: MatrixTile = { rows: 64, columns: 32, depth: 32, split: [2, 1] };

const everywhere = (tile: MatrixTile): MatrixUnits['tiles'] => ({
  plain: tile,
  'second-transposed': tile,
  'first-transposed': tile,
});

/**
 * @param wanted VITMIM_MATRIX_UNITS: `off`, or `emulated`, to test without; unset, what the device has.
 * @throws UsageError for another value of it.
 */
export function findMatrixUnits(
  info: AdapterInfo,
  features: Pick<ReadonlySet<string>, 'has'>,
  wanted: string | undefined,
): MatrixUnits | null {
  switch (wanted) {
    case 'off':
      return null;
    case 'emulated':
      return { lanes: 32, emulated: true, tiles: everywhere(EMULATED) };
    case undefined:
    case '':
      break;
    default:
      throw new UsageError(`VITMIM_MATRIX_UNITS is ${wanted}: it may be off or emulated, or left unset`);
  }
  const lanes = info.subgroupMinSize;
  if (!features.has(FEATURE) || !features.has('shader-f16') || lanes === undefined) return null;
  // Where subgroups have several sizes, a compiler chooses one of them: who computes what would not be known here.
  if (lanes !== info.subgroupMaxSize) return null;
  const usable = [...(info.subgroupMatrixConfigs ?? [])].some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'f16' && resultComponentType === 'f32' && M === SIDE && N === SIDE && K === SIDE,
  );
  return usable ? { lanes, emulated: false, tiles: everywhere(TILE) } : null;
}
