/** What the seeds of a plan can resolve, given how much earlier runs vary. */
import { groupBy } from '../../common/group-by.js';
import type { Plan } from '../../spec/stages.js';
import { CONFIDENCE } from '../../statistics/interval.js';
import { FEWEST_SEEDS, halfWidth, type Design } from '../../statistics/power.js';
import { describeFewRuns, designOf, scaleOf, type Spread } from './spread.js';

/** Spreads, and the results that they are of. */
export interface SpreadSource {
  /** The results, in a sentence: `results/pilot`. */
  name: string;
  spreads: ReadonlyMap<string, Spread>;
  /** Whether these are runs of another sweep, which may vary otherwise. */
  foreign: boolean;
}

export interface Resolution {
  source: string;
  foreign: boolean;
  /** Seeds of the cell with the fewest, and of that with the most. */
  seeds: { fewest: number; most: number };
  /** One for each evaluation of the plan, by its first metric. */
  metrics: {
    metric: string;
    /** Of a difference; null: the metric has none, or the spread is not known. */
    unit: string | null;
    pairing: Design['pairing'] | null;
    /**
     * Half-widths of the 95 % interval of a difference of two cells; null: the spread is not known, or one seed has
     * none.
     */
    halfWidths: { fewest: number | null; most: number | null };
    /** Whether few runs gave the spread, in a sentence; null: enough did, or none. */
    warning: string | null;
  }[];
}

const ALPHA = 1 - CONFIDENCE;

/** What the plan's seeds resolve; null: the plan has no evaluation. */
export function resolutionOf(plan: Plan, { name, spreads, foreign }: SpreadSource): Resolution | null {
  const jobs = plan.jobs.filter(({ candidate }) => candidate?.isTrial !== true);
  const evaluations = [...new Set(jobs.flatMap((job) => Object.keys(job.evaluations)))];
  if (evaluations.length === 0) return null;
  const cells = jobs.flatMap((job) => job.cells);
  const counts = [...groupBy(cells, (cell) => JSON.stringify({ ...cell, seed: null })).values()].map(
    (members) => new Set(members.map(({ seed }) => seed)).size,
  );
  const seeds = { fewest: Math.min(...counts), most: Math.max(...counts) };
  return {
    source: name,
    foreign,
    seeds,
    metrics: evaluations.map((metric) => {
      const spread = spreads.get(metric);
      if (spread === undefined) {
        return { metric, unit: null, pairing: null, halfWidths: { fewest: null, most: null }, warning: null };
      }
      const design = designOf(spread);
      const at = (n: number): number | null => (n < FEWEST_SEEDS ? null : halfWidth(design, n, ALPHA));
      return {
        metric,
        unit: scaleOf(spread).unit?.difference ?? null,
        pairing: design.pairing,
        halfWidths: { fewest: at(seeds.fewest), most: at(seeds.most) },
        warning: describeFewRuns(spread),
      };
    }),
  };
}

/** The resolution in sentences. */
export function describeResolution({ source, foreign, seeds, metrics }: Resolution): string {
  const { fewest, most } = seeds;
  const count = fewest === most ? `${fewest}` : `${fewest} to ${most}`;
  const known = metrics.filter(({ pairing }) => pairing !== null);
  const unknown = metrics.filter(({ pairing }) => pairing === null).map(({ metric }) => metric);
  const widths = known.map(
    ({ metric, unit, halfWidths }) => `${describeWidths(halfWidths, unit === null ? '' : ` ${unit}`)} (${metric})`,
  );
  return [
    most < FEWEST_SEEDS
      ? `1 seed resolves nothing: a difference of two cells has an interval from ${FEWEST_SEEDS} seeds on.`
      : known.length === 0
        ? ''
        : `${count} seeds resolve ${widths.join(', ')}: half the 95 % interval of a difference of two cells.`,
    unknown.length === 0 ? '' : `What ${unknown.join(', ')} can resolve is not known: no earlier result has two seeds.`,
    known.length === 0 || most < FEWEST_SEEDS ? '' : describeSource(source, foreign, known),
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

function describeSource(source: string, foreign: boolean, known: Resolution['metrics']): string {
  const warnings = [...new Set(known.flatMap(({ warning }) => warning ?? []))];
  const few = warnings.length === 0 ? '' : ` (${warnings.join('; ')})`;
  const other = foreign ? '; another setting may vary more or less' : '';
  return `The spread is from ${source}${few}${other}.`;
}

function describeWidths({ fewest, most }: Resolution['metrics'][number]['halfWidths'], unit: string): string {
  if (most === null) return '';
  if (fewest === most) return `±${twoDigits(most)}${unit}`;
  return fewest === null ? `at best ±${twoDigits(most)}${unit}` : `±${twoDigits(fewest)} to ±${twoDigits(most)}${unit}`;
}

/** 12, 5.2 or 0.53. */
const twoDigits = (value: number): string => (value >= 10 ? value.toFixed(0) : value.toPrecision(2));
