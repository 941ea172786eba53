/** The keys of a schema as a tree: groups and leaves, with their descriptions and defaults, and every key made optional. */
import { z } from 'zod';
import { addTo } from '../common/group-by.js';
import { OFF, PERCENT_OF, percentage } from '../common/values.js';

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
  /** The key of the same group that a percentage is a share of; undefined: no percentages of a key. */
  percentOf: string | undefined;
}

export type KeyNode = KeyGroup | KeyLeaf;

function nodeOf(schema: z.core.$ZodType): KeyNode {
  let description: string | undefined;
  let fallback: unknown;
  let percentOf: string | undefined;
  let inner = schema;
  for (;;) {
    description ??= z.globalRegistry.get(inner)?.description;
    percentOf ??= PERCENT_OF.get(inner)?.of;
    fallback ??= OFF.get(inner)?.value;
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
  return { kind: 'leaf', description, schema: inner, fallback, percentOf };
}

/** The keys of an object schema. */
export function groupOf(schema: z.core.$ZodType): KeyGroup {
  if (!(schema instanceof z.ZodObject)) throw new Error('a group of keys must be an object schema');
  const children = Object.entries<z.core.$ZodType>(schema.shape).map(([key, child]) => [key, nodeOf(child)] as const);
  return { kind: 'group', description: undefined, children: new Map(children) };
}

/** One group with the keys of all. A key has the same type in all data sets, except for the name itself. */
function merge(groups: KeyGroup[]): KeyGroup {
  const variants = new Map<string, KeyNode[]>();
  for (const { children } of groups) {
    for (const [key, child] of children) addTo(variants, key, child);
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
    percentOf: first.percentOf,
    schema: names.length > 0 ? z.enum(names) : first.schema,
    description: descriptions.size === 0 ? undefined : [...descriptions].join(' Or: '),
    fallback:
      names.length > 0 || leaves.every(({ fallback }) => fallback === first.fallback) ? first.fallback : undefined,
  };
}

/** The schema of a key's value as a spec may write it: percentages of other keys stay text until `percent.ts`. */
export function asWritten({ schema, percentOf }: KeyLeaf): z.core.$ZodType {
  return percentOf === undefined ? schema : z.union([schema, percentage]);
}

/** A schema with the same keys, in which every key is optional; no defaults are filled in. */
export function partial(node: KeyNode): z.ZodType {
  if (node.kind === 'leaf') {
    const { description, fallback } = node;
    return z.optional(asWritten(node)).meta({
      ...(description === undefined ? {} : { description }),
      ...(fallback === undefined ? {} : { default: fallback }),
    });
  }
  return z.strictObject(partialShape(node)).optional().meta({ description: node.description });
}

/** The keys of {@link partial}. */
function partialShape({ children }: KeyGroup): Record<string, z.ZodType> {
  return Object.fromEntries([...children].map(([key, child]) => [key, partial(child)]));
}

/** The same keys as {@link partial}, each of which may also be null: it unsets what another place sets. */
function unsettable(node: KeyNode): z.ZodType {
  const { description } = node;
  if (node.kind === 'leaf') return z.nullable(asWritten(node)).optional().meta({ description });
  return z.strictObject(unsettableShape(node)).nullable().optional().meta({ description });
}

/** The keys of a group, each of which may also be null. */
export function unsettableShape({ children }: KeyGroup): Record<string, z.ZodType> {
  return Object.fromEntries([...children].map(([key, child]) => [key, unsettable(child)]));
}
