/**
 * The keys of a job as a tree, derived from `jobSchema`: the names that an axis or `--set` may use. The keys of all
 * data sets are merged here; the check of whole jobs verifies which of them belong to the job's data set.
 */
import { z } from 'zod';
import { jobSchema } from './schema.js';

export interface KeyGroup {
  kind: 'group';
  description: string | undefined;
  children: ReadonlyMap<string, KeyNode>;
}

export interface KeyLeaf {
  kind: 'leaf';
  description: string | undefined;
  /** Checks one value of the key; rejects undefined. */
  schema: z.core.$ZodType;
  /** The default as a user would write it, if there is one and all data sets share it. */
  fallback: unknown;
}

export type KeyNode = KeyGroup | KeyLeaf;

/** The keys of the triple and the seed. A cell lists all of them, and other keys only if they vary. */
export const CELL_KEYS = ['objective', 'maskRatio', 'misalignment', 'stylePreservation', 'seed'] as const;

function nodeOf(schema: z.core.$ZodType): KeyNode {
  let description: string | undefined;
  let fallback: unknown;
  let inner = schema;
  for (;;) {
    description ??= z.globalRegistry.get(inner)?.description;
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      fallback ??= inner.def.defaultValue;
      inner = inner.unwrap();
    } else if (inner instanceof z.ZodOptional) {
      inner = inner.unwrap();
    } else {
      break;
    }
  }
  if (inner instanceof z.ZodDiscriminatedUnion) return { ...merge(inner.options.map(groupOf)), description };
  if (inner instanceof z.ZodObject) return { ...groupOf(inner), description };
  return { kind: 'leaf', description, schema: inner, fallback };
}

function groupOf(schema: z.core.$ZodType): KeyGroup {
  if (!(schema instanceof z.ZodObject)) throw new Error('a group of keys must be an object schema');
  const children = Object.entries<z.core.$ZodType>(schema.shape).map(([key, child]) => [key, nodeOf(child)] as const);
  return { kind: 'group', description: undefined, children: new Map(children) };
}

/** One group with the keys of all. A key has the same type in all data sets, except for the name itself. */
function merge(groups: KeyGroup[]): KeyGroup {
  const variants = new Map<string, KeyNode[]>();
  for (const { children } of groups) {
    for (const [key, child] of children) variants.set(key, [...(variants.get(key) ?? []), child]);
  }
  const children = [...variants].map(([key, nodes]) => [key, mergeNodes(nodes)] as const);
  return { kind: 'group', description: undefined, children: new Map(children) };
}

function mergeNodes(nodes: readonly KeyNode[]): KeyNode {
  const nested = nodes.filter((node) => node.kind === 'group');
  if (nested.length > 0) return { ...merge(nested), description: nested[0]!.description };
  return mergeLeaves(nodes.filter((node) => node.kind === 'leaf'));
}

function mergeLeaves(leaves: KeyLeaf[]): KeyLeaf {
  const first = leaves[0]!;
  const descriptions = new Set(leaves.flatMap(({ description }) => description ?? []));
  const names = leaves.flatMap(({ schema }) => {
    if (schema instanceof z.ZodLiteral) return [...schema.values].map(String);
    return schema instanceof z.ZodEnum ? schema.options.map(String) : [];
  });
  return {
    kind: 'leaf',
    schema: names.length > 0 ? z.enum(names) : first.schema,
    description: descriptions.size === 0 ? undefined : [...descriptions].join(' Or: '),
    fallback:
      names.length > 0 || leaves.every(({ fallback }) => fallback === first.fallback) ? first.fallback : undefined,
  };
}

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
