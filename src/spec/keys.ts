/**
 * The keys of a job as a tree, derived from `jobSchema`: the names that an axis or `--set` may use. The keys of all
 * data sets are merged here; the check of whole jobs verifies which of them belong to the job's data set.
 */
import { z } from 'zod';
import { groupOf, type KeyGroup, type KeyLeaf, type KeyNode } from './key-nodes.js';
import { jobSchema } from './schema.js';

export type { KeyGroup, KeyLeaf, KeyNode } from './key-nodes.js';

/** The keys of the triple and the seed. A cell lists all of them, and other keys only if they vary. */
export const CELL_KEYS = ['objective', 'maskRatio', 'misalignment', 'stylePreservation', 'seed'] as const;

/** The keys of a job. */
export const JOB_KEYS: KeyGroup = groupOf(jobSchema);

function leavesOf(group: KeyGroup, prefix: string): [string, KeyLeaf][] {
  return [...group.children].flatMap(([key, child]): [string, KeyLeaf][] =>
    child.kind === 'leaf' ? [[prefix + key, child]] : leavesOf(child, `${prefix}${key}.`),
  );
}

const LEAVES: ReadonlyMap<string, KeyLeaf> = new Map(leavesOf(JOB_KEYS, ''));

/** Every key of a job by its dotted name, as in axes and `--set job.…`: `objective`, …, `pretrain.epochs`, …. */
export function jobKeys(): string[] {
  return [...LEAVES.keys()];
}

/** The key or group with that dotted name. */
export function findKey(name: string): KeyNode | undefined {
  let node: KeyNode | undefined = JOB_KEYS;
  for (const step of name.split('.')) node = node?.kind === 'group' ? node.children.get(step) : undefined;
  return node;
}

/** True if a value of the key is itself a list, so that an axis of it is a list of lists. */
export function isListValued({ schema }: KeyLeaf): boolean {
  return schema instanceof z.ZodArray || schema instanceof z.ZodTuple;
}

/** True if a value of the key may be a number. */
export function isNumberValued({ schema }: KeyLeaf): boolean {
  return hasNumber(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
}

function hasNumber(json: z.core.JSONSchema._JSONSchema): boolean {
  if (typeof json === 'boolean') return false;
  return json.type === 'number' || json.type === 'integer' || (json.anyOf ?? []).some(hasNumber);
}

const textValued = new Map<KeyLeaf, boolean>();

/** True where a value of the key can only be text. */
export function isTextValued(leaf: KeyLeaf): boolean {
  const known = textValued.get(leaf);
  if (known !== undefined) return known;
  const isText = z.toJSONSchema(leaf.schema, { io: 'input', unrepresentable: 'any' }).type === 'string';
  textValued.set(leaf, isText);
  return isText;
}

/** Whether values of the key are numbers, and which; null: they are something else. */
export function numberKind({ schema }: KeyLeaf): 'number' | 'integer' | null {
  const { type } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return type === 'number' || type === 'integer' ? type : null;
}

/** The value of the key if nothing sets it; undefined: none, or it depends on other keys. */
export function defaultOf({ schema, fallback }: KeyLeaf): unknown {
  return fallback === undefined ? undefined : z.parse(schema, fallback);
}
