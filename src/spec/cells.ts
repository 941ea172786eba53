/**
 * What a job's objective and its three axes mean together: a task, no pre-training, or a contradiction. Numbers that
 * the spec leaves to `auto` are decided here. Sizes that do not fit the image are found in `jobs.ts`.
 */
import { unreachable } from '../common/errors.js';
import { MASKED_RATIO, parseObjective } from './objective.js';
import type { DegradationSpec, JobSpec } from './schema.js';
import type { Cell } from './stages.js';
import type { Geometry, Misalignment, Style, StyleKind, Task } from './task.js';

/** The three parts of a degradation by name, strengths aside. */
export interface Triple {
  maskRatio: number;
  misalignment: Misalignment;
  style: StyleKind;
}

/** The axes as a job writes them; undefined: left to the objective. */
export type TripleAxes = Pick<JobSpec, 'maskRatio' | 'misalignment' | 'stylePreservation'>;

export interface Contradiction {
  kind: 'contradiction';
  reason: string;
}
export type Resolution = { kind: 'scratch' } | { kind: 'task'; task: Task } | Contradiction;

/**
 * Lets the axes fill what the objective leaves neutral.
 *
 * - `maskRatio`: the axis wins, save that `masked` at 0 contradicts itself.
 * - `misalignment`, `stylePreservation`: the axis fills a neutral part; the same value twice is fine; anything else is
 *   a contradiction. Style `true` is preserved; `false` is the objective's own change, decolorized if it has none.
 *
 * @param objective One of `OBJECTIVES`, in any spelling; `jobSchema` has refused all others.
 */
export function resolveTriple(
  objective: string,
  axes: TripleAxes,
): { kind: 'scratch' } | ({ kind: 'triple' } & Triple) | Contradiction {
  const preset = parseObjective(objective);
  if (preset.kind === 'invalid') throw new Error(preset.reason);
  if (preset.kind === 'scratch') return preset;
  const contradiction = (reason: string): Contradiction => ({
    kind: 'contradiction',
    reason: `${objective}: ${reason}`,
  });

  if (preset.masked && axes.maskRatio === 0) return contradiction('masked removes tokens, maskRatio 0 removes none');
  const maskRatio = axes.maskRatio ?? (preset.masked ? MASKED_RATIO : 0);

  const misalignment = axes.misalignment ?? preset.misalignment ?? 'none';
  if (preset.misalignment !== undefined && misalignment !== preset.misalignment) {
    return contradiction(`the objective is ${preset.misalignment}, misalignment is ${misalignment}`);
  }

  const style = styleOf(axes.stylePreservation, preset.style);
  if (preset.style !== undefined && style !== preset.style) {
    return contradiction(`the objective is ${preset.style}, stylePreservation is ${String(axes.stylePreservation)}`);
  }
  return { kind: 'triple', maskRatio, misalignment, style };
}

function styleOf(axis: TripleAxes['stylePreservation'], own: StyleKind | undefined): StyleKind {
  switch (axis) {
    case undefined:
      return own ?? 'preserved';
    case true:
      return 'preserved';
    case false:
      return own ?? 'decolorized';
    default:
      return axis;
  }
}

/**
 * The task of a job, with only those strengths that matter to it.
 *
 * @param patchSize Side of the model's patches in pixels; an `auto` blur kernel scales with it.
 */
export function resolveTask(job: JobSpec, patchSize: number): Resolution {
  const triple = resolveTriple(job.objective, job);
  if (triple.kind !== 'triple') return triple;
  return {
    kind: 'task',
    task: {
      maskRatio: triple.maskRatio,
      geometry: geometryOf(triple, job.degradation),
      style: blurOrGrey(triple.style, job.degradation, patchSize),
      target: job.pretrain.target,
    },
  };
}

function geometryOf({ maskRatio, misalignment }: Triple, strengths: DegradationSpec): Geometry {
  switch (misalignment) {
    case 'none':
      return { kind: 'none' };
    case 'zoomed-in':
      return zoomedIn(maskRatio > 0, strengths.zoomedIn);
    case 'zoomed-out':
      return { kind: 'zoomed-out', fraction: strengths.zoomedOut.fraction };
    case 'distorted':
      return { kind: 'distorted', strength: strengths.distorted.strength, centre: strengths.distorted.centre };
    default:
      return unreachable(misalignment);
  }
}

/** PAPER.md §5: 160/224 without a mask, 224/288 with one; §4.2 and §4.3 for the losses. */
function zoomedIn(masked: boolean, { fraction, loss, ...weights }: DegradationSpec['zoomedIn']): Geometry {
  const shown = fraction === 'auto' ? (masked ? 224 / 288 : 160 / 224) : fraction;
  if (loss === 'field' || (loss === 'auto' && !masked)) return { kind: 'zoomed-in', fraction: shown, loss: 'field' };
  return { kind: 'zoomed-in', fraction: shown, loss: 'centre-border', ...weights };
}

function blurOrGrey(style: StyleKind, { blurred, decolorized }: DegradationSpec, patchSize: number): Style {
  switch (style) {
    case 'preserved':
      return { kind: 'preserved' };
    case 'blurred': {
      const { kernelSize, ...rest } = blurred;
      return { kind: 'blurred', kernelSize: kernelSize === 'auto' ? blurKernelSize(patchSize) : kernelSize, ...rest };
    }
    case 'decolorized':
      return decolorize(decolorized);
    default:
      return unreachable(style);
  }
}

function decolorize({ variant, saturation, normalizeMix }: DegradationSpec['decolorized']): Style {
  switch (variant) {
    case 'luminance':
      return { kind: 'decolorized', variant };
    case 'saturation':
      return { kind: 'decolorized', variant, saturation };
    case 'random-mix':
      return { kind: 'decolorized', variant, normalizeMix };
    default:
      return unreachable(variant);
  }
}

/** Side of the blur kernel: 7 at patch 16, in proportion otherwise, odd and at least 3 (PAPER.md §13: 3 at patch 4). */
export function blurKernelSize(patchSize: number): number {
  return Math.max(3, 2 * Math.floor((7 * patchSize) / 32) + 1);
}

/** A cell in words: `masked, maskRatio 0.75, seed 0, pretrain.epochs 5`. */
export function describeCell({ objective, overrides, ...cell }: Cell): string {
  const named = ['maskRatio', 'misalignment', 'stylePreservation', 'seed'] as const;
  const parts = named.flatMap((key) => (cell[key] === null ? [] : [`${key} ${String(cell[key])}`]));
  const others = Object.entries(overrides).map(([key, value]) => `${key} ${plain(value)}`);
  return [objective, ...parts, ...others].join(', ');
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
