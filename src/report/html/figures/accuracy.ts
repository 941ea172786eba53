/** Accuracies of groups as points of charts that share one scale, dashed lines and all. */
import type { Measurement } from '../../../evidence/measurements.js';
import type { ChartPoint, Reference } from '../chart.js';
import { withSpread } from '../numbers.js';
import { scratchReference, type Group } from './groups.js';
import { BARS, DASHED } from './words.js';

/** Mean and standard deviation of each group, from left to right. */
export function chartPoints(groups: readonly Group[], xOf: (group: Group) => number): ChartPoint[] {
  return groups
    .map((group) => ({ x: xOf(group), y: group.statistics.mean!, spread: group.statistics.std }))
    .sort((a, b) => a.x - b.x);
}

/** Panels of groups with what each is compared with, and what an axis spans that shows all of both. */
export function onOneScale(panels: readonly (readonly Group[])[], measurements: readonly Measurement[]) {
  const references = panels.map((panel) => scratchReference(measurements, panel[0]!));
  const ends = panels.flat().flatMap(({ statistics: { mean, std } }) => [mean! - (std ?? 0), mean! + (std ?? 0)]);
  const span = [...ends, ...references.flatMap((reference) => reference?.value ?? [])];
  return { references, span };
}

/** The end of a caption: the meaning of bars, and of dashed lines if there are some. */
export function legend(references: readonly (Reference | null)[]): string {
  return [BARS, ...(references.some((reference) => reference !== null) ? [DASHED] : [])].join(' ');
}

/** `40.00 ± 2.00 at 0.75, …` */
export function spelledOut(points: readonly ChartPoint[], where: (x: number) => string, between: string): string {
  return points.map(({ x, y, spread }) => `${withSpread(y, spread)} ${where(x)}`).join(between);
}
