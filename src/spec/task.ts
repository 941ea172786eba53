/**
 * A pre-training task: recover the clean image from one that is degraded in three independent parts. It consists of the
 * resolved numbers that `src/objectives` applies; `cells.ts` resolves them from a spec. The kinds of each part are the
 * registries of `src/task`. (DESIGN.md §1, PAPER.md §3–4)
 */
import type { GeometryEntry, MaskEntry, StyleEntry, TargetEntry } from '../task/entry.js';
import { GEOMETRIES } from '../task/geometries/index.js';
import { MASKS } from '../task/masks/index.js';
import { namesOf } from '../common/registry.js';
import { STYLES } from '../task/styles/index.js';
import { TARGETS } from '../task/targets/index.js';

type Resolved<Entries extends Record<string, { resolve: (...given: never) => unknown }>> = ReturnType<
  Entries[keyof Entries]['resolve']
>;

/** How the input grid is moved relative to the target grid. */
export type Geometry = Resolved<typeof GEOMETRIES>;
/** How the input's pixels are changed. */
export type Style = Resolved<typeof STYLES>;
/** Which tokens are removed. */
export type Mask = Resolved<typeof MASKS>;

export type Misalignment = keyof typeof GEOMETRIES;
export type StyleKind = keyof typeof STYLES;
export type MaskKind = keyof typeof MASKS;
/** The prediction target of each token. */
export type PretrainTarget = keyof typeof TARGETS;

export const MISALIGNMENTS = namesOf(GEOMETRIES);
export const STYLE_KINDS = namesOf(STYLES);
export const MASK_KINDS = namesOf(MASKS);
export const PRETRAIN_TARGETS = namesOf(TARGETS);

/** The kinds that change nothing. */
export const NO_MISALIGNMENT = 'none' satisfies Misalignment;
export const NO_STYLE_CHANGE = 'preserved' satisfies StyleKind;

/** What pre-training recovers, and from what. */
export interface Task {
  /** Fraction of the input tokens removed, in [0, 1). */
  maskRatio: number;
  /**
   * Absent for {@link DEFAULT_MASK}, so that stages keep the identities that they had before there were several masks.
   */
  mask?: Mask;
  geometry: Geometry;
  style: Style;
  target: PretrainTarget;
}

export const DEFAULT_MASK = { kind: 'random' } as const satisfies Mask;

export const isDefaultMask = ({ kind }: { kind: string }): boolean => kind === DEFAULT_MASK.kind;

export const maskOf = ({ mask }: Pick<Task, 'mask'>): Mask => mask ?? DEFAULT_MASK;

// The methods of an entry accept only its own numbers; these functions pair each task's numbers with their entry.
export const geometryEntry = ({ kind }: Geometry): GeometryEntry => GEOMETRIES[kind];
export const styleEntry = ({ kind }: Style): StyleEntry => STYLES[kind];
export const maskEntry = ({ kind }: Mask): MaskEntry => MASKS[kind];
export const targetEntry = (target: PretrainTarget): TargetEntry => TARGETS[target];

/** Number of values of a predicted token: the width of the decoder's output. */
export const targetWidth = (target: PretrainTarget, patchSize: number): number => targetEntry(target).width(patchSize);

/**
 * Whether the loss counts only removed tokens. If the visible tokens are degraded too, their recovery is part of the
 * task, and all tokens count (DESIGN.md §1).
 */
export function countsRemovedTokensOnly({ maskRatio, geometry, style }: Task): boolean {
  return maskRatio > 0 && geometryEntry(geometry).countsRemovedTokensOnly(geometry) && style.kind === NO_STYLE_CHANGE;
}
