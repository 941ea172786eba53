/**
 * Short names of stages for people, made from the cells that share them. Not identities: two stages may have one name
 * if they differ in something that is no axis of the sweep.
 */
import { addTo } from '../common/group-by.js';
import { inOneLine } from '../common/printable.js';
import { axisNames, axisValue } from './axes.js';
import { entryNames, stageIds, type Cell, type Plan, type Stage, type StageKind } from './stages.js';

/** A stage as events name it. */
export interface StageRef {
  id: string;
  kind: StageKind;
  /** `pretrain`, or the name of the evaluation in `evaluate`. */
  entry: string;
  /** Readable, and unique enough for people: `pretrain masked+zoomed-in seed 0`. */
  name: string;
}

/**
 * A short name such as `pretrain masked+zoomed-in seed 0` or `finetune masked pretrain.epochs=50 seed 1`.
 *
 * Shows only the axes that vary in the sweep and that this stage depends on. If several
 * cells share the stage, the shortest name stands for all: `pretrain masked seed 0 (+1 more)`. Evaluations have their
 * names in `evaluate`, and repeats their number: `ten-shot masked seed 0 repeat 2`.
 */
export function describeStage(plan: Plan, stage: Stage): string {
  let names = known.get(plan);
  if (names === undefined) known.set(plan, (names = nameStages(plan)));
  return names.get(stage.id) ?? `${stage.config.kind} ${stage.id}`;
}

/** A stage of a plan, as events name it. */
export function referTo(plan: Plan, stage: Stage): StageRef {
  let entries = knownEntries.get(plan);
  if (entries === undefined) knownEntries.set(plan, (entries = entryNames(plan)));
  const { kind } = stage.config;
  return { id: stage.id, kind, entry: entries.get(stage.id) ?? kind, name: describeStage(plan, stage) };
}

/** Naming looks at every cell of the plan, and events name a stage many times. */
const known = new WeakMap<Plan, ReadonlyMap<string, string>>();
const knownEntries = new WeakMap<Plan, ReadonlyMap<string, string>>();

function nameStages(plan: Plan): Map<string, string> {
  const axes = varyingAxes(plan.jobs.flatMap((job) => job.cells));
  const cellsOf = new Map<string, Cell[]>();
  for (const job of plan.jobs) {
    for (const id of stageIds(job)) {
      for (const cell of job.cells) addTo(cellsOf, id, cell);
    }
  }
  const entries = entryNames(plan);
  const repeats = repeatNumbers(plan);
  return new Map(
    plan.stages.map(({ id }) => {
      const repeat = repeats.get(id);
      const cells = nameCells(cellsOf.get(id) ?? [], axes) ?? id;
      return [id, `${entries.get(id)!} ${cells}${repeat === undefined ? '' : ` repeat ${repeat}`}`];
    }),
  );
}

/** The number of each stage among its repeats, from 1, for evaluations with several repeats. */
function repeatNumbers({ jobs }: Plan): Map<string, number> {
  const ids = jobs.flatMap(({ evaluations }) => Object.values(evaluations)).filter((own) => typeof own !== 'string');
  return new Map(ids.flatMap((own) => own.map((id, index) => [id, index + 1] as const)));
}

/** The axes besides the objective that have more than one value, the seed last. */
function varyingAxes(cells: readonly Cell[]): string[] {
  return axisNames(cells).filter((axis) => cells.some((cell) => axisValue(cell, axis) !== axisValue(cells[0]!, axis)));
}

function nameCells(cells: readonly Cell[], axes: readonly string[]): string | undefined {
  // An axis on which the cells of one objective differ does not decide this stage: naming one of its values would mislead.
  const firsts = new Map([...cells].reverse().map((cell) => [cell.objective, cell]));
  const decisive = axes.filter((axis) =>
    cells.every((cell) => axisValue(cell, axis) === axisValue(firsts.get(cell.objective)!, axis)),
  );
  const names = [...new Set(cells.map((cell) => nameCell(cell, decisive)))].sort((a, b) => a.length - b.length);
  const [shortest] = names.slice(0, 1).map(inOneLine);
  return names.length > 1 ? `${shortest!} (+${names.length - 1} more)` : shortest;
}

function nameCell(cell: Cell, axes: readonly string[]): string {
  const parts = axes.flatMap((axis) => {
    const value = axisValue(cell, axis);
    if (value === undefined) return [];
    return [axis === 'seed' ? `seed ${value}` : `${axis}=${value}`];
  });
  return [cell.objective, ...parts].join(' ');
}
