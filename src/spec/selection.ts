/**
 * `select` in a sweep → for each cell, the jobs of every candidate: its trials, which measure on the validation images,
 * and its runs on the reported seeds. Which runs are needed is known only when the trials are done (`src/decide`).
 */
import { canonicalJson } from '../common/canonical.js';
import { groupBy } from '../common/group-by.js';
import { candidatesOf, valuesOf, type Candidate } from './candidates.js';
import type { Path } from '../common/tree.js';
import { EVALUATION_ENTRIES, type Evaluation } from '../stages/index.js';
import { metricsOf, missingKeyOf } from '../stages/metrics.js';
import { describeCell } from './cells.js';
import { entriesOf, type ResolvedEvaluation } from './entries.js';
import { nameOf, type EntrySpec } from './evaluate-schema.js';
import { coordinateOf } from './expand.js';
import type { ExpandedGrid } from './resolve.js';
import type { Finding } from './issues.js';
import { stageConfigs, type JobUse } from './jobs.js';
import { show } from './problems.js';
import { resolvePoint, type Point, type ResolvedCell } from './resolve.js';
import type { JobSpec } from './schema.js';
import type { SelectSpec } from './select-schema.js';
import type { Cell } from './stages.js';
import { didYouMean } from './suggest.js';

/** A candidate in a cell. */
export interface CandidateRuns {
  values: Record<string, unknown>;
  /** One for each seed of the selection; each has only the evaluation by which is chosen. */
  trials: ResolvedCell[];
  /** One for each reported seed. */
  runs: ResolvedCell[];
}

/** The choice for one cell, for all of its reported seeds together. */
export interface CellSelection {
  /** Of the first reported seed. */
  cell: Cell;
  candidates: CandidateRuns[];
}

/** The selection of a sweep. */
export interface SweepSelection {
  spec: SelectSpec;
  /** Candidates for each cell, before those that are the same work in a cell are merged. */
  planned: number;
  cells: CellSelection[];
}

export interface SelectionInput {
  select: SelectSpec;
  cells: readonly ResolvedCell[];
  grids: readonly ExpandedGrid[];
  /** The defaults of `job`. */
  job: Record<string, unknown>;
}

/** Expands a selection, or finds why it cannot be. */
export function resolveSelection(input: SelectionInput): { selection: SweepSelection; findings: Finding[] } {
  const { select, cells } = input;
  const findings = [...keyFindings(input), ...seedFindings(select, cells), ...jobFindings(select, cells)];
  const candidates = candidatesOf(select);
  const selection: SweepSelection = { spec: select, planned: candidates.length, cells: [] };
  if (findings.length > 0) return { selection, findings };

  const found = new Map<string, Finding>();
  for (const own of groupBy(cells, ({ cell }) => canonicalJson({ ...cell, seed: null })).values()) {
    const resolved = candidates.map((candidate) => resolveCandidate(candidate, own, input));
    for (const finding of resolved.flatMap((each) => each.findings)) {
      found.set(canonicalJson([finding.path, finding.message]), finding);
    }
    selection.cells.push({ cell: own[0]!.cell, candidates: resolved.map(({ runs }) => runs) });
  }
  if (found.size > 0) return { selection, findings: [...found.values()] };
  return { selection, findings: effectFindings(input, candidates) };
}

// --- the jobs of a candidate -----------------------------------------------------------------------------------------

function resolveCandidate(
  candidate: Candidate,
  cells: readonly ResolvedCell[],
  input: SelectionInput,
): { runs: CandidateRuns; findings: Finding[] } {
  const { select } = input;
  const values = valuesOf(candidate);
  const findings: Finding[] = [];
  const resolve = (cell: Cell, point: Point, use: JobUse): ResolvedCell[] => {
    const whole = [...point, ...candidate];
    const outcome = resolvePoint(whole, input.job);
    const named: Cell = { ...cell, overrides: { ...cell.overrides, ...values } };
    if ('job' in outcome) {
      const job = use === 'trial' ? trialOf(outcome.job, select) : outcome.job;
      return [{ ...outcome, cell: named, point: whole, job, use }];
    }
    if ('findings' in outcome) findings.push(...outcome.findings);
    else {
      const message = `${outcome.reason} (in the cell ${describeCell(named)}); remove this value, or the cell`;
      findings.push({ path: candidate[0]!.path, part: 'value', message });
    }
    return [];
  };
  const [{ cell, point }] = cells as [ResolvedCell, ...ResolvedCell[]];
  const trials = select.seeds.flatMap((seed, index) => {
    const seeded = coordinateOf('seed', seed, ['select', 'seeds', index]);
    const others = point.filter(({ key }) => key !== 'seed');
    return resolve({ ...cell, seed }, [...others, seeded], 'trial');
  });
  const use = select.train === 'train' ? 'plain' : 'joined';
  const runs = cells.flatMap((own) => resolve(own.cell, own.point, use));
  return { runs: { values, trials, runs }, findings };
}

/**
 * The job with only the evaluation by which is chosen. It does not measure corrupted images, which are classified 80 times,
 * unless the choice depends on them.
 */
function trialOf(job: JobSpec, { by }: SelectSpec): JobSpec {
  const place = entriesOf(job).findIndex((entry) => measures(entry, by));
  return { ...job, evaluate: job.evaluate.filter((_, index) => index === place).map((entry) => toTrial(entry, by)) };
}

function toTrial(written: Evaluation | EntrySpec, by: string): Evaluation | EntrySpec {
  const entry: EntrySpec = typeof written === 'string' ? { protocol: written } : written;
  const optional = EVALUATION_ENTRIES[entry.protocol].corruptions?.optional;
  const key = keyOf({ name: nameOf(written), protocol: entry.protocol }, by);
  if (optional === undefined || key === undefined || optional.metrics.includes(key)) return written;
  return { ...entry, [optional.key]: optional.off };
}

/** The key of the metric of that name; undefined: the evaluation does not have it. */
const keyOf = ({ name, protocol }: Pick<ResolvedEvaluation, 'name' | 'protocol'>, by: string): string | undefined =>
  metricsOf(name, protocol).find((metric) => metric.name === by)?.key;

const measures = (entry: ResolvedEvaluation, by: string): boolean => keyOf(entry, by) !== undefined;

/** `finetune.corruptions`, if the metric is not measured without this key of the recipe; null: it is measured. */
function missingFor(entry: ResolvedEvaluation, by: string): string | null {
  const missing = missingKeyOf(entry.protocol, keyOf(entry, by) ?? '', entry.recipe);
  return missing === null ? null : `${entry.protocol}.${missing}`;
}

// --- checks ----------------------------------------------------------------------------------------------------------

function keyFindings({ select, grids }: SelectionInput): Finding[] {
  const { over, trials } = select;
  const keys = Object.keys(over);
  const axes = new Set(grids.flatMap(({ tracks }) => tracks.flatMap((track) => track[0]!.map(({ key }) => key))));
  const at = (key: string): Path => ['select', 'over', key];
  const single = keys.length > 0 && candidatesOf(select).length < 2;
  return [
    ...(keys.length === 0
      ? [{ path: ['select', 'over'], part: 'value' as const, message: 'select.over names no key to choose' }]
      : []),
    ...(single
      ? [
          {
            path: ['select', 'over'],
            part: 'key' as const,
            message: 'select.over gives one candidate; give at least two',
          },
        ]
      : []),
    ...keys.flatMap((key): Finding[] => {
      const choices = over[key]!;
      const findings: Finding[] = [];
      if (axes.has(key)) {
        const message = `"${key}" is an axis of this sweep, so it is not chosen; remove it from select.over or from the axes`;
        findings.push({ path: at(key), part: 'key', message });
      }
      const isList = choices.kind === 'list' || (choices.whole && choices.scale === 'linear');
      if (!isList && trials === undefined) {
        const message = `${key} is an interval, from which values are only drawn; set select.trials, or list the values`;
        findings.push({ path: at(key), part: 'value', message });
      }
      return findings;
    }),
  ];
}

function seedFindings({ seeds }: SelectSpec, cells: readonly ResolvedCell[]): Finding[] {
  const reported = new Set(cells.map(({ cell }) => cell.seed));
  return seeds.flatMap((seed, index): Finding[] =>
    reported.has(seed)
      ? [
          {
            path: ['select', 'seeds', index],
            part: 'value',
            message:
              `seed ${seed} is a reported seed too, so its results would favour the values chosen on it; choose other ` +
              'seeds, such as 100 and 101',
          },
        ]
      : [],
  );
}

function jobFindings(select: SelectSpec, cells: readonly ResolvedCell[]): Finding[] {
  const findings: Finding[] = [];
  const entries = cells.map(({ job }) => entriesOf(job));
  const compared = entries.map((own) => own.find((entry) => measures(entry, select.by)));
  const lacking = compared.map((entry) => entry && missingFor(entry, select.by)).find((key) => key != null);
  if (compared.includes(undefined)) {
    const without = entries[compared.indexOf(undefined)]!;
    const names = without.flatMap(({ name, protocol }) => metricsOf(name, protocol).map((metric) => metric.name));
    const message =
      `select.by: ${show(select.by)} is no metric of every cell${didYouMean(select.by, names)} ` +
      `(the metrics are ${names.join(', ') || 'none'})`;
    findings.push({ path: ['select', 'by'], part: 'value', message });
  } else if (lacking !== undefined) {
    const message = `select.by: ${select.by} is only measured with ${lacking}; set it, or choose by another metric`;
    findings.push({ path: ['select', 'by'], part: 'value', message });
  } else if (compared.some((entry) => entry!.data.validation === undefined)) {
    const message = `select needs validation images in the data of ${select.by}; set job.data.validation, for instance to 0.1`;
    findings.push({ path: ['select'], part: 'key', message });
  }
  const onTheWay = entries.some((own) =>
    own.some(({ recipe }) => 'evaluateEvery' in recipe && recipe.evaluateEvery !== undefined),
  );
  if (onTheWay && select.train === 'train+validation') {
    const message =
      'finetune.evaluateEvery would measure on the test set, since cells with their chosen values are trained on the ' +
      'validation images too; unset it, or set select.train: train';
    findings.push({ path: ['job', 'finetune', 'evaluateEvery'], part: 'value', message });
  }
  return findings;
}

/** Keys that change no trial of any cell: nothing can be chosen by them. */
function effectFindings({ select, cells, job }: SelectionInput, candidates: readonly Candidate[]): Finding[] {
  const textOf = (point: Point): string => {
    const outcome = resolvePoint(point, job);
    if (!('job' in outcome)) return '';
    return canonicalJson(stageConfigs({ ...outcome, job: trialOf(outcome.job, select), use: 'trial' }));
  };
  const hasEffect = (key: string): boolean =>
    cells.some(({ point }) =>
      candidates.some((candidate) => {
        const first = candidates[0]!.find((coordinate) => coordinate.key === key)!;
        const other = candidate.map((coordinate) => (coordinate.key === key ? first : coordinate));
        return textOf([...point, ...candidate]) !== textOf([...point, ...other]);
      }),
    );
  return Object.keys(select.over).flatMap((key): Finding[] => {
    if (hasEffect(key)) return [];
    const message = `${key} has no effect on ${select.by} in any cell, so nothing can be chosen; remove it, or correct select.by`;
    return [{ path: ['select', 'over', key], part: 'key', message }];
  });
}
