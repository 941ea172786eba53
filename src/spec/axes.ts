/** The axes of a plan: what varies between its cells, and over which values. Pure. */
import type { Cell, Plan } from './stages.js';

export interface Axis {
  /** As the grid of the spec names it. */
  name: string;
  /** In the order of the cells. */
  values: string[];
}

/** The value of an axis in a cell, as text; undefined if the cell leaves it to the objective. */
export function axisValue(cell: Cell, axis: string): string | undefined {
  const value: unknown = axis in cell ? cell[axis as keyof Cell] : cell.overrides[axis];
  if (value === null || value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** All axes of cells: those of the task, the overrides, and the seed last. */
export function axisNames(cells: readonly Cell[]): string[] {
  const names = new Set(['maskRatio', 'misalignment', 'stylePreservation']);
  for (const { overrides } of cells) for (const key of Object.keys(overrides)) names.add(key);
  return [...names, 'seed'];
}

/** The objectives, and every further axis that has more than one value or only some cells have; not what is chosen. */
export function axesOf({ jobs, leftOut, selections = [] }: Pick<Plan, 'jobs' | 'leftOut' | 'selections'>): Axis[] {
  const reported = jobs.filter(({ candidate }) => candidate?.isTrial !== true);
  const cells = [...reported.flatMap((job) => job.cells), ...leftOut.map(({ cell }) => cell)];
  const chosen = new Set(selections.flatMap(({ keys }) => keys));
  return ['objective', ...axisNames(cells).filter((name) => !chosen.has(name))].flatMap((name) => {
    const found = cells.map((cell) => axisValue(cell, name));
    const values = [...new Set(found)].filter((value) => value !== undefined);
    const varies = new Set(found).size > 1 || name === 'objective';
    return varies && values.length > 0 ? [{ name, values }] : [];
  });
}
