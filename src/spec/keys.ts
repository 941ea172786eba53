/**
 * The keys of a job as a tree, derived from `jobSchema`: the names that an axis or `--set` may use. The keys of all
 * data sets are merged here; the check of whole jobs verifies which of them belong to the job's data set.
 */
import { z } from 'zod';
import { groupOf, type KeyGroup, type KeyLeaf, type KeyNode } from './key-nodes.js';
import { jobSchema } from './schema.js';

export type { KeyGroup, KeyLeaf, KeyNode } from './key-nodes.js';

type Schema = z.core.$ZodType;

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
export const isNumberValued = ({ schema }: KeyLeaf): boolean =>
  alternativesIn(schema).some((each) => numberIn(each) !== null);

/** True if a value of the key can only be text. */
export const isTextValued = ({ schema }: KeyLeaf): boolean => isText(written(schema));

/** Whether values of the key are numbers, and which; null: they are something else. */
export const numberKind = ({ schema }: KeyLeaf): 'number' | 'integer' | null => numberIn(schema);

// Every start of a sweep asks this of every key: the JSON Schema of each would take a third of the time of the start.

/** The schema of a value before its transformation. */
const written = (schema: Schema): Schema => (schema instanceof z.ZodPipe ? written(schema.def.in) : schema);

function alternativesIn(schema: Schema): readonly Schema[] {
  const own = written(schema);
  if (own instanceof z.ZodNullable) return alternativesIn(own.unwrap());
  return own instanceof z.ZodUnion ? own.options.flatMap(alternativesIn) : [own];
}

function numberIn(schema: Schema): 'number' | 'integer' | null {
  const own = written(schema);
  if (!(own instanceof z.ZodNumber)) return null;
  return own.format?.includes('int') === true ? 'integer' : 'number';
}

function isText(schema: Schema): boolean {
  if (schema instanceof z.ZodEnum) return schema.options.every((option) => typeof option === 'string');
  if (schema instanceof z.ZodLiteral) return [...schema.values].every((value) => typeof value === 'string');
  return schema instanceof z.ZodString;
}

/** The value of a key, by its dotted name, that nothing sets; undefined: none, or it depends on other keys. */
export function unsetValue(name: string): unknown {
  const node = findKey(name);
  return node?.kind === 'leaf' ? defaultOf(node) : undefined;
}

/** The value of the key if nothing sets it; undefined: none, or it depends on other keys. */
export function defaultOf({ schema, fallback }: KeyLeaf): unknown {
  return fallback === undefined ? undefined : z.parse(schema, fallback);
}
