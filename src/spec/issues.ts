/**
 * zod's issues → messages for users: the key, the expected value in plain words, the value found, and the nearest valid
 * name. This file handles schemas and values, not files and lines.
 */
import { z } from 'zod';
import type { Path } from '../common/tree.js';
import { formatPath, show } from './problems.js';
import { didYouMean } from './suggest.js';

/** One problem at a path of the value; `part` is the part that is wrong: the key or the value. */
export interface Finding {
  readonly path: Path;
  readonly part: 'key' | 'value';
  readonly message: string;
}

/**
 * A finding whose message is made when it is read. A file may have a problem in each of its lines, of which the first
 * few are shown, and to find the nearest valid name takes far longer than to find the problem.
 */
const lazily = (path: Path, part: Finding['part'], message: () => string): Finding => ({
  path,
  part,
  get message() {
    return message();
  },
});

/** A hint for an unknown key instead of the list of valid ones, given the path of the mapping that contains it. */
export type KeyHint = (container: Path, key: string, value: unknown) => string | undefined;

type Schema = z.core.$ZodType;
type Issue = z.core.$ZodIssue;

/**
 * Translates the issues that `schema` finds in `value`, whose path in the file is `root`. Returns at most one finding
 * for each path and key, and at least one if there are issues.
 */
export function explainIssues(
  schema: Schema,
  value: unknown,
  issues: readonly Issue[],
  root: Path,
  hint: KeyHint = () => undefined,
): Finding[] {
  // Missing keys follow from the unknown key, so they are not reported.
  const misspelt = new Set(issues.flatMap(({ code, path }) => (code === 'unrecognized_keys' ? [path.join('.')] : [])));
  const findings = issues
    .filter(({ code, path }) => code !== 'custom' || !misspelt.has(path.join('.')))
    .flatMap((issue) => explainIssue(schema, value, issue, root, hint));
  const seen = new Set<string>();
  return findings.filter(({ path, part }) => {
    const place = JSON.stringify([path, part]);
    return seen.has(place) ? false : seen.add(place);
  });
}

function explainIssue(schema: Schema, value: unknown, issue: Issue, root: Path, hint: KeyHint): Finding[] {
  const steps = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const path = [...root, ...steps];
  const found = descend(schema, value, steps);

  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      lazily([...path, key], 'key', () =>
        unknownKey(path, key, keysOf(formFor(found)), hint(path, key, member(found.value, key))),
      ),
    );
  }
  if (issue.code === 'invalid_union' && hasForms(found.schema)) {
    const branch = pick(found.schema, found.value);
    const nested = issue.errors[found.schema.options.indexOf(branch)] ?? [];
    if (nested.length > 0) return explainIssues(branch, found.value, nested, path, hint);
  }
  return [
    lazily(path, 'value', () => `${formatPath(path) || 'the file'}${complaint(formFor(found), found.value, issue)}`),
  ];
}

/** The text after the name of the key: ` is missing (…)`, or `: expected …, got …`. */
function complaint(schema: Schema, value: unknown, issue: Issue): string {
  if (value === undefined) {
    const meaning = z.globalRegistry.get(schema)?.description;
    return ` is missing${meaning === undefined ? '' : ` (${meaning.replace(/\.$/, '')})`}`;
  }
  const own = ownMessage(issue);
  if (own !== undefined && !own.startsWith('expected')) return `: ${own}`;
  const nearest = typeof value === 'string' ? didYouMean(value, choicesOf(schema)) : '';
  return `: ${own ?? `expected ${expectation(schema, value)}`}, got ${show(value)}${nearest}`;
}

/** A message that is written in the schema and is not zod's own, possibly inside a branch of a union. */
function ownMessage(issue: Issue): string | undefined {
  if (issue.code === 'custom' || issue.message.startsWith('expected')) return issue.message;
  if (issue.code !== 'invalid_union') return undefined;
  return issue.errors
    .flat()
    .map(ownMessage)
    .find((message) => message !== undefined);
}

const LISTED = 20;

function unknownKey(container: Path, key: string, valid: string[], hint: string | undefined): string {
  const where = container.length === 0 ? '' : ` in ${formatPath(container)}`;
  const start = `unknown key "${key}"${where}`;
  if (hint !== undefined) return `${start}; ${hint}`;
  const choices = valid.length <= LISTED ? valid.join(', ') : `${valid.slice(0, LISTED).join(', ')}, …`;
  return `${start}${didYouMean(key, valid)} (valid keys are ${choices})`;
}

// --- walking a schema along a value ----------------------------------------------------------------------------------

/** The schema and the value at the end of the steps. In a union, the value selects the branch. */
function descend(schema: Schema, value: unknown, steps: Path): { schema: Schema; value: unknown } {
  let at = unwrap(schema, value);
  let here = value;
  for (const step of steps) {
    const child = childOf(formFor({ schema: at, value: here }), step);
    here = member(here, step);
    if (child === undefined) return { schema: at, value: here };
    // The message for a missing value contains the description, which is on the outermost wrapper.
    at = here === undefined ? child : unwrap(child, here);
  }
  return { schema: at, value: here };
}

function childOf(schema: Schema, step: string | number): Schema | undefined {
  if (schema instanceof z.ZodObject && typeof step === 'string') {
    const shape: Record<string, Schema> = schema.shape;
    return Object.hasOwn(shape, step) ? shape[step] : undefined;
  }
  if (schema instanceof z.ZodDiscriminatedUnion && step === schema.def.discriminator) {
    const names = schema.def.options.flatMap((option) => [...(option._zod.propValues?.[step] ?? [])]);
    return z.enum(names.map(String));
  }
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  if (schema instanceof z.ZodTuple && typeof step === 'number') return schema.def.items[step];
  return undefined;
}

/** Removes defaults and optional wrappers, and selects the branch that fits the value's type. */
function unwrap(schema: Schema, value: unknown): Schema {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  ) {
    return unwrap(schema.unwrap(), value);
  }
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const { discriminator, options } = schema.def;
    const name = member(value, discriminator);
    const fitting = options.find((option) => option._zod.propValues?.[discriminator]?.has(primitive(name)));
    return fitting === undefined ? schema : unwrap(fitting, value);
  }
  // A value in a short and in a long form is transformed into one.
  if (schema instanceof z.ZodPipe && hasForms(schema.def.in)) return unwrap(schema.def.in, value);
  return schema;
}

function primitive(value: unknown): z.core.util.Primitive {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

/** A union of which the form of a value selects the branch: a list, a mapping, or a single value. */
function hasForms(schema: Schema): schema is z.ZodUnion<readonly Schema[]> {
  if (!(schema instanceof z.ZodUnion) || schema instanceof z.ZodDiscriminatedUnion) return false;
  const ofForm = (form: Form): number => schema.options.filter((option) => formOf(option) === form).length;
  return (ofForm('list') === 1 || ofForm('mapping') === 1) && ofForm('list') <= 1 && ofForm('mapping') <= 1;
}

/** The branch that the form of the value selects, if the schema has several. */
const formFor = ({ schema, value }: { schema: Schema; value: unknown }): Schema =>
  hasForms(schema) ? unwrap(pick(schema, value), value) : schema;

type Form = 'list' | 'mapping' | 'single';

function formOf(option: Schema): Form {
  if (option instanceof z.ZodArray) return 'list';
  return option instanceof z.ZodObject || option instanceof z.ZodDiscriminatedUnion ? 'mapping' : 'single';
}

function pick(union: z.ZodUnion<readonly Schema[]>, value: unknown): Schema {
  const form: Form = Array.isArray(value) ? 'list' : typeof value === 'object' && value !== null ? 'mapping' : 'single';
  const { options } = union;
  return (
    options.find((option) => formOf(option) === form) ?? options.find((option) => formOf(option) === 'single') ?? union
  );
}

function member(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
  return Object.getOwnPropertyDescriptor(value, step)?.value;
}

function keysOf(schema: Schema): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

// --- words -----------------------------------------------------------------------------------------------------------

/**
 * The values that the schema accepts, in words: `a whole number of at least 1`.
 *
 * @param found The value in their place. For a number, percentages are not mentioned.
 */
export function expectation(schema: Schema, found?: unknown): string {
  const json = jsonOf(schema);
  const options = typeof found === 'number' ? (json.anyOf ?? []).filter((option) => !isPercentage(option)) : [];
  return words(options.length === 1 ? options[0]! : json);
}

/** The only text with a pattern that is an alternative to a number. */
const isPercentage = (json: z.core.JSONSchema._JSONSchema): boolean =>
  typeof json === 'object' && json.pattern?.endsWith('%$') === true;

/** For a mapping, only that it is one: its keys are checked one by one, and there are many. */
function jsonOf(schema: Schema): z.core.JSONSchema.BaseSchema {
  if (schema instanceof z.ZodObject) return { type: 'object' };
  const json = jsonSchemas.get(schema) ?? z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  jsonSchemas.set(schema, json);
  return json;
}

/** A file may have the same mistake in each of its lines. */
const jsonSchemas = new WeakMap<Schema, z.core.JSONSchema.BaseSchema>();

/** The strings among the values that the schema lists. */
function choicesOf(schema: Schema): string[] {
  const listed = (json: z.core.JSONSchema._JSONSchema): unknown[] =>
    typeof json === 'boolean' ? [] : [...(json.enum ?? []), json.const, ...(json.anyOf ?? []).flatMap(listed)];
  return listed(jsonOf(schema)).filter((choice) => typeof choice === 'string');
}

function words(json: z.core.JSONSchema._JSONSchema): string {
  if (typeof json === 'boolean') return 'a value';
  const options = json.anyOf ?? json.oneOf;
  if (options !== undefined && json.type === undefined) return [...new Set(options.map(words))].join(' or ');
  if (json.$ref !== undefined) return 'a mapping of keys'; // only schemas of mappings have an id
  if (json.const !== undefined) return String(json.const);
  if (json.enum !== undefined) return json.enum.length === 1 ? String(json.enum[0]) : `one of ${json.enum.join(', ')}`;
  switch (json.type) {
    case 'null':
      return 'null';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number${bounds(json)}`;
    case 'number':
      return `a number${bounds(json)}`;
    case 'string':
      return isPercentage(json) ? 'a percentage such as 5%' : 'text';
    case 'array':
      return listWords(json);
    case 'object':
      return 'a mapping of keys';
    default:
      return 'a value';
  }
}

function listWords({ prefixItems, items }: z.core.JSONSchema.BaseSchema): string {
  if (prefixItems !== undefined) return `a list of ${prefixItems.length} values, each ${words(prefixItems[0] ?? true)}`;
  return `a list, each item ${Array.isArray(items) || items === undefined ? 'a value' : words(items)}`;
}

function bounds(json: z.core.JSONSchema.BaseSchema): string {
  const { exclusiveMinimum, exclusiveMaximum } = json;
  // zod states the range of exact integers as bounds, which do not help in a message.
  let minimum = json.minimum === Number.MIN_SAFE_INTEGER ? undefined : json.minimum;
  const maximum = json.maximum === Number.MAX_SAFE_INTEGER ? undefined : json.maximum;
  let above = exclusiveMinimum;
  if (json.type === 'integer' && typeof above === 'number') {
    minimum = above + 1;
    above = undefined;
  }
  const parts = [
    ...(minimum === undefined ? [] : [`of at least ${minimum}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(maximum === undefined ? [] : [`of at most ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`]),
  ];
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}
