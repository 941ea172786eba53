/** Texts that several figures share. */
import type { Evaluation } from '../../../spec/schema.js';
import { formatNumber } from '../scale.js';

export const BARS = 'Error bars: one sample standard deviation over seeds, where there are several.';
export const DASHED = 'Dashed: from scratch in the same setting.';

/** `Top-1 (%), finetune`. */
export const accuracyTitle = (metric: Evaluation): string => `Top-1 (%), ${metric}`;

/** `45.94 ± 1.20` */
export function withSpread(mean: number, spread: number | null): string {
  return spread === null ? formatNumber(mean, 2) : `${formatNumber(mean, 2)} ± ${formatNumber(spread, 2)}`;
}

/** What is shown and where, without the empty parts. */
export const titled = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');
