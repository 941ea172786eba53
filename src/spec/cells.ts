/**
 * Combines a job's objective with its three axes: the result is a task, no pre-training, or a contradiction. The
 * registries of `src/task` resolve strengths. `resolve-job.ts` checks the sizes against the image.
 */
import type { z } from 'zod';
import { inOneLine } from '../common/printable.js';
import type { DegradationEntry, ResolveContext } from '../task/entry.js';
import { GEOMETRIES } from '../task/geometries/index.js';
import { MASKS } from '../task/masks/index.js';
import { strengthsIn } from '../task/strengths.js';
import { STYLES } from '../task/styles/index.js';
import { MASKED_RATIO, parseObjective } from './objective.js';
import type { DegradationSpec, JobSpec } from './schema.js';
import type { Cell } from './stages.js';
import {
  isDefaultMask,
  NO_MISALIGNMENT,
  NO_STYLE_CHANGE,
  type Geometry,
  type Mask,
  type Misalignment,
  type Style,
  type StyleKind,
  type Task,
} from './task.js';

/** The three parts of a degradation by name, without strengths. */
export interface Triple {
  maskRatio: number;
  misalignment: Misalignment;
  style: StyleKind;
}

/** The axes as written in a job; undefined: the objective decides. */
export type TripleAxes = Pick<JobSpec, 'maskRatio' | 'misalignment' | 'stylePreservation'>;

export interface Contradiction {
  kind: 'contradiction';
  reason: string;
}
export type ResolvedTask = { kind: 'scratch' } | { kind: 'pretrained' } | { kind: 'task'; task: Task } | Contradiction;

/**
 * Combines the objective with the axes, which set the parts that the objective leaves neutral.
 *
 * - `maskRatio`: the axis takes precedence, except that `masked` with 0 is a contradiction.
 * - `misalignment`, `stylePreservation`: the axis sets a neutral part, or repeats the objective's value; any other
 *   value is a contradiction. Style `true` is preserved; `false` is the objective's own change, decolorized if it has
 *   none.
 *
 * @param objective One of `OBJECTIVES`, in any spelling; `jobSchema` has rejected all others.
 */
export function resolveTriple(
  objective: string,
  axes: TripleAxes,
): { kind: 'scratch' } | { kind: 'pretrained' } | ({ kind: 'triple' } & Triple) | Contradiction {
  const preset = parseObjective(objective);
  if (preset.kind === 'invalid') throw new Error(preset.reason);
  if (preset.kind !== 'preset') return preset;
  const contradiction = (reason: string): Contradiction => ({
    kind: 'contradiction',
    reason: `${objective}: ${reason}`,
  });

  if (preset.masked && axes.maskRatio === 0) return contradiction('masked removes tokens, maskRatio 0 removes none');
  const maskRatio = axes.maskRatio ?? (preset.masked ? MASKED_RATIO : 0);

  const misalignment = axes.misalignment ?? preset.misalignment ?? NO_MISALIGNMENT;
  if (preset.misalignment !== undefined && misalignment !== preset.misalignment) {
    return contradiction(`the objective is ${preset.misalignment}, misalignment is ${misalignment}`);
  }

  const style = styleOf(axes.stylePreservation, preset.style);
  if (preset.style !== undefined && style !== preset.style) {
    return contradiction(`the objective is ${preset.style}, stylePreservation is ${String(axes.stylePreservation)}`);
  }
  return { kind: 'triple', maskRatio, misalignment, style };
}

/** The meaning of `stylePreservation: false` if the objective has no style change of its own. */
const STYLE_CHANGE = 'decolorized' satisfies StyleKind;

function styleOf(axis: TripleAxes['stylePreservation'], own: StyleKind | undefined): StyleKind {
  switch (axis) {
    case undefined:
      return own ?? NO_STYLE_CHANGE;
    case true:
      return NO_STYLE_CHANGE;
    case false:
      return own ?? STYLE_CHANGE;
    default:
      return axis;
  }
}

/**
 * The task of a job, with only those strengths that affect it.
 *
 * @param patchSize Side of the model's patches in pixels; `auto` strengths may scale with it.
 */
export function resolveTask(job: JobSpec, patchSize: number): ResolvedTask {
  const triple = resolveTriple(job.objective, job);
  if (triple.kind !== 'triple') return triple;
  const { maskRatio, misalignment, style } = triple;
  const context = { masked: maskRatio > 0, patchSize };
  const mask = resolve<Mask>(MASKS[job.degradation.mask], job.degradation, context);
  return {
    kind: 'task',
    task: {
      maskRatio,
      ...(maskRatio > 0 && !isDefaultMask(mask) && { mask }),
      geometry: resolve<Geometry>(GEOMETRIES[misalignment], job.degradation, context),
      style: resolve<Style>(STYLES[style], job.degradation, context),
      target: job.pretrain.target,
    },
  };
}

/** The numbers of an entry in a task, from its strengths in the spec. */
function resolve<Resolved extends { kind: string }>(
  entry: DegradationEntry<string, z.ZodObject, Resolved>,
  degradation: DegradationSpec,
  context: ResolveContext,
): Resolved {
  return entry.resolve(strengthsIn(entry.name, degradation), context);
}

/** A cell in words: `masked, maskRatio 0.75, seed 0, pretrain.epochs 5`. */
export const describeCell = (cell: Cell): string => describe(cell, [...PARTS, 'seed']);

/** All seeds of a cell in words: `masked, maskRatio 0.75, pretrain.epochs 5`. */
export const describeCellWithoutSeed = (cell: Cell): string => describe(cell, PARTS);

const PARTS = ['maskRatio', 'misalignment', 'stylePreservation'] as const;

function describe(
  { objective, overrides, ...cell }: Cell,
  named: readonly ((typeof PARTS)[number] | 'seed')[],
): string {
  const parts = named.flatMap((key) => (cell[key] === null ? [] : [`${key} ${String(cell[key])}`]));
  const others = Object.entries(overrides).map(([key, value]) => `${key} ${plain(value)}`);
  return inOneLine([objective, ...parts, ...others].join(', '));
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
