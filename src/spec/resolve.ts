/**
 * Points of the axes → cells, each with its complete job; or their problems. A problem that several cells share is
 * reported once. Locations in the file are given as paths.
 */
import { canonicalJson } from '../common/canonical.js';
import { assign, valueAt, type Path } from '../common/tree.js';
import { describeCell } from './cells.js';
import {
  compareKeys,
  excludeMatcher,
  pointsOf,
  tracksOf,
  type Coordinate,
  type Grid,
  type Setting,
  type Track,
} from './expand.js';
import { explainIssues, type Finding, type KeyHint } from './issues.js';
import type { ResolvedStages } from './jobs.js';
import { resolveJob } from './resolve-job.js';
import { CELL_KEYS, unsetValue } from './keys.js';
import { withoutPercentages } from './percent.js';
import { formatPath } from './problems.js';
import { jobSchema } from './schema.js';
import type { Cell } from './stages.js';
import type { SweepFile } from './sweep-schema.js';

/** A cell that can run. */
export interface ResolvedCell extends ResolvedStages {
  cell: Cell;
  /** The coordinates from which it was resolved. */
  point: Point;
}

/** A cell that is a contradiction. */
export interface LeftOutCell {
  cell: Cell;
  reason: string;
}

/** A grid of the file, and what became of its points. */
export interface ExpandedGrid {
  /** Its path in the file. */
  root: Path;
  tracks: Track[];
  /** In the order of the tracks, the last one fastest. */
  points: readonly Point[];
  /** The cell of each point, shared with equal points; null: excluded. */
  cells: (Cell | null)[];
}

export interface Resolved {
  cells: ResolvedCell[];
  leftOut: LeftOutCell[];
  grids: ExpandedGrid[];
  /** Indices of the entries of `exclude` that match no point. */
  idleExcludes: number[];
  /** Impossible numbers; the sweep cannot run while there are any. */
  findings: Finding[];
}

/**
 * Expands the grids, removes the cells that match `exclude` and merges equal cells.
 *
 * @param alsoVaried Keys that cells record although no axis varies them: those of `--set`.
 */
export function resolveCells(sweep: SweepFile, grids: readonly Grid[], alsoVaried: readonly string[]): Resolved {
  const { distinct, ...expanded } = distinctPoints(sweep, grids, alsoVaried);
  const cells: ResolvedCell[] = [];
  const leftOut: LeftOutCell[] = [];
  const shared = new Map<string, { finding: Finding; cells: Cell[] }>();

  for (const each of distinct) {
    const outcome = resolvePoint(each.point, sweep.job);
    if ('reason' in outcome) leftOut.push({ cell: each.cell, ...outcome });
    else if ('job' in outcome) cells.push({ ...each, ...outcome });
    for (const finding of 'findings' in outcome ? outcome.findings : []) {
      const same = canonicalJson([finding.path, finding.message]);
      const known = shared.get(same);
      if (known === undefined) shared.set(same, { finding, cells: [each.cell] });
      else known.cells.push(each.cell);
    }
  }
  const findings = [...shared.values()].map(({ finding, cells: affected }) => ({
    ...finding,
    message: finding.message + limitedTo(affected, distinct.length),
  }));
  return { cells, leftOut, findings, ...expanded };
}

// --- points of grids -------------------------------------------------------------------------------------------------

/** The coordinates of a point of a grid. */
export type Point = readonly Coordinate[];

interface DistinctPoint {
  point: Point;
  cell: Cell;
}

function distinctPoints(
  sweep: SweepFile,
  grids: readonly Grid[],
  alsoVaried: readonly string[],
): { distinct: DistinctPoint[] } & Pick<Resolved, 'grids' | 'idleExcludes'> {
  const distinct = new Map<string, DistinctPoint>();
  const excludedBy = excludeMatcher(sweep.exclude, unsetValue);
  const matched = new Set<number>();
  const cellAt = (point: Point): Cell | null => {
    const valueOf = valuesOf(point, sweep.job);
    const excludes = excludedBy(valueOf);
    for (const index of excludes) matched.add(index);
    if (excludes.length > 0) return null;
    const cell = cellOf(valueOf, [...point.map(({ key }) => key), ...alsoVaried]);
    const identity = canonicalJson(cell);
    const known = distinct.get(identity);
    if (known === undefined) distinct.set(identity, { point, cell });
    return known?.cell ?? cell;
  };
  const expanded = grids.map((grid): ExpandedGrid => {
    const tracks = tracksOf(grid, sweep.variants);
    const points = pointsOf(tracks);
    return { root: grid.root, tracks, points, cells: points.map(cellAt) };
  });
  return {
    distinct: [...distinct.values()],
    grids: expanded,
    idleExcludes: [...sweep.exclude.keys()].filter((index) => !matched.has(index)),
  };
}

/** The value of an axis or a key at a point: from its axis or a variant, else from `job`, else the default. */
function valuesOf(point: Point, job: Record<string, unknown>): (key: string) => unknown {
  const settings = settingsOf(point);
  return (key) => {
    const coordinate = point.find((candidate) => candidate.key === key);
    if (coordinate !== undefined) return coordinate.value ?? unsetValue(key);
    const setting = settings.find((each) => each.key === key || key.startsWith(`${each.key}.`));
    return (setting === undefined ? valueAt(job, key.split('.')) : setting.value) ?? unsetValue(key);
  };
}

/** What the coordinates of a point set. */
const settingsOf = (point: Point): Setting[] => point.flatMap(({ settings }) => settings);

const cellSchema = jobSchema.pick({
  objective: true,
  maskRatio: true,
  misalignment: true,
  stylePreservation: true,
  seed: true,
} satisfies Record<(typeof CELL_KEYS)[number], true>);

function cellOf(valueOf: (key: string) => unknown, varied: readonly string[]): Cell {
  const fixed: readonly string[] = CELL_KEYS;
  const others = [...new Set(varied)].filter((key) => !fixed.includes(key)).sort(compareKeys);
  const own = cellSchema.parse(Object.fromEntries(CELL_KEYS.map((key) => [key, valueOf(key)])));
  return {
    objective: own.objective,
    maskRatio: own.maskRatio ?? null,
    misalignment: own.misalignment ?? null,
    stylePreservation: own.stylePreservation ?? null,
    seed: own.seed,
    // A key that `--set` unset may have no value.
    overrides: Object.fromEntries(
      others.map((key) => [key, valueOf(key)] as const).filter(([, value]) => value !== undefined),
    ),
  };
}

// --- jobs ------------------------------------------------------------------------------------------------------------

type ResolvedPoint = ResolvedStages | Omit<LeftOutCell, 'cell'> | { findings: Finding[] };

/** Resolves the job at a point of the axes, over the defaults of `job`. */
export function resolvePoint(point: Point, defaults: Record<string, unknown>): ResolvedPoint {
  const written = withoutPercentages(
    settingsOf(point).reduce<unknown>((job, { key, value }) => assign(job, key.split('.'), value), defaults),
  );
  const parsed = jobSchema.safeParse(written);
  if (!parsed.success) {
    const hint = dataHint(written);
    const found = explainIssues(jobSchema, written, parsed.error.issues, ['job'], hint);
    return { findings: found.map((finding) => ({ ...finding, path: sourceOf(finding.path, point) })) };
  }
  const job = parsed.data;
  const resolved = resolveJob(job);
  switch (resolved.kind) {
    case 'job':
      return { job, task: resolved.task, model: resolved.model };
    case 'contradiction':
      return { reason: resolved.reason };
    case 'impossible':
      return {
        findings: resolved.conflicts.map(({ keys, message }) => ({
          path: blame(keys, point, defaults),
          part: 'value',
          message,
        })),
      };
  }
}

/** At this point only keys of other data sets can still be unknown. */
function dataHint(written: unknown): KeyHint {
  return (container, key) => {
    const name = valueAt(written, [...container.slice(1), 'name']);
    const dataset = typeof name === 'string' ? name : 'shapes';
    return `the data set ${dataset} has no ${key}; remove the key, or unset it: --set ${formatPath([...container, key])}=null`;
  };
}

/** The path in the file of a value of the complete job (`['job', …]`). */
function sourceOf(path: Path, point: Point): Path {
  const key = path.slice(1).join('.');
  return settingsOf(point).find((setting) => setting.key === key)?.path ?? path;
}

/** The path to report for keys that contradict each other: an axis first, then a value in the file. */
function blame(keys: readonly string[], point: Point, defaults: Record<string, unknown>): Path {
  const axis = settingsOf(point)
    .filter(({ key }) => keys.includes(key))
    .sort((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key));
  if (axis[0] !== undefined) return axis[0].path;
  const paths = keys.map((key) => key.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step)));
  return ['job', ...(paths.find((path) => valueAt(defaults, path) !== undefined) ?? paths[0]!)];
}

/** Names the cells to which a problem is limited. */
function limitedTo(affected: readonly Cell[], total: number): string {
  if (affected.length === total) return '';
  const first = describeCell(affected[0]!);
  return affected.length === 1 ? ` (in the cell ${first})` : ` (in ${affected.length} cells, such as ${first})`;
}
