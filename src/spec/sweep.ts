/**
 * Sweep text → validated cells, each with its complete job. Reports every problem that it finds with its location in
 * the file. The content of data sets is not read here; `plan.ts` computes identities.
 */
import { groupBy } from '../common/group-by.js';
import { entriesOf } from './entries.js';
import { axesOfGrid, compareKeys, countPoints, type Grid } from './expand.js';
import { readDocument, type ReadText } from './extend.js';
import type { Finding } from './issues.js';
import { applyOverrides } from './overrides/apply.js';
import type { Override } from './overrides/override.js';
import { parseOverrides } from './overrides/parse.js';
import { shadowedOverrides } from './overrides/shadowed.js';
import { SpecError, formatPath, show, type Location, type Problem } from './problems.js';
import { resolveCells, type ExpandedGrid, type LeftOutCell, type ResolvedCell } from './resolve.js';
import { resolveSelection, type SweepSelection } from './selection.js';
import { resolveSeeds, seedsFindings } from './seeds.js';
import type { ObjectivePair, SeedsRule } from './stages.js';
import { NAME, parseSweepFile, type Axes, type SweepFile } from './sweep-schema.js';
import { leafPaths, type Path } from '../common/tree.js';
import type { YamlDocument } from './yaml.js';

/** A validated sweep. */
export interface Sweep {
  name: string;
  description?: string;
  /** In canonical order: the main grid first, then each include; without duplicates. */
  cells: ResolvedCell[];
  /** Cells that are contradictions. */
  leftOut: LeftOutCell[];
  /** The choices for each cell; undefined: all values are fixed. */
  selection?: SweepSelection;
  seeds?: SeedsRule;
  compare?: readonly ObjectivePair[];
  source: SweepSource;
}

/** The source of a sweep, in which `remarks.ts` finds the keys without effect. */
export interface SweepSource {
  /** The defaults of `job`, as written. */
  job: Record<string, unknown>;
  grids: ExpandedGrid[];
  /** Indices of the entries of `exclude` that match no cell. */
  idleExcludes: number[];
  /** The places in options, and in files that extend another, that unset a key that is not set. */
  idleSets: Location[];
  /** For each option that sets keys of `job`, the defaults without it. */
  withoutSet: { option: Location; job: Record<string, unknown> }[];
  locate: (path: Path, part?: 'key' | 'value') => Location;
}

export interface SweepOptions {
  /** The name of the file in messages. */
  file: string;
  /** The sweep's name if the file gives none: usually the file's name without its extension. */
  defaultName: string;
  /** The texts of the `--set` options, as in `job.pretrain.epochs=5`. */
  sets?: readonly string[];
  /** Reads the files that the spec extends; paths are relative to the same folder as `file`. */
  readText?: ReadText;
}

const noFiles: ReadText = () => {
  throw new Error('this spec was not read from a file');
};

/** More cells than this are probably a mistake, and even listing them would take long. */
export const MAX_CELLS = 20_000;

/**
 * Reads a sweep.
 *
 * Without `grid` and `zip`, the sweep consists of its includes, or of the one default job if there are none.
 *
 * @throws SpecError with all problems of the first kind found: syntax; shape, types and ranges; axes; impossible cells.
 */
export function readSweep(text: string, { file, defaultName, sets = [], readText = noFiles }: SweepOptions): Sweep {
  const { document: written, idle: idleNulls } = readDocument(text, file, readText);
  const { overrides, problems } = parseOverrides(sets, written.value);
  const { document, jobKeys, idle } = applyOverrides(written, overrides);
  const locate = (findings: readonly Finding[]): Problem[] => findings.map((finding) => place(finding, document));

  const parsed = parseSweepFile(document.value);
  if (parsed.kind === 'broken') throw new SpecError([...problems, ...locate(parsed.findings)]);
  const sweep = parsed.file;
  const name = sweep.name ?? defaultName;
  failOn([...problems, ...locate(seedsProblems(sweep))]);
  const grids = withSeeds(gridsOf(sweep), sweep);
  failOn([
    ...problems,
    ...locate([
      ...nameFindings(name),
      ...axisFindings(grids),
      ...overlapFindings(sweep, grids),
      ...excludeFindings(sweep, grids),
    ]),
    ...shadowedOverrides(overrides, grids, sweep.variants),
  ]);

  // The place of the data makes no two cells differ, so tables do not show it.
  const set = jobKeys.filter((key) => key !== 'data.path' && key !== 'pretrain.data.path');
  const { cells, leftOut, findings, ...expanded } = resolveCells(sweep, grids, set);
  failOn(locate([...findings, ...entryFindings(cells)]));
  if (cells.length === 0) failOn(locate([emptiness(leftOut)]));
  const selected =
    sweep.select === undefined
      ? undefined
      : resolveSelection({ select: sweep.select, cells, grids: expanded.grids, job: sweep.job });
  failOn(locate(selected?.findings ?? []));
  const withoutSet = overrides.filter(setsJob).flatMap((override) => {
    const others = overrides.filter((other) => other !== override);
    const without = parseSweepFile(applyOverrides(written, others).document.value);
    return without.kind === 'file' ? [{ option: override.location, job: without.file.job }] : [];
  });
  return {
    name,
    ...(sweep.description === undefined ? {} : { description: sweep.description }),
    cells,
    leftOut,
    ...(selected === undefined ? {} : { selection: selected.selection }),
    ...(sweep.seeds === undefined ? {} : { seeds: resolveSeeds(sweep.seeds) }),
    ...(sweep.compare === undefined ? {} : { compare: sweep.compare }),
    source: {
      job: sweep.job,
      ...expanded,
      idleSets: [...idleNulls, ...idle.map(({ location }) => location)],
      withoutSet,
      locate: (path, part) => document.locate(path, part),
    },
  };
}

const setsJob = (override: Override): boolean =>
  override.kind === 'keys' && override.assignments.some(({ path }) => path[0] === 'job');

function failOn(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new SpecError(problems);
}

function place(finding: Finding, document: YamlDocument): Problem {
  const { path, part } = finding;
  return {
    path: formatPath(path),
    location: document.locate(path, part),
    get message() {
      return finding.message;
    },
  };
}

function emptiness([first]: readonly LeftOutCell[]): Finding {
  if (first === undefined) {
    return { path: ['exclude'], part: 'key', message: 'exclude drops every cell; nothing is left to run' };
  }
  const message = `every cell contradicts itself, so nothing is left to run (the first: ${first.reason})`;
  return { path: ['grid'], part: 'key', message };
}

/** Names of evaluations that have one protocol or metric in some cells and another one in others. */
function entryFindings(cells: readonly ResolvedCell[]): Finding[] {
  const entries = cells.flatMap(({ job }) => entriesOf(job));
  const found = (message: string): Finding => ({ path: ['grid', 'evaluate'], part: 'key', message });
  return [...groupBy(entries, ({ name }) => name)].flatMap(([name, own]): Finding[] => {
    const protocols = [...new Set(own.map(({ protocol }) => protocol))];
    if (protocols.length > 1) {
      return [
        found(`the evaluation ${name} is ${protocols.join(' in some cells and ')} in others; give them two names`),
      ];
    }
    const metrics = [...new Set(own.map(({ metric }) => metric ?? 'no metric'))];
    if (metrics.length === 1) return [];
    return [
      found(
        `the evaluation ${name} has ${metrics.join(' in some cells and ')} in others, and transfer.csv has one metric ` +
          'of each evaluation; set the same one in all cells',
      ),
    ];
  });
}

function nameFindings(name: string): Finding[] {
  if (NAME.test(name)) return [];
  const message = `the file's name ${show(name)} cannot name the sweep; add a line such as name: my-sweep`;
  return [{ path: ['name'], part: 'value', message }];
}

// --- axes ------------------------------------------------------------------------------------------------------------

function gridsOf(sweep: SweepFile): Grid[] {
  const gridAt = ({ grid, zips }: Pick<SweepFile, 'grid' | 'zips'>, root: Path): Grid => {
    const named = axesOfGrid({ grid, zips, variants: {}, root });
    const others = [...sweep.variants].filter(([axis]) => !Object.hasOwn(named, axis));
    const variants = Object.fromEntries(others.map(([axis, variants]) => [axis, [...variants.keys()]]));
    return { grid, zips, variants, root };
  };
  const main = gridAt(sweep, []);
  const includes = sweep.include.map((entry, index) => gridAt(entry, ['include', index]));
  const hasMain = Object.keys(sweep.grid).length > 0 || sweep.zips.length > 0;
  return hasMain || includes.length === 0 ? [main, ...includes] : includes;
}

/** The grids with the seeds of the rule as an axis. */
function withSeeds(grids: readonly Grid[], { seeds }: SweepFile): Grid[] {
  if (seeds === undefined) return [...grids];
  return grids.map((grid) => ({ ...grid, grid: { ...grid.grid, seed: [...resolveSeeds(seeds).seeds] } }));
}

/** Of `seeds` and `compare`: numbers that contradict each other, and seeds that are given in another place too. */
function seedsProblems({ seeds, compare = [], job, exclude, ...file }: SweepFile): Finding[] {
  const twice = compare.flatMap(([a, b], i): Finding[] => {
    if (a !== b) return [];
    return [{ path: ['compare', i], part: 'value', message: `compare[${i}] compares ${a} with itself` }];
  });
  if (seeds === undefined) return twice;
  const places: { path: Path; axes: Record<string, unknown> }[] = [
    { path: ['job'], axes: job },
    { path: ['grid'], axes: file.grid },
    ...file.zips.map(({ axes, path }) => ({ path, axes })),
    ...file.include.flatMap(({ grid, zips }, i) => [
      { path: ['include', i], axes: grid },
      ...zips.map(({ axes, path }) => ({ path: ['include', i, ...path], axes })),
    ]),
    ...exclude.map((axes, i) => ({ path: ['exclude', i], axes })),
  ];
  const others = places.flatMap(({ path, axes }): Finding[] => {
    if (!Object.hasOwn(axes, 'seed')) return [];
    const message = `seeds decides how many seeds run, and ${formatPath([...path, 'seed'])} names them; keep one`;
    return [{ path: [...path, 'seed'], part: 'key', message }];
  });
  return [...twice, ...seedsFindings(seeds), ...others];
}

/** The path of an axis in the file. */
function pathOf({ grid, zips, root }: Grid, key: string): Path {
  const zip = zips.find(({ axes }) => Object.hasOwn(axes, key));
  if (zip !== undefined) return [...root, ...zip.path, key];
  return Object.hasOwn(grid, key) ? [...(root.length === 0 ? ['grid'] : root), key] : ['variants', key];
}

function axisFindings(grids: readonly Grid[]): Finding[] {
  const findings = grids.flatMap(({ grid, zips, root }): Finding[] =>
    zips.flatMap(({ axes, path }, index) => {
      const place = [...root, ...path];
      const lengths = Object.entries(axes).map(([key, values]) => `${key} ${values.length}`);
      const uneven = new Set(Object.values(axes).map((values) => values.length)).size > 1;
      const message = `the lists of a zip must be equally long: ${lengths.join(', ')}`;
      return [
        ...Object.keys(axes).flatMap((key): Finding[] => {
          const other = zips.slice(0, index).some((zip) => Object.hasOwn(zip.axes, key)) ? 'another zip' : 'its zip';
          if (other === 'its zip' && !Object.hasOwn(grid, key)) return [];
          const both = other === 'its zip' ? 'both the grid and its zip' : 'two zips';
          return [{ path: [...place, key], part: 'key', message: `"${key}" is an axis of ${both}; keep one` }];
        }),
        ...(uneven ? [{ path: place, part: 'key' as const, message }] : []),
      ];
    }),
  );
  const total = grids.reduce((sum, grid) => sum + countPoints(grid), 0);
  if (findings.length > 0 || total <= MAX_CELLS) return findings;
  const message = `the sweep has ${total} cells before exclude; the most is ${MAX_CELLS}`;
  return [{ path: grids[0]?.root.length === 0 ? ['grid'] : ['include'], part: 'key', message }];
}

/** The keys of a job that an axis sets, by their dotted names. */
function keysSetBy(axis: string, values: readonly unknown[], { variants }: SweepFile): Set<string> {
  const definitions = variants.get(axis);
  if (definitions === undefined) return new Set([axis]);
  const used = values.flatMap((name) => (typeof name === 'string' ? (definitions.get(name) ?? []) : []));
  return new Set(used.flatMap((keys) => leafPaths(keys)).map((path) => path.join('.')));
}

/** Keys that two axes of one grid set; at least one of the two is an axis of variants. */
function overlapFindings(sweep: SweepFile, grids: readonly Grid[]): Finding[] {
  return grids.flatMap((grid): Finding[] => {
    const axes = Object.entries(axesOfGrid(grid)).map(
      ([axis, values]) => [axis, [...keysSetBy(axis, values, sweep)]] as const,
    );
    return axes.flatMap(([axis, keys], index) =>
      axes.slice(0, index).flatMap(([earlier, others]): Finding[] => {
        const both = keys.find((key) => others.some((other) => overlap(key, other)));
        if (both === undefined || axis === earlier) return [];
        const [variants, other] = sweep.variants.has(axis) ? [axis, earlier] : [earlier, axis];
        const what = sweep.variants.has(other) ? `variants of ${other}` : `the axis ${other}`;
        const message =
          `variants of ${variants} and ${what} both set ${both}; remove it from one of them, or name in ` +
          `${grid.root.length === 0 ? 'grid' : formatPath(grid.root)} only variants that do not set it`;
        return [{ path: pathOf(grid, other), part: 'key', message }];
      }),
    );
  });
}

/** Whether two dotted names are the same, or one is a group with the other. */
const overlap = (a: string, b: string): boolean => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);

function excludeFindings(sweep: SweepFile, grids: readonly Grid[]): Finding[] {
  const all: Axes[] = grids.map(axesOfGrid);
  const axes = new Set(all.flatMap((own) => Object.keys(own)));
  const set = all.flatMap((own) =>
    Object.entries(own).flatMap(([axis, values]) => [...keysSetBy(axis, values, sweep)]),
  );
  const differing = new Set([...axes, ...set]);
  const known = [...axes].sort(compareKeys).join(', ');
  return sweep.exclude.flatMap((entry, index): Finding[] => {
    const path = ['exclude', index];
    if (Object.keys(entry).length === 0) {
      return [{ path, part: 'value', message: 'an empty entry of exclude matches every cell; name the keys to match' }];
    }
    return Object.keys(entry)
      .filter((key) => !differing.has(key))
      .map((key) => {
        const message = `"${key}" is no axis of this sweep, so no cell differs by it (its axes are ${known || 'none'})`;
        return { path: [...path, key], part: 'key', message };
      });
  });
}
