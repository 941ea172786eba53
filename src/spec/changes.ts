/** Why a stage is new although an earlier plan has its cell: the keys whose values changed. */
import { canonicalJson } from '../common/canonical.js';
import { addTo } from '../common/group-by.js';
import { isMapping } from '../common/tree.js';
import { describeCell } from './cells.js';
import { entryNames, stageIds, withoutPlaces, type Cell, type Plan, type Stage, type StageConfig } from './stages.js';

/**
 * Compares a plan with those that its results folder holds.
 *
 * @param previous The newest first. It decides if several have the cell.
 * @returns For each stage that no earlier plan has, but whose cell one of them has: `changed: pretrain.epochs 20 → 30`,
 *   with the keys of the spec. Stages of new cells are omitted.
 */
export function changesSince(plan: Plan, previous: readonly Plan[]): Map<string, string> {
  const known = new Set(previous.flatMap(({ stages }) => stages.map(({ id }) => id)));
  const changes = previous.toReversed().flatMap((each) => [...changesBetween(plan, each)]);
  return new Map(changes.filter(([id]) => !known.has(id)));
}

function changesBetween(plan: Plan, previous: Plan): Map<string, string> {
  const before = byId(previous);
  const now = byId(plan);
  const [names, namesBefore] = [entryNames(plan), entryNames(previous)];
  const stagesOfCell = new Map<string, Stage[]>();
  eachStage(previous, (cell, id) => {
    const stage = before.get(id)!;
    const key = keyOf(cell, stage, namesBefore);
    addTo(stagesOfCell, key, stage);
  });
  const changes = new Map<string, string>();
  eachStage(plan, (cell, id) => {
    if (before.has(id) || changes.has(id)) return;
    const stage = now.get(id)!;
    const differences = (stagesOfCell.get(keyOf(cell, stage, names)) ?? [])
      .map((old) => differencesOf(stage, old, now, before))
      .sort((a, b) => a.length - b.length);
    if (differences.length > 0) changes.set(id, summarize(differences[0]!));
  });
  return changes;
}

/** Number of changes that are listed; the rest are counted. */
const MOST_LISTED = 3;

function summarize(differences: readonly string[]): string {
  const listed = differences.slice(0, MOST_LISTED).join(', ');
  const rest = differences.length - MOST_LISTED;
  return `changed: ${listed}${rest > 0 ? ` and ${rest} more` : ''}`;
}

const byId = ({ stages }: Plan): Map<string, Stage> => new Map(stages.map((stage) => [stage.id, stage]));

function eachStage(plan: Plan, visit: (cell: Cell, id: string) => void): void {
  for (const job of plan.jobs) for (const cell of job.cells) for (const id of stageIds(job)) visit(cell, id);
}

/**
 * Cells are the same if their axes are. Other keys that an axis or `--set` varies are compared between the cells.
 * Repeats are compared with the same repeat.
 */
function keyOf(cell: Cell, { id, config }: Stage, names: ReadonlyMap<string, string>): string {
  const repeat = 'repeat' in config ? (config.repeat ?? 0) : 0;
  return `${names.get(id)!} ${repeat} ${describeCell({ ...cell, overrides: {} })}`;
}

/** The keys in which two stages differ, including those of their pre-trainings. */
function differencesOf(
  stage: Stage,
  old: Stage,
  now: ReadonlyMap<string, Stage>,
  before: ReadonlyMap<string, Stage>,
): string[] {
  const differences = compare(named(stage), named(old));
  if (stage.dataFingerprint !== old.dataFingerprint) differences.unshift("the data set's content");
  if (stage.engineRevision !== old.engineRevision) {
    differences.unshift(`vitmim's numerics ${old.engineRevision} → ${stage.engineRevision}`);
  }
  if (stage.parent === old.parent) return differences;
  const [parent, oldParent] = [now.get(stage.parent ?? ''), before.get(old.parent ?? '')];
  const above = parent && oldParent ? differencesOf(parent, oldParent, now, before) : ['its pre-training'];
  return [...new Set([...above, ...differences])];
}

/** A stage's configuration with the names of the keys in a spec. */
function named({ config }: Stage): Record<string, unknown> {
  const { kind, recipe, ...rest } = withoutPlaces(config) as StageConfig;
  return { ...rest, [kind]: recipe };
}

function compare(value: unknown, old: unknown, key = ''): string[] {
  if (isMapping(value) && isMapping(old)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(value)])];
    return keys.flatMap((name) => compare(value[name], old[name], key === '' ? name : `${key}.${name}`));
  }
  if (canonicalJson({ value }) === canonicalJson({ value: old })) return [];
  return [`${key} ${show(old)} → ${show(value)}`];
}

const show = (value: unknown): string => (value === undefined ? 'unset' : JSON.stringify(value));
