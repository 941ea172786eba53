/**
 * What a sweep's file or its options write without effect: axes and values that change no stage, entries of `exclude`
 * that match no cell, grids that add no job, options that change nothing. Such a sweep can run; the plan lists them,
 * since they are often mistakes.
 */
import { canonicalJson } from '../common/canonical.js';
import { addTo } from '../common/group-by.js';
import { valueAt } from '../common/tree.js';
import type { Coordinate, Setting, Track } from './expand.js';
import { stageConfigs } from './jobs.js';
import { formatPath, show, type Location } from './problems.js';
import { resolvePoint, type ExpandedGrid, type Point } from './resolve.js';
import type { Cell, Job, Plan } from './stages.js';
import type { Sweep, SweepSource } from './sweep.js';

/** A remark and its place in the file or among the options. */
export interface Remark {
  location: Location;
  /** One sentence: what has no effect, and what to do. */
  message: string;
}

/** `sweep.yaml:7: exclude[0] matches no cell; …` */
export function formatRemark({ location, message }: Remark): string {
  return location.kind === 'option'
    ? `${location.option}: ${message}`
    : `${location.file}:${location.line}: ${message}`;
}

/** The remarks on a sweep, given its plan; the jobs of all cells are in it. */
export function remarksOn({ source }: Sweep, plan: Plan): Remark[] {
  const jobOf = jobsOfCells(plan, source);
  return [
    ...source.idleSets.map((location) => ({ location, message: 'this key is not set, so there is nothing to unset' })),
    ...source.withoutSet
      .filter(({ job }) => !changesStages(source, (point) => ({ point, job })))
      .map(({ option }) => ({ location: option, message: 'this changes no stage of the sweep' })),
    ...source.idleExcludes.map((index) => ({
      location: source.locate(['exclude', index]),
      message: `exclude[${index}] matches no cell; correct it or remove it`,
    })),
    ...variantRemarks(source),
    ...gridRemarks(source, jobOf),
    ...source.grids.flatMap((grid) =>
      grid.tracks.flatMap((track, index) => trackRemarks(source, grid, track, index, jobOf)),
    ),
  ];
}

/** The job of each cell. If values are chosen for the cell, it is the job of the first candidate. */
function jobsOfCells({ jobs }: Plan, { grids }: SweepSource): ReadonlyMap<Cell, Job> {
  const textOf = (cell: Cell, values: object = {}): string => {
    const others = Object.entries(cell.overrides).filter(([key]) => !Object.hasOwn(values, key));
    return canonicalJson({ ...cell, overrides: Object.fromEntries(others) });
  };
  const byText = new Map<string, Job>();
  for (const job of jobs) {
    const { candidate } = job;
    if (candidate !== undefined && (candidate.isTrial || candidate.index > 0)) continue;
    for (const cell of job.cells) byText.set(textOf(cell, candidate?.values), job);
  }
  const all = grids.flatMap(({ cells }) => cells.filter((cell) => cell !== null));
  return new Map(
    all.flatMap((cell) => {
      const job = byText.get(textOf(cell));
      return job === undefined ? [] : [[cell, job] as const];
    }),
  );
}

/** Grids without a job of their own, the later of two with the same jobs. */
function gridRemarks({ grids, locate }: SweepSource, jobOf: ReadonlyMap<Cell, Job>): Remark[] {
  const seen = new Set<Job>();
  return grids.flatMap(({ root, cells }): Remark[] => {
    const before = seen.size;
    for (const cell of cells) {
      const job = cell === null ? undefined : jobOf.get(cell);
      if (job !== undefined) seen.add(job);
    }
    if (seen.size > before) return [];
    const path = root.length === 0 ? ['grid'] : root;
    const message = `${formatPath(path)} adds no job: each of its cells is excluded, contradicts itself, or is in an earlier grid`;
    return [{ location: locate(path, 'key'), message }];
  });
}

/** Keys of variants without which the stages of their cells are the same. */
function variantRemarks(source: SweepSource): Remark[] {
  const places = new Map<string, { coordinate: Coordinate; setting: Setting }>();
  for (const coordinate of source.grids.flatMap(({ tracks }) => tracks.flat(2))) {
    for (const setting of coordinate.settings) {
      if (setting.path[0] === 'variants') places.set(formatPath(setting.path), { coordinate, setting });
    }
  }
  return [...places].flatMap(([name, { coordinate, setting }]): Remark[] => {
    const isOwn = ({ key, value }: Coordinate): boolean => key === coordinate.key && value === coordinate.value;
    const without = (point: Point) => ({
      job: source.job,
      point: point.map((each) =>
        isOwn(each) ? { ...each, settings: each.settings.filter(({ key }) => key !== setting.key) } : each,
      ),
    });
    const grids = source.grids.map((grid) => ({
      ...grid,
      cells: grid.cells.map((cell, index) => (grid.points[index]!.some(isOwn) ? cell : null)),
    }));
    if (changesStages({ ...source, grids }, without) || stagesHave([setting.key], grids, source.job)) return [];
    const message = `${name} has no effect: no stage of its cells depends on it`;
    return [{ location: source.locate(setting.path, 'key'), message }];
  });
}

// --- axes ------------------------------------------------------------------------------------------------------------

function trackRemarks(
  source: SweepSource,
  grid: ExpandedGrid,
  track: Track,
  index: number,
  jobOf: ReadonlyMap<Cell, Job>,
): Remark[] {
  const [first, ...others] = track;
  if (first === undefined) return [];
  const name = first.map(({ key }) => key).join(' and ');
  // A list of values is at the path without its last step, the index.
  const location = source.locate(first[0]!.path.slice(0, -1), 'key');
  const remark = (message: string): Remark => ({ location, message: `the axis ${name} ${message}` });
  if (others.length === 0) {
    const keys = new Set(first.map(({ key }) => key));
    const without = (point: Point) => ({ point: point.filter(({ key }) => !keys.has(key)), job: source.job });
    if (changesStages({ ...source, grids: [grid] }, without) || stagesHave([...keys], [grid], source.job)) return [];
    return [remark('has no effect: no stage of its cells depends on it')];
  }
  const columns = columnsOf(grid, index, jobOf);
  const distinct = new Map<string, number[]>();
  for (const [value, column] of columns.entries()) {
    const jobs = column.map((job) => job ?? '').join();
    if (column.some((job) => job !== null)) addTo(distinct, jobs, value);
  }
  if (hasNoEffect(columns)) return [remark(`has no effect: all of its ${track.length} values give the same jobs`)];
  const valueAt = (value: number): string => track[value]!.map((coordinate) => show(coordinate.value)).join(' with ');
  return [...distinct.values()]
    .filter((values) => values.length > 1)
    .map((values) => remark(`has values that give the same jobs: ${values.map(valueAt).join(', ')}`));
}

/** For each value of a track, the jobs at all values of the other tracks, as numbers; null: no job. */
function columnsOf({ tracks, cells }: ExpandedGrid, index: number, jobOf: ReadonlyMap<Cell, Job>): (number | null)[][] {
  const numbers = new Map<Job, number>();
  const numberOf = (cell: Cell | null): number | null => {
    const job = cell === null ? undefined : jobOf.get(cell);
    if (job === undefined) return null;
    const number = numbers.get(job) ?? numbers.size;
    numbers.set(job, number);
    return number;
  };
  const stride = tracks.slice(index + 1).reduce((product, track) => product * track.length, 1);
  const columns: (number | null)[][] = tracks[index]!.map(() => []);
  for (const [place, cell] of cells.entries()) {
    columns[Math.floor(place / stride) % columns.length]!.push(numberOf(cell));
  }
  return columns;
}

/** Whether all values give the same job wherever they give one, and two of them can be compared somewhere. */
function hasNoEffect(columns: readonly (readonly (number | null)[])[]): boolean {
  const rows = columns[0]!.map((_, row) => columns.map((column) => column[row] ?? null).filter((job) => job !== null));
  return rows.every((jobs) => new Set(jobs).size <= 1) && rows.some((jobs) => jobs.length > 1);
}

/**
 * Whether a stage of a cell has one of the keys, so that the key decides its result although its value is the default.
 */
function stagesHave(keys: readonly string[], grids: readonly ExpandedGrid[], job: Record<string, unknown>): boolean {
  return grids.some(({ points, cells }) =>
    points.some((point, index) => {
      const resolved = cells[index] === null ? undefined : resolvePoint(point, job);
      if (resolved === undefined || !('job' in resolved)) return false;
      return stageConfigs(resolved).some((config) => {
        const named = { ...config, [config.kind]: config.recipe };
        return keys.some((key) => valueAt(named, key.split('.')) !== undefined);
      });
    }),
  );
}

/**
 * Whether the jobs of a sweep have other stages than their alternatives. If all alternatives are the same jobs, because
 * a default was written out, the answer is yes: a change of that key may have an effect.
 */
function changesStages(
  { grids, job }: Pick<SweepSource, 'grids' | 'job'>,
  alternative: (point: Point) => { point: Point; job: Record<string, unknown> },
): boolean {
  let differ = false;
  for (const { points, cells } of grids) {
    for (const [index, point] of points.entries()) {
      if (cells[index] === null) continue;
      const [own, other] = [resolvePoint(point, job), resolvePoint(alternative(point).point, alternative(point).job)];
      const [a, b] = [own, other].map((resolved) => ('job' in resolved ? resolved : null));
      if (!a || !b) {
        if (a !== b) return true;
        continue;
      }
      const stages = [a, b].map((resolved) => canonicalJson(stageConfigs(resolved)));
      if (stages[0] !== stages[1]) return true;
      differ ||= canonicalJson(a.job) !== canonicalJson(b.job);
    }
  }
  return !differ;
}
