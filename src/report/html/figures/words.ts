/** Texts that several figures share. */
import type { Evaluation } from '../../../spec/schema.js';

export const BARS = 'Error bars: one sample standard deviation over seeds, where there are several.';
export const DASHED = 'Dashed: from scratch in the same setting.';

/** `Top-1 (%), finetune`. */
export const accuracyTitle = (metric: Evaluation): string => `Top-1 (%), ${metric}`;

/** What is shown and where, without the empty parts. */
export const titled = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');
