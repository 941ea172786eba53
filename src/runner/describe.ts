/**
 * Short names of stages for people, made from the cells that share them. Not identities: two stages may bear one name
 * where they differ in something that no axis of the sweep says.
 */
import { inOneLine } from '../common/printable.js';
import { axisNames, axisValue } from '../spec/axes.js';
import type { Cell, Plan, Stage } from '../spec/stages.js';

/**
 * A short name such as `pretrain masked+zoomed-in seed 0` or `finetune masked pretrain.epochs=50 seed 1`.
 *
 * Only axes that vary in the sweep are shown, and of those only the ones that this stage depends on. Where several
 * cells share the stage, the shortest name stands for all: `pretrain masked seed 0 (+1 more)`.
 */
export function describeStage(plan: Plan, stage: Stage): string {
  let names = known.get(plan);
  if (names === undefined) known.set(plan, (names = nameStages(plan)));
  return names.get(stage.id) ?? `${stage.config.kind} ${stage.id}`;
}

/** Naming looks at every cell of the plan, and events name a stage many times. */
const known = new WeakMap<Plan, ReadonlyMap<string, string>>();

function nameStages(plan: Plan): Map<string, string> {
  const axes = varyingAxes(plan.jobs.flatMap((job) => job.cells));
  const cellsOf = new Map<string, Cell[]>();
  for (const { pretrain, evaluations, cells } of plan.jobs) {
    for (const id of [pretrain, ...Object.values(evaluations)]) {
      if (id !== null) cellsOf.set(id, [...(cellsOf.get(id) ?? []), ...cells]);
    }
  }
  return new Map(
    plan.stages.map(({ id, config }) => [id, `${config.kind} ${nameCells(cellsOf.get(id) ?? [], axes) ?? id}`]),
  );
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
