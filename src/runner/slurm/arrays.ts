/**
 * From stages to job arrays. Pure.
 *
 * With Slurm's `aftercorr`, a task waits only for the task of the same index in another array. So a child has its
 * parent's index. If parents have several children, the children are in several arrays. A child then starts as soon as
 * its own parent is done, and a failure stops only the children of the failed stage.
 */
import { groupBy } from '../../common/group-by.js';
import type { Stage } from '../../spec/stages.js';

export interface ArrayTask {
  /** Slurm's index in the array. */
  index: number;
  /** Identity of the stage. */
  stage: string;
}

export interface StageArray {
  /** `level-0`; the second array of a level is `level-0-2`. */
  name: string;
  /** The array that has the parent of each task under the same index; null if no parent is pending. */
  parent: string | null;
  tasks: ArrayTask[];
}

/**
 * @param wanted The stages to run, parents before children. A parent that is not among them has its results already.
 * @param largest Most tasks of an array (`MaxArraySize`).
 * @param rounds The round of each stage (`src/spec/rounds.ts`); a stage without one is of the first.
 */
export function planArrays(
  wanted: readonly Stage[],
  largest: number,
  rounds: ReadonlyMap<string, number> = new Map(),
): StageArray[] {
  const children = groupBy(wanted, ({ parent }) => parent ?? '');
  const ids = new Set(wanted.map(({ id }) => id));
  const roots = wanted.filter(({ parent }) => parent === null || !ids.has(parent));
  // Tasks start in the order of their indices: earlier rounds go first, and in a round the parents of other stages.
  const roundOf = ({ id }: Stage): number => rounds.get(id) ?? 0;
  const ordered = roots.toSorted(
    (a, b) => roundOf(a) - roundOf(b) || Number(children.has(b.id)) - Number(children.has(a.id)),
  );

  const arrays: StageArray[] = [];
  let level = cut(ordered, largest).map((stages) => ({
    parent: null as string | null,
    tasks: stages.map(({ id }, index) => ({ index, stage: id })),
  }));
  for (let depth = 0; level.length > 0; depth++) {
    const named = level.map((array, i) => ({ name: `level-${depth}${i === 0 ? '' : `-${i + 1}`}`, ...array }));
    arrays.push(...named);
    level = named.flatMap((array) => childArrays(array, children));
  }
  return arrays;
}

/** The first children of all tasks, the second children, and so on. */
function childArrays({ name, tasks }: StageArray, children: ReadonlyMap<string, Stage[]>) {
  const most = Math.max(...tasks.map(({ stage }) => children.get(stage)?.length ?? 0));
  return Array.from({ length: most }, (_, nth) => ({
    parent: name,
    tasks: tasks.flatMap(({ index, stage }) => {
      const child = children.get(stage)?.[nth];
      return child === undefined ? [] : [{ index, stage: child.id }];
    }),
  }));
}

function cut<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Ascending indices as sbatch reads them: `0-3,5`. */
export function indexRanges(indices: readonly number[]): string {
  const ranges: { from: number; to: number }[] = [];
  for (const index of indices) {
    const last = ranges.at(-1);
    if (last?.to === index - 1) last.to = index;
    else ranges.push({ from: index, to: index });
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}
