/** Hints for the most common mistake in sweep files: a valid key in the wrong section. */
import type { KeyHint } from './issues.js';
import { CELL_KEYS, findKey, jobKeys } from './keys.js';
import { isSelectable } from './select-schema.js';
import { nearest } from './suggest.js';

/**
 * Hints for unknown keys of a sweep file.
 *
 * @param variantAxes The axes of its variants.
 */
export const sweepHint =
  (variantAxes: readonly string[]): KeyHint =>
  (container, key) => {
    if (container.length === 0) return findKey(key) === undefined ? undefined : topLevelHint(key);
    switch (container[0]) {
      case 'job':
        return jobHint([...container.slice(1), key].join('.'), key, 'job');
      case 'variants':
        return jobHint([...container.slice(3), key].join('.'), key, 'a variant');
      case 'select':
        return container[1] === 'over' ? choiceHint(key) : undefined;
      default:
        // A mapping below an axis is a range.
        return findKey(String(container.at(-1))) === undefined ? axisHint(key, variantAxes) : undefined;
    }
  };

function topLevelHint(key: string): string {
  return `write it under job, or as an axis under grid: ${key} is a key of every job`;
}

function jobHint(name: string, key: string, place: string): string | undefined {
  if (!key.includes('.') || findKey(name) === undefined) return undefined;
  const [first, ...rest] = key.split('.');
  return `in ${place}, keys nest: ${first!}: ${rest.map((step) => `{${step}: `).join('')}…${'}'.repeat(rest.length)}`;
}

function choiceHint(key: string): string {
  if (findKey(key) !== undefined && !isSelectable(key)) {
    return 'all candidates of a cell have the same data, objective and seed; choose a key of model, pretrain or an evaluation';
  }
  const suggestion = nearest(key, jobKeys().filter(isSelectable));
  const start = suggestion === undefined ? '' : `did you mean "${suggestion}"? `;
  return `${start}(a key of a job by its dotted name, such as finetune.baseLearningRate)`;
}

function axisHint(key: string, variantAxes: readonly string[]): string {
  const suggestion = nearest(key, [...variantAxes, ...jobKeys()]);
  const start = suggestion === undefined ? '' : `did you mean "${suggestion}"? `;
  return `${start}(an axis is ${CELL_KEYS.join(', ')}, or any key of a job by its dotted name, such as pretrain.epochs)`;
}
