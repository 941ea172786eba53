/** How much runs vary: between the seeds of a cell, and in differences of two cells. */
import { ACCURACY, type Metric } from '../../stages/fields.js';
import type { Measurement } from '../../evidence/measurements.js';
import { spreadIsRounding } from '../../statistics/interval.js';
import type { Design } from '../../statistics/power.js';
import { comparedCells, ENOUGH_DEGREES, pairingOf, pooled, poolOfSeeds, type ComparedCells } from '../pairing.js';

/** The unit and the decimals of a metric. */
export type MetricScale = Pick<Metric, 'unit' | 'digits'>;

export const scaleOf = ({ scale = ACCURACY.accuracy }: Spread): MetricScale => scale;

export interface Spread {
  /** Cells with at least two seeds, and runs in them. */
  cells: number;
  runs: number;
  /** Standard deviation over the seeds of a cell, pooled over cells; above 0. */
  seedStd: number;
  /**
   * Standard deviation of the difference of two cells paired by seed, pooled over pairs; null: no two cells share two
   * seeds.
   */
  differenceStd: number | null;
  /** Correlation of the seeds of two cells; null as above. */
  correlation: number | null;
  /** Standard deviation between the repeats of one pre-training, pooled; absent: the evaluation has no repeats. */
  repeatStd?: number;
  /** Of the metric; absent: that of an accuracy. */
  scale?: MetricScale;
}

/** Why results have no spread. */
export type SpreadLack =
  /** No run has a result that counts. */
  | 'no results'
  /** No cell has results of two seeds. */
  | 'one seed'
  /** The seeds of every cell agree to the last digit. */
  | 'equal seeds';

/** The spread of measurements of one metric, or why there is none. */
export function spreadOfMeasurements(measurements: readonly Measurement[]): Spread | SpreadLack {
  const spread = spreadOf(comparedCells(measurements));
  const ofRepeats = pooled(measurements.map(({ repeats }) => repeats));
  return typeof spread === 'string' || ofRepeats === null ? spread : { ...spread, repeatStd: ofRepeats.std };
}

/** The spread of cells, or why there is none. */
export function spreadOf({ cells, compared }: ComparedCells): Spread | SpreadLack {
  if (cells.length === 0) return 'no results';
  const own = poolOfSeeds(cells);
  if (own === null) return 'one seed';
  const values = cells.flatMap((cell) => [...cell.values()]);
  if (spreadIsRounding(own.std, values)) return 'equal seeds';
  const pairing = pairingOf(cells, compared);
  const paired = pairing !== null && !spreadIsRounding(pairing.differenceStd, values) ? pairing : null;
  return {
    cells: own.groups,
    runs: own.degrees + own.groups,
    seedStd: own.std,
    differenceStd: paired?.differenceStd ?? null,
    correlation: paired?.correlation ?? null,
  };
}

/** How reports compare two cells with this spread: paired by seed if the spread of paired differences is known. */
export function designOf({ differenceStd, seedStd }: Spread): Design {
  return differenceStd === null ? { pairing: 'unpaired', std: seedStd } : { pairing: 'paired', std: differenceStd };
}

/** The standard error of the seeds' standard deviation as a share of it, for normal values: 1/√(2·degrees). */
const relativeError = ({ runs, cells }: Spread): number => 1 / Math.sqrt(2 * (runs - cells));

/** A warning if few runs give the standard deviation; null: enough do. */
export function describeFewRuns(spread: Spread): string | null {
  if (spread.runs - spread.cells >= ENOUGH_DEGREES) return null;
  const { runs, cells } = spread;
  const percent = (100 * relativeError(spread)).toFixed(0);
  return `${runs} runs in ${cells} ${cells === 1 ? 'cell' : 'cells'} give the standard deviation to about ±${percent} %`;
}
