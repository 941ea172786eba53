/** Which stage of a results folder a command is about: by its identity, or by the cell. */
import { UsageError } from '../common/errors.js';
import { axisValue } from '../spec/axes.js';
import { describeStage } from '../spec/describe.js';
import { stageIds, type Plan, type Stage, type StageKind } from '../spec/stages.js';
import { leavesCheckpoint } from '../stages/index.js';
import { STAGE_ID } from '../store/layout.js';

export interface StageChoice {
  /** The identity, or its first digits. */
  stage?: string;
  /** Values of axes: `objective=masked,seed=0`. */
  cell?: string;
  /** The kind of stage of the cell; by default the last one with a checkpoint. */
  kind?: StageKind;
}

/** Stages that a message lists. */
const LISTED = 10;

/**
 * Finds the stage, which writes a checkpoint.
 *
 * @throws UsageError if none or several match. The message lists the possible ones.
 */
export function chooseStage(plan: Plan, { stage, cell, kind }: StageChoice): Stage {
  const usable = plan.stages.filter(({ config }) => leavesCheckpoint(config.kind));
  const candidates = stage !== undefined ? byIdentity(usable, stage) : byCell(plan, usable, cell ?? '', kind);
  const [first] = candidates;
  if (first !== undefined && candidates.length === 1) return first;
  const asked = stage !== undefined ? `--stage ${stage}` : cell === undefined ? 'the folder' : `--cell ${cell}`;
  const shown = (candidates.length === 0 ? usable : candidates).slice(0, LISTED);
  throw new UsageError(
    `${asked} ${candidates.length === 0 ? 'matches no stage with a checkpoint' : `has ${candidates.length} stages with a checkpoint`}; ` +
      `name one by --stage:\n${shown.map((each) => `  ${each.id}  ${describeStage(plan, each)}`).join('\n')}`,
  );
}

function byIdentity(stages: readonly Stage[], id: string): Stage[] {
  if (!STAGE_ID.test(id) && !/^[0-9a-f]{4,15}$/.test(id)) {
    throw new UsageError(
      `"${id}" is not the identity of a stage; give its 16 hexadecimal digits, or the first 4 or more`,
    );
  }
  return stages.filter((each) => each.id.startsWith(id));
}

function byCell(plan: Plan, stages: readonly Stage[], text: string, kind: StageKind | undefined): Stage[] {
  const wanted = text === '' ? [] : text.split(',').map(parseValue);
  const jobs = plan.jobs.filter(({ cells }) =>
    cells.some((cell) => wanted.every(([key, value]) => axisValue(cell, key) === value)),
  );
  const found = jobs.flatMap((job) => {
    const ids = stageIds(job);
    const own = stages.filter(({ id, config }) => ids.includes(id) && (kind === undefined || config.kind === kind));
    return own.slice(-1);
  });
  return [...new Set(found)];
}

function parseValue(text: string): [key: string, value: string] {
  const [key, ...rest] = text.split('=');
  if (key === undefined || key.trim() === '' || rest.length === 0) {
    throw new UsageError(`"${text}" is no value of an axis; write --cell objective=masked,seed=0`);
  }
  return [key.trim(), rest.join('=').trim()];
}
