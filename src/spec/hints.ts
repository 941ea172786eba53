/** Hints for the most common mistake in sweep files: a valid key in the wrong section. */
import type { Hint } from './issues.js';
import { CELL_KEYS, findKey, jobKeys, type KeyNode } from './keys.js';
import { nearest } from './suggest.js';
import { isMapping } from './tree.js';

/** Hints for unknown keys of a sweep file. */
export const sweepHint: Hint = (container, key, value) => {
  if (container.length === 0) return findKey(key) === undefined ? undefined : topLevelHint(key);
  return container[0] === 'job' ? jobHint([...container.slice(1), key].join('.'), key) : axisHint(key, value);
};

function topLevelHint(key: string): string {
  return `write it under job, or as an axis under grid: ${key} is a key of every job`;
}

function jobHint(name: string, key: string): string | undefined {
  if (!key.includes('.') || findKey(name) === undefined) return undefined;
  const [first, ...rest] = key.split('.');
  return `in job, keys nest: ${first!}: ${rest.map((step) => `{${step}: `).join('')}…${'}'.repeat(rest.length)}`;
}

function axisHint(key: string, value: unknown): string {
  const node = findKey(key);
  if (node?.kind === 'group') {
    const names = isMapping(value) ? leavesUnder(key, node, value) : [];
    return `an axis is one key by its dotted name: ${names.length > 0 ? names.join(', ') : `${key}.…`}`;
  }
  const suggestion = nearest(key, jobKeys());
  const start = suggestion === undefined ? '' : `did you mean "${suggestion}"? `;
  return `${start}(an axis is ${CELL_KEYS.join(', ')}, or any key of a job by its dotted name, such as pretrain.epochs)`;
}

/** The dotted names that a nested mapping in a grid was meant to be. */
function leavesUnder(name: string, node: KeyNode | undefined, value: unknown): string[] {
  if (node?.kind !== 'group' || !isMapping(value)) return [name];
  return Object.entries(value).flatMap(([key, member]) =>
    leavesUnder(`${name}.${key}`, node.children.get(key), member),
  );
}
