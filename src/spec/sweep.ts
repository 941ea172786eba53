/**
 * Sweep text → validated cells, each with its complete job. Reports every problem that it finds with its location in
 * the file. The content of data sets is not read here; `plan.ts` computes identities.
 */
import { entriesOf } from './entries.js';
import { compareKeys, countPoints, type Grid } from './expand.js';
import { sweepHint } from './hints.js';
import { explainIssues, type Finding } from './issues.js';
import { applyOverrides, parseOverrides, shadowedOverrides, type Override } from './overrides.js';
import { SpecError, formatPath, show, type Location, type Path, type Problem } from './problems.js';
import { resolveCells, type ExpandedGrid, type LeftOutCell, type ResolvedCell } from './resolve.js';
import { NAME, parseSweepFile, sweepSchema, type SweepFile } from './sweep-schema.js';
import { readYaml, type YamlDocument } from './yaml.js';

/** A validated sweep. */
export interface Sweep {
  name: string;
  description?: string;
  /** In canonical order: the main grid first, then each include; without duplicates. */
  cells: ResolvedCell[];
  /** Cells that are contradictions. */
  leftOut: LeftOutCell[];
  source: SweepSource;
}

/** What a sweep was read from; `remarks.ts` finds in it what has no effect. */
export interface SweepSource {
  /** The defaults of `job`, as written. */
  job: Record<string, unknown>;
  grids: ExpandedGrid[];
  /** Indices of the entries of `exclude` that match no cell. */
  idleExcludes: number[];
  /** Options that unset what is not set. */
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
}

/** More cells than this are probably a mistake, and even listing them would take long. */
export const MAX_CELLS = 20_000;

/**
 * Reads a sweep.
 *
 * Without `grid` and `zip`, the sweep consists of its includes, or of the one default job if there are none.
 *
 * @throws SpecError with all problems of the first kind found: syntax; shape, types and ranges; axes; impossible cells.
 */
export function readSweep(text: string, { file, defaultName, sets = [] }: SweepOptions): Sweep {
  const { overrides, problems } = parseOverrides(sets);
  const written = readYaml(text, file);
  const { document, jobKeys, idle } = applyOverrides(written, overrides);
  const locate = (findings: readonly Finding[]): Problem[] => findings.map((finding) => place(finding, document));

  const parsed = parseSweepFile(document.value);
  if (!parsed.success) {
    const findings = explainIssues(sweepSchema, document.value, parsed.error.issues, [], sweepHint);
    throw new SpecError([...problems, ...locate(findings)]);
  }
  const sweep = parsed.data;
  const name = sweep.name ?? defaultName;
  const grids = gridsOf(sweep);
  failOn([
    ...problems,
    ...locate([...nameFindings(name), ...axisFindings(grids), ...excludeFindings(sweep, grids)]),
    ...shadowedOverrides(overrides, grids),
  ]);

  // The place of the data makes no two cells differ, so tables do not show it.
  const set = jobKeys.filter((key) => key !== 'data.path' && key !== 'pretrain.data.path');
  const { cells, leftOut, findings, ...expanded } = resolveCells(sweep, grids, set);
  failOn(locate([...findings, ...entryFindings(cells)]));
  if (cells.length === 0) failOn(locate([emptiness(leftOut)]));
  const withoutSet = overrides.filter(setsJob).flatMap((override) => {
    const others = overrides.filter((other) => other !== override);
    const without = parseSweepFile(applyOverrides(written, others).document.value);
    return without.success ? [{ option: override.location, job: without.data.job }] : [];
  });
  return {
    name,
    ...(sweep.description === undefined ? {} : { description: sweep.description }),
    cells,
    leftOut,
    source: {
      job: sweep.job,
      ...expanded,
      idleSets: idle.map(({ location }) => location),
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

/** Names of evaluations that are of one protocol in some cells and of another one in others. */
function entryFindings(cells: readonly ResolvedCell[]): Finding[] {
  const protocols = new Map<string, Set<string>>();
  for (const { name, protocol } of cells.flatMap(({ job }) => entriesOf(job))) {
    protocols.set(name, (protocols.get(name) ?? new Set()).add(protocol));
  }
  return [...protocols].flatMap(([name, own]): Finding[] => {
    if (own.size === 1) return [];
    const message = `the evaluation ${name} is ${[...own].join(' in some cells and ')} in others; give them two names`;
    return [{ path: ['grid', 'evaluate'], part: 'key', message }];
  });
}

function nameFindings(name: string): Finding[] {
  if (NAME.test(name)) return [];
  const message = `the file's name ${show(name)} cannot name the sweep; add a line such as name: my-sweep`;
  return [{ path: ['name'], part: 'value', message }];
}

// --- axes ------------------------------------------------------------------------------------------------------------

function gridsOf(sweep: SweepFile): Grid[] {
  const main: Grid = { grid: sweep.grid, zip: sweep.zip, root: [] };
  const includes = sweep.include.map((entry, index) => ({ ...entry, root: ['include', index] }));
  const hasMain = Object.keys({ ...sweep.grid, ...sweep.zip }).length > 0;
  return hasMain || includes.length === 0 ? [main, ...includes] : includes;
}

function axisFindings(grids: readonly Grid[]): Finding[] {
  const findings = grids.flatMap(({ grid, zip, root }): Finding[] => {
    const lengths = Object.entries(zip).map(([key, values]) => `${key} ${values.length}`);
    const uneven = new Set(Object.values(zip).map((values) => values.length)).size > 1;
    return [
      ...Object.keys(zip)
        .filter((key) => Object.hasOwn(grid, key))
        .map((key): Finding => {
          const message = `"${key}" is an axis of both the grid and its zip; keep one`;
          return { path: [...root, 'zip', key], part: 'key', message };
        }),
      ...(uneven
        ? [
            {
              path: [...root, 'zip'],
              part: 'key' as const,
              message: `the lists of a zip must be equally long: ${lengths.join(', ')}`,
            },
          ]
        : []),
    ];
  });
  const total = grids.reduce((sum, grid) => sum + countPoints(grid), 0);
  if (findings.length > 0 || total <= MAX_CELLS) return findings;
  const message = `the sweep has ${total} cells before exclude; the most is ${MAX_CELLS}`;
  return [{ path: grids[0]?.root.length === 0 ? ['grid'] : ['include'], part: 'key', message }];
}

function excludeFindings({ exclude }: SweepFile, grids: readonly Grid[]): Finding[] {
  const axes = new Set(grids.flatMap(({ grid, zip }) => [...Object.keys(grid), ...Object.keys(zip)]));
  const known = [...axes].sort(compareKeys).join(', ');
  return exclude.flatMap((entry, index): Finding[] => {
    const path = ['exclude', index];
    if (Object.keys(entry).length === 0) {
      return [{ path, part: 'value', message: 'an empty entry of exclude matches every cell; name the keys to match' }];
    }
    return Object.keys(entry)
      .filter((key) => !axes.has(key))
      .map((key) => {
        const message = `"${key}" is no axis of this sweep, so no cell differs by it (its axes are ${known || 'none'})`;
        return { path: [...path, key], part: 'key', message };
      });
  });
}
