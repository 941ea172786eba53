/** The key of `--set KEY=VALUE` → the places of the spec that it names. */
import { z } from 'zod';
import { JOB_KEYS, findKey, jobKeys, type KeyLeaf, type KeyNode } from '../keys.js';
import { formatPath } from '../problems.js';
import { didYouMean } from '../suggest.js';
import { variantNames, type VariantAxes } from '../sweep-schema.js';
import { valueAt, type Path } from '../../common/tree.js';
import { UNSET, type AxisSection, type Refusal } from './override.js';

/** The names that options accept besides the keys of a job. */
export interface SpecNames {
  variants: VariantAxes;
  /** The number of entries of `include` and `exclude`. */
  entries: Readonly<Record<'include' | 'exclude', number>>;
}

export function keyNamesIn(spec: unknown): SpecNames {
  const named = variantNames(spec);
  const count = (section: string): number => {
    const list = valueAt(spec, [section]);
    return Array.isArray(list) ? list.length : 0;
  };
  return {
    variants: 'names' in named ? named.names : new Map(),
    entries: { include: count('include'), exclude: count('exclude') },
  };
}

/** What a key names: keys at fixed places, or an axis in every grid that has it. */
export type Target =
  | {
      kind: 'keys';
      path: Path;
      node: KeyNode | 'text' | 'value';
      /** Whether the value may be a list of values. */
      isAxis?: true;
    }
  | { kind: 'axis'; section: AxisSection; key: string; node: KeyLeaf };

const SECTIONS = 'job variants grid zip include exclude select description seeds compare'.split(' ');
const REACHED = 'job.…, grid.…, zip.…, variants.…, seeds.…, include[0].…, exclude[0].… and name';

/** Finds the places that a key names. */
export function parseTarget(key: string, source: string, names: SpecNames): Target | Refusal {
  if (key === 'name') return { kind: 'keys', path: [key], node: 'text' };
  if (SECTIONS.includes(key) && source === UNSET) return { kind: 'keys', path: [key], node: 'text' };
  const entry = /^(include|exclude)\[(\d+)\]\.(.+)$/.exec(key);
  if (entry !== null)
    return parseEntry(entry[1] === 'include' ? 'include' : 'exclude', Number(entry[2]), entry[3]!, names);
  const dot = key.indexOf('.');
  const section = dot < 0 ? key : key.slice(0, dot);
  const name = dot < 0 ? '' : key.slice(dot + 1);
  if (section === 'seeds' && name !== '') return { kind: 'keys', path: [section, ...name.split('.')], node: 'value' };
  if (section === 'variants') return parseVariant(name.split('.'), source, names);
  if (section !== 'job' && section !== 'grid' && section !== 'zip') {
    if (SECTIONS.includes(section)) {
      return { message: `--set reaches ${REACHED}; edit the file to change ${section}, or unset it: ${section}=null` };
    }
    if (section === 'extends') return { message: '--set cannot change extends; edit the file' };
    const remedy = findKey(key) === undefined ? didYouMean(key, reachable()) : `; did you mean "job.${key}"?`;
    return { message: `unknown key "${key}"${remedy} (valid keys are ${REACHED})` };
  }
  if (name === '') {
    return {
      message: `"${key}" is a whole section; set one key of it, as in ${section}.seed, or unset it: ${key}=null`,
    };
  }
  const node = section === 'job' ? findKey(name) : axisNode(name, names);
  if (section === 'job' && node !== undefined) return { kind: 'keys', path: ['job', ...name.split('.')], node };
  if (section !== 'job' && node?.kind === 'leaf') return { kind: 'axis', section, key: name, node };
  if (node !== undefined) {
    return { message: `"${name}" is a group of keys; an axis is one key of it, as in ${key}.${firstOf(node)}` };
  }
  return { message: `unknown key "${key}"${unknownStep(section, name)}` };
}

/** A key of a job, or an axis of variants. */
function axisNode(name: string, { variants }: SpecNames): KeyNode | undefined {
  const own = variants.get(name);
  if (own === undefined) return findKey(name);
  return { kind: 'leaf', description: undefined, schema: z.enum(own), fallback: undefined, percentOf: undefined };
}

/** `include[0].seed`, `include[0].zip.seed` */
function parseEntry(section: 'include' | 'exclude', index: number, name: string, names: SpecNames): Target | Refusal {
  const count = names.entries[section];
  if (index >= count) {
    const entries = count === 1 ? 'one entry' : `${count} entries`;
    return { message: `${section} has ${count === 0 ? 'no entry' : `${entries}, and they count from 0`}` };
  }
  const zipped = section === 'include' && name.startsWith('zip.');
  const key = zipped ? name.slice('zip.'.length) : name;
  const node = axisNode(key, names);
  const entry = `${section}[${index}]`;
  if (node?.kind === 'leaf') {
    return { kind: 'keys', path: [section, index, ...(zipped ? ['zip'] : []), key], node, isAxis: true };
  }
  if (node !== undefined) {
    return {
      message: `"${key}" is a group of keys; an axis is one key of it, as in ${entry}.${name}.${firstOf(node)}`,
    };
  }
  return { message: `unknown key "${key}"${didYouMean(key, [...names.variants.keys(), ...jobKeys()])}` };
}

/** `variants.size.small.model.depth` */
function parseVariant([axis = '', name, ...key]: string[], source: string, { variants }: SpecNames): Target | Refusal {
  const own = variants.get(axis);
  const known = [...variants.keys()];
  if (own === undefined) {
    const choices = known.length === 0 ? 'the spec has no variants' : `axes of variants are ${known.join(', ')}`;
    return { message: `unknown axis of variants "${axis}"${didYouMean(axis, known)} (${choices})` };
  }
  const path = ['variants', axis, ...(name === undefined ? [] : [name])];
  if (key.length === 0 && source === UNSET && (name === undefined || own.includes(name))) {
    return { kind: 'keys', path, node: 'text' };
  }
  if (name === undefined || !own.includes(name)) {
    const choices = `the variants of ${axis} are ${own.join(', ')}`;
    return { message: `unknown variant "${name ?? ''}"${didYouMean(name ?? '', own)} (${choices})` };
  }
  const node = key.length === 0 ? JOB_KEYS : findKey(key.join('.'));
  if (node !== undefined) return { kind: 'keys', path: [...path, ...key], node };
  return { message: `unknown key "${key.join('.')}" in ${formatPath(path)}${didYouMean(key.join('.'), jobKeys())}` };
}

function reachable(): string[] {
  return ['name', ...jobKeys().flatMap((name) => [`job.${name}`, `grid.${name}`])];
}

/** The nearest complete key, and the valid keys at the first step that does not exist. */
function unknownStep(section: string, name: string): string {
  const suggestion = didYouMean(
    `${section}.${name}`,
    jobKeys().map((key) => `${section}.${key}`),
  );
  let node: KeyNode = JOB_KEYS;
  let valid = section;
  for (const step of name.split('.')) {
    const child: KeyNode | undefined = node.kind === 'group' ? node.children.get(step) : undefined;
    if (child === undefined) break;
    node = child;
    valid += `.${step}`;
  }
  if (node.kind === 'leaf') return `${suggestion} ("${valid}" has no keys of its own)`;
  return `${suggestion} (valid keys in ${valid} are ${[...node.children.keys()].join(', ')})`;
}

function firstOf(node: KeyNode): string {
  if (node.kind === 'leaf') return '';
  for (const [key, child] of node.children) return child.kind === 'leaf' ? key : `${key}.${firstOf(child)}`;
  return '';
}
