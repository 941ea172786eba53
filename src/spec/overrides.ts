/**
 * `--set KEY=VALUE`: values laid over the spec file before it is checked, each located by the option's own text. A mapping
 * sets the keys that it names and keeps the others; null unsets a key.
 */
import { z } from 'zod';
import { JOB_KEYS, findKey, isTextValued, jobKeys, type KeyLeaf, type KeyNode } from './keys.js';
import { formatPath, show, type Location, type Path, type Problem } from './problems.js';
import { didYouMean } from './suggest.js';
import { variantNames, type VariantNames, type Variants, type Zip } from './sweep-schema.js';
import { assign, isMapping, leafPaths, valueAt } from './tree.js';
import { parseYamlValue, type YamlDocument } from './yaml.js';

/** One place of the spec and its new value; undefined unsets it. */
interface Assignment {
  path: Path;
  value: unknown;
}

export type AxisSection = 'grid' | 'zip';

/** What one option sets: keys at fixed places of the spec, or an axis in every grid that has it. */
export type Override = { location: Location } & (
  { kind: 'keys'; assignments: Assignment[] } | { kind: 'axis'; section: AxisSection; key: string; value: unknown }
);

type Unlocated<O> = O extends Override ? Omit<O, 'location'> : never;
interface Refusal {
  message: string;
}

/** What options can name besides the keys of a job. */
interface SpecNames {
  variants: VariantNames;
  /** The number of entries of `include` and `exclude`. */
  entries: Readonly<Record<'include' | 'exclude', number>>;
}

function namesIn(spec: unknown): SpecNames {
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

/** Parses the texts of all `--set` options for a spec and reports all their problems. */
export function parseOverrides(
  texts: readonly string[],
  spec: unknown,
): { overrides: Override[]; problems: Problem[] } {
  const names = namesIn(spec);
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const text of texts) {
    const parsed = parseOverride(text, names);
    if ('message' in parsed) problems.push({ path: '', location: locationOf(text), message: parsed.message });
    else overrides.push({ ...parsed, location: locationOf(text) });
  }
  return { overrides, problems };
}

const locationOf = (text: string): Location => ({ kind: 'option', option: `--set ${text}` });

function parseOverride(text: string, names: SpecNames): Unlocated<Override> | Refusal {
  const equals = text.indexOf('=');
  if (equals <= 0) return { message: 'expected KEY=VALUE, as in --set job.pretrain.epochs=5' };
  const key = text.slice(0, equals).trim();
  const source = text.slice(equals + 1).trim();
  const target = parseTarget(key, source, names);
  if ('message' in target) return target;
  if (source === '') return { message: `no value after ${key}=` };
  const read = readValue(source, target);
  if ('message' in read) return read;
  if (target.kind === 'axis') return { kind: 'axis', section: target.section, key: target.key, value: read.value };
  const assignments = assignmentsOf(target.path, target.node, read.value);
  if (assignments.length > 0) return { kind: 'keys', assignments };
  return { message: `an empty mapping sets no key; write ${key}=null to unset what the file sets there` };
}

// --- the key ---------------------------------------------------------------------------------------------------------

type Target =
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

function parseTarget(key: string, source: string, names: SpecNames): Target | Refusal {
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

// --- the value -------------------------------------------------------------------------------------------------------

/** The value that unsets a key. In quotes it is text. */
const UNSET = 'null';

/**
 * Reads a value as the key expects it: as YAML, but where the key expects text, as the text that is written. So
 * `imgs/ds #1`, `007` and `~` can be names of folders. undefined unsets.
 */
function readValue(source: string, target: Target): { value: unknown } | Refusal {
  if (source === UNSET) return { value: undefined };
  const { node } = target;
  const isAxis = target.kind === 'axis' || target.isAxis === true;
  if (expectsText(node) && !(isAxis && source.startsWith('['))) return { value: unquote(source) };
  const parsed = parseYamlValue(source);
  if ('reason' in parsed) return { message: `the value is not valid YAML: ${parsed.reason}` };
  const { value, text } = parsed;
  if (value === null) return { value: undefined };
  if (!isAxis || !Array.isArray(value) || !Array.isArray(text)) return { value: asExpected(node, value, text) };
  return { value: value.map((item: unknown, index) => asExpected(node, item, text[index])) };
}

type Expected = KeyNode | 'text' | 'value' | undefined;

const expectsText = (node: Expected): boolean =>
  node === 'text' || (typeof node === 'object' && node.kind === 'leaf' && isTextValued(node));

/** Text in quotes, as YAML has it, without them; any other text as it is. */
function unquote(source: string): string {
  if (!/^["']/.test(source)) return source;
  const parsed = parseYamlValue(source);
  return 'value' in parsed && typeof parsed.value === 'string' ? parsed.value : source;
}

/** A value of YAML in which scalars of keys that expect text are text. Plain `null` stays null. */
function asExpected(node: Expected, value: unknown, text: unknown): unknown {
  if (isMapping(value) && isMapping(text)) {
    const children = typeof node === 'object' && node.kind === 'group' ? node.children : undefined;
    const members = Object.entries(value).map(([key, member]) => [
      key,
      asExpected(children?.get(key), member, valueAt(text, [key])),
    ]);
    return Object.fromEntries(members) as unknown;
  }
  const isNull = value === null && (text === UNSET || text === '');
  return expectsText(node) && typeof text === 'string' && !isNull ? text : value;
}

/** What a value sets: of a group of keys, those that it names. */
function assignmentsOf(path: Path, node: Expected, value: unknown): Assignment[] {
  if (typeof node === 'object' && node.kind === 'group' && isMapping(value)) {
    return Object.entries(value).flatMap(([key, member]) =>
      assignmentsOf([...path, key], node.children.get(key), member),
    );
  }
  // An unknown key stays in the spec, whose check refuses it.
  return [{ path, value: value === null && node !== undefined ? undefined : value }];
}

// --- the document ----------------------------------------------------------------------------------------------------

/** A spec file with the options laid over it. */
export interface Overridden {
  document: YamlDocument;
  /** The keys of a job that options set or unset, by their dotted names. */
  jobKeys: string[];
  /** Options that unset what is not set. */
  idle: Override[];
}

/** Lays the overrides over the document, the last of several for one key winning. */
export function applyOverrides(document: YamlDocument, overrides: readonly Override[]): Overridden {
  const placed: { path: Path; location: Location }[] = [];
  const keys: string[] = [];
  const idle: Override[] = [];
  let root = document.value;
  for (const override of overrides) {
    const assignments = override.kind === 'keys' ? override.assignments : axisAssignments(override, root);
    if (assignments.every(({ path, value }) => value === undefined && valueAt(root, path) === undefined)) {
      idle.push(override);
    }
    for (const { path, value } of assignments) {
      keys.push(...jobKeysSet(path, value === undefined ? valueAt(root, path) : value));
      root = assign(root, path, value);
      placed.push({ path, location: override.location });
    }
  }
  return {
    document: {
      value: root,
      locate(path, part) {
        const owner = placed.findLast(({ path: set }) => set.every((step, index) => path[index] === step));
        return owner?.location ?? document.locate(path, part);
      },
    },
    jobKeys: keys,
    idle,
  };
}

function jobKeysSet(path: Path, value: unknown): string[] {
  if (path[0] !== 'job' || value === undefined) return [];
  const names = leafPaths(value, path).map((leaf) => leaf.slice(1).join('.'));
  return names.filter((name) => findKey(name)?.kind === 'leaf');
}

/**
 * Where an axis is set: in the main grid, and in every include that has it. A sweep of includes only has no main grid;
 * there an axis that no include has is set in all of them.
 */
function axisAssignments({ section, key, value }: Override & { kind: 'axis' }, root: unknown): Assignment[] {
  const list = valueAt(root, ['include']);
  const includes = Array.isArray(list) ? list.map((_, index): Path => ['include', index]) : [];
  const placeIn = (grid: Path): Path => (section === 'zip' ? [...zipWith(key, grid, root), key] : [...grid, key]);
  const isSet = (path: Path): boolean => valueAt(root, path) !== undefined;
  const having = includes.map(placeIn).filter(isSet);
  const onlyIncludes = includes.length > 0 && ['grid', 'zip'].every((name) => isEmpty(valueAt(root, [name])));
  // An axis of the main zip is no axis of the main grid; `shadowedOverrides` says so.
  const other = section === 'grid' ? [...zipWith(key, [], root), key] : ['grid', key];
  const main = isSet(other) ? [] : [section === 'grid' ? ['grid', key] : placeIn([])];
  // Every grid has the axes of variants, unless it pairs them in a zip.
  const everywhere = section === 'grid' && valueAt(root, ['variants', key]) !== undefined;
  const inAll = includes.filter((grid) => !isSet([...zipWith(key, grid, root), key])).map(placeIn);
  const inIncludes = everywhere ? inAll : having;
  const paths = onlyIncludes ? (inIncludes.length > 0 ? inIncludes : includes.map(placeIn)) : [...main, ...inIncludes];
  return paths.map((path) => ({ path, value }));
}

/** The path of the zip of a grid that has the key; if none has it, of the first. */
function zipWith(key: string, grid: Path, root: unknown): Path {
  const path = [...grid, 'zip'];
  const zips = valueAt(root, path);
  if (!Array.isArray(zips)) return path;
  const index = zips.findIndex((zip) => isMapping(zip) && Object.hasOwn(zip, key));
  return [...path, Math.max(0, index)];
}

const isEmpty = (axes: unknown): boolean =>
  axes === undefined ||
  axes === null ||
  (Array.isArray(axes) && axes.every(isEmpty)) ||
  (isMapping(axes) && Object.keys(axes).length === 0);

// --- options that a file overrules -----------------------------------------------------------------------------------

/** The axes of one grid of the spec. */
interface AxesOf {
  grid: Readonly<Record<string, unknown>>;
  zips: readonly Zip[];
  variants: Readonly<Record<string, unknown>>;
  root: Path;
}

const hasAxis = (grid: AxesOf, section: AxisSection, key: string): boolean =>
  section === 'grid' ? Object.hasOwn(grid.grid, key) : grid.zips.some(({ axes }) => Object.hasOwn(axes, key));

/** Options without the effect that they name: an axis of the spec sets the same key in every cell, or in some. */
export function shadowedOverrides(
  overrides: readonly Override[],
  grids: readonly AxesOf[],
  variants: Variants,
): Problem[] {
  return overrides.flatMap((override): Problem[] => {
    const { location } = override;
    if (override.kind === 'axis') {
      const { section, key, value } = override;
      const other = section === 'grid' ? 'zip' : 'grid';
      const owner = value === undefined ? undefined : grids.find((grid) => hasAxis(grid, other, key));
      if (owner === undefined) return [];
      const message = `"${key}" is an axis of ${nameOf(owner.root, other)}; write --set ${other}.${key}=…`;
      return [{ path: `${section}.${key}`, location, message }];
    }
    return override.assignments.flatMap(({ path, value }) => {
      const key = path.slice(1).join('.');
      if (path[0] !== 'job' || value === undefined) return [];
      const owner = grids.find((grid) => hasAxis(grid, 'grid', key) || hasAxis(grid, 'zip', key));
      if (owner === undefined) {
        const variant = variantsSetting(key, variants);
        if (variant === undefined) return [];
        const message = `"${key}" is set by ${variant}, which comes before job; write --set ${variant}.${key}=${show(value)}`;
        return [{ path: `job.${key}`, location, message }];
      }
      const section = hasAxis(owner, 'grid', key) ? 'grid' : 'zip';
      const cells = owner.root.length > 0 ? 'its cells' : 'every cell';
      const remedy = section === 'grid' ? `[${show(value)}]` : '…';
      const message = `"${key}" is an axis of ${nameOf(owner.root, section)}, which sets it in ${cells}; write --set ${section}.${key}=${remedy}`;
      return [{ path: `job.${key}`, location, message }];
    });
  });
}

/** The first variant that sets a key, as `variants.size.small`. */
function variantsSetting(key: string, variants: Variants): string | undefined {
  for (const [axis, named] of variants) {
    for (const [name, keys] of named) {
      if (valueAt(keys, key.split('.')) !== undefined) return formatPath(['variants', axis, name]);
    }
  }
  return undefined;
}

/** `the grid`, `the zip of include[0]` */
function nameOf(root: Path, section: AxisSection): string {
  if (root.length === 0) return `the ${section}`;
  return section === 'grid' ? formatPath(root) : `the zip of ${formatPath(root)}`;
}
