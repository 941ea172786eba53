/**
 * The cells of two sides, side by side. A cell is everything but the seed: task, strengths and configuration. Two cells
 * are the same cell, changed, if they agree in the keys that vary among the cells of their objective on either side.
 * The change is the keys that have one value on each side.
 */
import { groupBy } from '../../common/group-by.js';
import { taskName } from '../../spec/objective.js';
import type { Measurement } from '../../evidence/measurements.js';
import type { Configuration } from '../../evidence/configuration.js';

/** The runs of one cell of a side. */
export interface ComparedCell {
  objective: string;
  /** null: scratch. */
  maskRatio: number | null;
  /** `key=value` of the keys that vary among the cells of the objective; empty if no key varies. */
  setting: string;
  /** The keys that have one value among the cells of the objective on each side, and another on the other side. */
  changed: readonly string[];
}

/** A cell with its runs on each side; null: the side does not have it. */
export interface CellPair extends ComparedCell {
  a: readonly Measurement[] | null;
  b: readonly Measurement[] | null;
}

/** Every cell of either side, in the order of the first side, then of the second. */
export function pairCells(a: readonly Measurement[], b: readonly Measurement[]): CellPair[] {
  const [left, right] = [groupBy(a, objectiveOf), groupBy(b, objectiveOf)];
  const objectives = new Set([...left.keys(), ...right.keys()]);
  return [...objectives].flatMap((objective) => pairOfObjective(left.get(objective) ?? [], right.get(objective) ?? []));
}

const objectiveOf = ({ task, weights }: Measurement): string => `${taskName(task, weights)} ${task?.maskRatio ?? ''}`;

function pairOfObjective(a: readonly Measurement[], b: readonly Measurement[]): CellPair[] {
  const [left, right] = [a, b].map(valuesByKey);
  const keys = [...new Set([...left!.keys(), ...right!.keys()])].sort();
  const varies = (key: string): boolean => [left!, right!].some((side) => (side.get(key)?.size ?? 0) > 1);
  const axes = keys.filter(varies);
  const changed =
    a.length === 0 || b.length === 0
      ? []
      : keys.filter((key) => !varies(key) && onlyOf(left!.get(key)) !== onlyOf(right!.get(key)));
  const settingOf = (measurement: Measurement): string =>
    axes.map((key) => `${key}=${valueOf(measurement, key) ?? 'unset'}`).join(' ');
  const cells = [a, b].map((side) => groupBy(side, settingOf));
  const { task, weights } = (a[0] ?? b[0])!;
  return [...new Set(cells.flatMap((side) => [...side.keys()]))].map((setting) => ({
    objective: taskName(task, weights),
    maskRatio: task?.maskRatio ?? null,
    setting,
    changed,
    a: cells[0]!.get(setting) ?? null,
    b: cells[1]!.get(setting) ?? null,
  }));
}

const valueOf = ({ configuration, strengths }: Measurement, key: string): string | undefined =>
  configuration.get(key) ?? strengths.get(key);

const onlyOf = (values: ReadonlySet<string | undefined> | undefined): string | undefined => [...(values ?? [])][0];

/** The values of each key; undefined is among them if a measurement lacks the key. */
function valuesByKey(measurements: readonly Measurement[]): Map<string, Set<string | undefined>> {
  // Runs of one cell have the same objects.
  const distinct = new Map<Configuration, Set<Configuration>>();
  for (const { configuration, strengths } of measurements) {
    const known = distinct.get(configuration);
    if (known === undefined) distinct.set(configuration, new Set([strengths]));
    else known.add(strengths);
  }
  const all = [...distinct].flatMap(([configuration, own]) =>
    [...own].map((strengths) => new Map([...configuration, ...strengths])),
  );
  const keys = new Set(all.flatMap((each) => [...each.keys()]));
  return new Map([...keys].map((key) => [key, new Set(all.map((each) => each.get(key)))]));
}
