/**
 * `--set KEY=VALUE`: values that are set in the spec before it is checked. Messages locate them by the option's own
 * text.
 */
import { JOB_KEYS, findKey, jobKeys, type KeyNode } from './keys.js';
import { show, type Location, type Path, type Problem } from './problems.js';
import { didYouMean } from './suggest.js';
import { assign, isMapping } from './tree.js';
import { parseYamlValue, type YamlDocument } from './yaml.js';

export interface Override {
  /** Its path in the spec: nested under `job`, by the dotted name under `grid`, or `name`. */
  path: Path;
  value: unknown;
  /** The keys of a job that it sets, by their dotted names. */
  jobKeys: string[];
  location: Location;
}

/** Parses the texts of all `--set` options and reports all their problems. */
export function parseOverrides(texts: readonly string[]): { overrides: Override[]; problems: Problem[] } {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const text of texts) {
    const parsed = parseOverride(text);
    if ('message' in parsed) problems.push({ path: '', location: locationOf(text), message: parsed.message });
    else overrides.push({ ...parsed, location: locationOf(text) });
  }
  return { overrides, problems };
}

const locationOf = (text: string): Location => ({ kind: 'option', option: `--set ${text}` });

function parseOverride(text: string): Omit<Override, 'location'> | { message: string } {
  const equals = text.indexOf('=');
  if (equals <= 0) return { message: 'expected KEY=VALUE, as in --set job.pretrain.epochs=5' };
  const key = text.slice(0, equals).trim();
  const target = parseTarget(key);
  if ('message' in target) return target;
  const source = text.slice(equals + 1);
  if (source.trim() === '') return { message: `no value after ${key}=` };
  const parsed = parseYamlValue(source);
  if ('reason' in parsed) return { message: `the value is not valid YAML: ${parsed.reason}` };
  const job = target.path[0] === 'job' ? leavesSet(target.path.slice(1).join('.'), target.node, parsed.value) : [];
  return { path: target.path, value: parsed.value, jobKeys: job };
}

function parseTarget(key: string): { path: Path; node?: KeyNode } | { message: string } {
  if (key === 'name') return { path: ['name'] };
  const dot = key.indexOf('.');
  const section = dot < 0 ? key : key.slice(0, dot);
  const name = dot < 0 ? '' : key.slice(dot + 1);
  if (section !== 'job' && section !== 'grid') {
    if (['zip', 'include', 'exclude', 'description'].includes(section)) {
      return { message: `--set reaches job.…, grid.… and name; edit the file to change ${section}` };
    }
    const remedy = findKey(key) === undefined ? didYouMean(key, reachable()) : `; did you mean "job.${key}"?`;
    return { message: `unknown key "${key}"${remedy} (valid keys are job.…, grid.… and name)` };
  }
  if (name === '') return { message: `"${key}" is a whole section; set one key of it, as in ${section}.seed` };
  const node = findKey(name);
  if (section === 'job' && node !== undefined) return { path: ['job', ...name.split('.')], node };
  if (section === 'grid' && node?.kind === 'leaf') return { path: ['grid', name] };
  if (node !== undefined)
    return { message: `"${name}" is a group of keys; an axis is one key of it, as in ${key}.${firstOf(node)}` };
  return { message: `unknown key "${key}"${unknownStep(section, name)}` };
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

/** The dotted names of the leaves that a value of this node sets; unknown keys are rejected elsewhere. */
function leavesSet(name: string, node: KeyNode | undefined, value: unknown): string[] {
  if (node === undefined) return [];
  if (node.kind === 'leaf') return [name];
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => leavesSet(`${name}.${key}`, node.children.get(key), member));
}

/** The document with the overrides applied; if several set the same key, the last one applies. */
export function applyOverrides(document: YamlDocument, overrides: readonly Override[]): YamlDocument {
  const value = overrides.reduce((root, override) => assign(root, override.path, override.value), document.value);
  return {
    value,
    locate(path, part) {
      const owner = overrides.findLast(({ path: set }) => set.every((step, index) => path[index] === step));
      return owner?.location ?? document.locate(path, part);
    },
  };
}

/** Why a `--set job.…` would have no effect: an axis sets the same key in every cell, or in some. */
export function shadowed(key: string, value: unknown, axis: Path): string {
  if (axis[0] === 'grid') {
    return `"${key}" is an axis of the grid, which sets it in every cell; write --set grid.${key}=[${show(value)}]`;
  }
  const where = axis[0] === 'zip' ? 'zip' : `include[${axis[1] ?? 0}]`;
  return `"${key}" is an axis in ${where}, which sets it in its cells; edit the file`;
}
