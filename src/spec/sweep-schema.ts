/**
 * The shape of a whole sweep file, built from the keys of a job: `job` with every key optional, the axes by dotted
 * names, and the variants. `sweep.ts` checks parts that depend on each other.
 */
import { z } from 'zod';
import { deferred } from '../common/deferred.js';
import { isMapping, type Path } from '../common/tree.js';
import { explainIssues, expectation, type Finding } from './issues.js';
import { sweepHint } from './hints.js';
import { asWritten, partial, unsettableShape } from './key-nodes.js';
import { JOB_KEYS, findKey, isListValued, isNumberValued, type KeyGroup, type KeyLeaf } from './keys.js';
import { formatPath } from './problems.js';
import { compareSchema, seedsSchema, type SeedsFile } from './seeds.js';
import type { ObjectivePair } from './stages.js';
import { rangeSchema, valuesOfRange } from './ranges.js';
import { selectSchema, type SelectSpec } from './select-schema.js';

/** Sweep names become folder names. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const NAME_RULE = 'expected letters, digits, ".", "_" and "-", beginning with a letter or digit';

// --- job and variants ------------------------------------------------------------------------------------------------

const variantsSchema = deferred(() => {
  const variant = z
    .strictObject(unsettableShape(JOB_KEYS))
    .nullable()
    .meta({ id: 'variant', description: 'Keys of a job that this variant sets; null unsets a key.' });
  return z.record(z.string(), z.record(z.string(), variant));
});

// --- axes ------------------------------------------------------------------------------------------------------------

/**
 * The values of an axis. A list is always the list of values; for keys whose values are lists, it is a list of lists.
 * null leaves the key unset. With the id, the JSON Schema has one definition for all places.
 */
function axisOf(name: string, leaf: KeyLeaf): z.ZodType {
  const value = asWritten(leaf);
  const many = z.array(z.nullable(value)).min(1, 'expected at least one value');
  const range = isNumberValued(leaf) ? [rangeSchema] : [];
  const values = isListValued(leaf) ? many : z.union([many, value, ...range]);
  return values.nullable().meta({ id: `axis.${name}`, description: leaf.description });
}

/**
 * The axes by dotted names, and in groups as editors may see them: `document.ts` writes dotted names before the check.
 */
function axesIn(
  group: KeyGroup,
  prefix = '',
): { dotted: Record<string, z.ZodType>; nested: Record<string, z.ZodType> } {
  const dotted: Record<string, z.ZodType> = {};
  const nested: Record<string, z.ZodType> = {};
  for (const [key, child] of group.children) {
    const name = prefix + key;
    if (child.kind === 'leaf') {
      nested[key] = dotted[name] = axisOf(name, child).optional();
    } else {
      const inner = axesIn(child, `${name}.`);
      Object.assign(dotted, inner.dotted);
      nested[key] = z
        .strictObject(inner.nested)
        .meta({ id: `axes.${name}` })
        .optional();
    }
  }
  return { dotted, nested };
}

const axisKeys = deferred(() => {
  const { dotted, nested } = axesIn(JOB_KEYS);
  return { ...dotted, ...nested };
});

const PAIRED =
  'Axes that move together: the first values of all, the second values of all, …; or a list of several zips.';

/** The names of the variants of each axis, in the order of the file. */
export type VariantAxes = ReadonlyMap<string, readonly string[]>;

function schemaOf(variants: VariantAxes) {
  const named = Object.fromEntries(
    [...variants].map(([name, names]) => {
      const value = z.enum(names);
      return [name, z.union([z.array(value).min(1, 'expected at least one value'), value]).optional()];
    }),
  );
  // With the id, the JSON Schema has one definition for its many uses.
  const id = variants.size === 0 ? { id: 'axes' } : {};
  const keys = { ...axisKeys(), ...named };
  const axes = z.strictObject(keys).meta(id);
  const described = (description: string) => axes.optional().meta({ description });
  const zip = z
    .union([z.array(axes), axes])
    .optional()
    .meta({ description: PAIRED });
  return z
    .strictObject({
      extends: z.string().optional().meta({
        description:
          'A spec file whose values this one inherits, by its path relative to this file. null unsets a value.',
      }),
      name: z
        .string()
        .regex(NAME, NAME_RULE)
        .optional()
        .meta({ description: 'Name of the sweep and of its folder of results; the name of the file by default.' }),
      description: z.string().optional().meta({ description: 'What the sweep is for.' }),
      job: partial(JOB_KEYS).meta({ description: 'Defaults of every job.' }),
      variants: variantsSchema()
        .optional()
        .meta({
          description:
            'Axes of named groups of keys: for each axis, its variants by name. Every grid has these axes, with all variants ' +
            'unless it names some.',
        }),
      grid: described(
        'Axes of the product: for any key of a job, one value, a list or a range; nested keys by dotted names.',
      ),
      zip,
      include: z
        .array(z.strictObject({ ...keys, zip }))
        .optional()
        .meta({ description: 'Further grids, each a product of its own axes over the defaults of `job`.' }),
      select: selectSchema().optional(),
      exclude: z.array(axes).optional().meta({
        description: 'Cells to leave out: those that match every key of an entry; a list matches any of its values.',
      }),
      seeds: seedsSchema.optional(),
      compare: compareSchema.optional(),
    })
    .meta({ title: 'vitmim sweep', description: 'A sweep of pre-training experiments.' });
}

/** The schema of a sweep without variants, from which the JSON Schema is generated. */
export const sweepSchema = deferred(() => schemaOf(new Map()));

// --- the file --------------------------------------------------------------------------------------------------------

/** A sweep file of valid shape. */
export interface SweepFile {
  name?: string;
  description?: string;
  job: Record<string, unknown>;
  variants: Variants;
  grid: Axes;
  zips: Zip[];
  include: { grid: Axes; zips: Zip[] }[];
  exclude: Axes[];
  select?: SelectSpec;
  seeds?: SeedsFile;
  compare?: ObjectivePair[];
}

/** The values of each axis by its dotted name, as lists. null leaves the key unset. */
export type Axes = Record<string, unknown[]>;

/** Axes that vary together, and their path within their grid: `zip`, or `zip[1]`. */
export interface Zip {
  axes: Axes;
  path: Path;
}

/** Axis → name → the keys of a job that the variant sets, as they are nested in the file. */
export type Variants = ReadonlyMap<string, ReadonlyMap<string, Record<string, unknown>>>;

/** The shape of a file, or its problems. */
export type ParsedSweepFile = { kind: 'file'; file: SweepFile } | { kind: 'broken'; findings: Finding[] };

/**
 * Parses only the shape; single values and ranges become lists.
 *
 * @param value In which axes have dotted names only (`document.ts`).
 */
export function parseSweepFile(value: unknown): ParsedSweepFile {
  const named = variantNames(value);
  if ('findings' in named) return { kind: 'broken', findings: named.findings };
  const schema = named.names.size === 0 ? sweepSchema() : schemaOf(named.names);
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    return {
      kind: 'broken',
      findings: explainIssues(schema, value, parsed.error.issues, [], sweepHint([...named.names.keys()])),
    };
  }
  const findings: Finding[] = [];
  const file = normalize(parsed.data, findings);
  return findings.length > 0 ? { kind: 'broken', findings } : { kind: 'file', file };
}

function normalize(
  {
    name,
    description,
    job,
    variants,
    grid,
    zip,
    include,
    exclude,
    select,
    seeds,
    compare,
  }: z.output<ReturnType<typeof schemaOf>>,
  findings: Finding[],
): SweepFile {
  const axesAt = (raw: unknown, path: Path): Axes => lists(isMapping(raw) ? raw : {}, path, findings);
  const zipsAt = (raw: unknown, root: Path): Zip[] => {
    const entries = Array.isArray(raw)
      ? raw.map((each, index) => [each, ['zip', index]] as const)
      : [[raw, ['zip']] as const];
    return entries
      .map(([each, path]) => ({ axes: axesAt(each, [...root, ...path]), path }))
      .filter(({ axes }) => Object.keys(axes).length > 0);
  };
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    job: isMapping(job) ? job : {},
    variants: new Map(
      Object.entries(variants ?? {}).map(([axisName, named]) => [
        axisName,
        new Map(Object.entries(named).map(([variantName, keys]) => [variantName, keys ?? {}])),
      ]),
    ),
    grid: axesAt(grid, ['grid']),
    zips: zipsAt(zip, []),
    include: (include ?? []).map(({ zip: paired, ...product }, index) => ({
      grid: axesAt(product, ['include', index]),
      zips: zipsAt(paired, ['include', index]),
    })),
    exclude: (exclude ?? []).map((entry, index) => axesAt(entry, ['exclude', index])),
    ...(select === undefined ? {} : { select: { ...select, over: given(select.over) } }),
    ...(seeds === undefined ? {} : { seeds }),
    ...(compare === undefined ? {} : { compare: compare.map(([a, b]): ObjectivePair => [a!, b!]) }),
  };
}

/** The keys of `select.over` that are written. */
function given(over: z.output<ReturnType<typeof selectSchema>>['over']): SelectSpec['over'] {
  return Object.fromEntries(Object.entries(over).flatMap(([key, choices]) => (choices ? [[key, choices]] : [])));
}

function lists(raw: Record<string, unknown>, root: Path, findings: Finding[]): Axes {
  const entries = Object.entries(raw).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, listOf(key, value, [...root, key], findings)]));
}

function listOf(key: string, value: unknown, path: Path, findings: Finding[]): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  if (value === null && path[0] !== 'include') {
    // An axis that is only null is most often a forgotten value.
    const message = `${formatPath(path)} has no value; write one, or [null] to leave the key unset`;
    findings.push({ path, part: 'value', message });
    return [];
  }
  const leaf = findKey(key);
  const range =
    isMapping(value) && leaf?.kind === 'leaf' && isNumberValued(leaf) ? rangeSchema.safeParse(value) : undefined;
  if (leaf?.kind !== 'leaf' || !range?.success) return [value];
  const fail = (message: string): [] => {
    findings.push({ path, part: 'value', message: `${formatPath(path)}: ${message}` });
    return [];
  };
  const accepts = (number: unknown): boolean => z.safeParse(leaf.schema, number).success;
  const values = valuesOfRange(range.data, !accepts(HALF_WAY));
  if ('problem' in values) return fail(values.problem);
  const wrong = values.find((number) => !accepts(number));
  return wrong === undefined ? values : fail(`the range gives ${wrong}; expected ${expectation(leaf.schema, wrong)}`);
}

/** Every key of a number that is not whole accepts it. */
const HALF_WAY = 0.5;

// --- variants --------------------------------------------------------------------------------------------------------

/**
 * An axis's name stands beside keys, and both names stand in tables. They begin with a letter, so that YAML reads text.
 */
const AXIS_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;
const VARIANT_NAME = /^[A-Za-z][A-Za-z0-9._-]*$/;

/** The pattern of the names of axes of variants, for the JSON Schema. */
export const AXIS_NAME_PATTERN = AXIS_NAME.source;

/** The names of the variants of a raw sweep; or why they cannot be names. A wrong shape has no names here. */
export function variantNames(value: unknown): { names: VariantAxes } | { findings: Finding[] } {
  const raw = isMapping(value) ? value.variants : undefined;
  const findings: Finding[] = [];
  const names = new Map<string, string[]>();
  for (const [axisName, variants] of Object.entries(isMapping(raw) ? raw : {})) {
    if (!isMapping(variants)) continue;
    const own = Object.keys(variants);
    const path = ['variants', axisName];
    const keys = own.filter((name) => JOB_KEYS.children.has(name));
    if (keys.length > 0) {
      const message =
        `"${keys[0]!}" is a key of a job, and variants.${axisName} holds the names of variants; name an axis above ` +
        `them: variants: {size: {${axisName}: {${keys[0]!}: …}}}`;
      findings.push({ path: [...path, keys[0]!], part: 'key', message });
      continue;
    }
    if (own.length === 0) {
      findings.push({ path, part: 'key', message: `the axis ${axisName} has no variants; name at least one` });
    }
    findings.push(...nameFindings(axisName, own));
    names.set(axisName, own);
  }
  return findings.length > 0 ? { findings } : { names };
}

function nameFindings(axisName: string, names: readonly string[]): Finding[] {
  const path = ['variants', axisName];
  const findings: Finding[] = [];
  if (axisName === 'zip' || findKey(axisName) !== undefined) {
    const message = `"${axisName}" is a key of a spec already; choose another name for this axis of variants`;
    findings.push({ path, part: 'key', message });
  } else if (!AXIS_NAME.test(axisName)) {
    const message = `an axis of variants is named by letters, digits, "_" and "-", beginning with a letter, not "${axisName}"`;
    findings.push({ path, part: 'key', message });
  }
  for (const name of names.filter((each) => !VARIANT_NAME.test(each))) {
    const message = `a variant is named by letters, digits, ".", "_" and "-", beginning with a letter, not "${name}"`;
    findings.push({ path: [...path, name], part: 'key', message });
  }
  return findings;
}
