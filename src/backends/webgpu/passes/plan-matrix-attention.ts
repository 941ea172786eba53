/** Whether matrix units can do attention of some sizes, and how its work and its workgroup memory are laid out. */
import type { AttentionSizes } from './attention.js';
import { SIDE, type MatrixUnits } from './matrix-units.js';

/** Float16 in a vec4<u32>. */
export const PACK = 8;
export const SUBGROUPS = 4;

/** How the work is cut: matrices of tokens that a workgroup owns, and what it needs for that. */
export interface MatrixAttentionPlan {
  readonly owned: 1 | 2;
  readonly threads: number;
  readonly groups: readonly [number, number, number];
}

/**
 * @param workgroupBytes What the device has.
 * @returns null where matrix units cannot do it: heads of no whole number of matrices, fewer than 16 tokens, or more of
 * them than workgroup memory has room for.
 */
export function planMatrixAttention(
  units: MatrixUnits,
  sizes: AttentionSizes,
  workgroupBytes: number,
): MatrixAttentionPlan | null {
  const { batch, tokens, heads, size } = sizes;
  if (size % SIDE !== 0 || tokens < SIDE) return null;
  const threads = units.lanes * SUBGROUPS;
  const owned = ([2, 1] as const).find((owned) => bytesOf(sizes, owned, threads) <= workgroupBytes);
  if (owned === undefined) return null;
  return { owned, threads, groups: [Math.ceil(matricesOf(sizes) / owned), heads, batch] };
}

export const matricesOf = ({ tokens }: AttentionSizes): number => Math.ceil(tokens / SIDE);

/** Vectors from row to row: one more, lest rows that are read together meet in one bank. */
export const scoreStride = (sizes: AttentionSizes): number => Math.max(SIDE * matricesOf(sizes), sizes.size) / 4 + 1;
export const weightStride = (sizes: AttentionSizes): number => (SIDE * matricesOf(sizes)) / PACK + 1;

function bytesOf(sizes: AttentionSizes, owned: number, threads: number): number {
  const statistics = 2 * SIDE * matricesOf(sizes);
  return 16 * owned * SIDE * (scoreStride(sizes) + weightStride(sizes)) + 4 * (threads + statistics);
}
