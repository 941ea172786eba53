/**
 * The shape of a whole sweep file, built from the keys of a job: `job` with every key optional, and the axes by dotted
 * names. `sweep.ts` checks parts that depend on each other.
 */
import { z } from 'zod';
import { partial } from './key-nodes.js';
import { JOB_KEYS, findKey, isListValued, jobKeys, type KeyLeaf } from './keys.js';
import { isMapping } from './tree.js';

/** Sweep names become folder names. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const NAME_RULE = 'expected letters, digits, ".", "_" and "-", beginning with a letter or digit';

/**
 * The values of an axis. A list is always the list of values; for keys whose values are lists, it is a list of lists.
 */
function axis(leaf: KeyLeaf): z.ZodType {
  const many = z.array(leaf.schema).min(1, 'expected at least one value');
  const values = isListValued(leaf) ? many : z.union([many, leaf.schema]);
  return values.optional().meta({ description: leaf.description });
}

const axisKeys = Object.fromEntries(
  jobKeys().map((name) => {
    const leaf = findKey(name);
    if (leaf?.kind !== 'leaf') throw new Error(`${name} is not a key`);
    return [name, axis(leaf)];
  }),
);

/** With the id, the JSON Schema has one definition for its many uses. */
const axes = z.strictObject(axisKeys).meta({ id: 'axes' });

const named = (description: string) => axes.optional().meta({ description });
const PAIRED = 'Axes that move together: the first values of all, the second values of all, …';

export const sweepSchema = z
  .strictObject({
    name: z
      .string()
      .regex(NAME, NAME_RULE)
      .optional()
      .meta({ description: 'Name of the sweep and of its folder of results; the name of the file by default.' }),
    description: z.string().optional().meta({ description: 'What the sweep is for.' }),
    job: partial(JOB_KEYS).meta({ description: 'Defaults of every job.' }),
    grid: named('Axes of the product: one value or a list for any key of a job, nested keys by dotted names.'),
    zip: named(PAIRED),
    include: z
      .array(axes.extend({ zip: named(PAIRED) }))
      .optional()
      .meta({ description: 'Further grids, each a product of its own axes over the defaults of `job`.' }),
    exclude: z.array(axes).optional().meta({
      description: 'Cells to leave out: those that match every key of an entry; a list matches any of its values.',
    }),
  })
  .meta({ title: 'vitmim sweep', description: 'A sweep of pre-training experiments.' });

/** A sweep file of valid shape. */
export interface SweepFile {
  name?: string;
  description?: string;
  job: Record<string, unknown>;
  grid: Axes;
  zip: Axes;
  include: { grid: Axes; zip: Axes }[];
  exclude: Axes[];
}

/** The values of each axis by its dotted name, as lists. */
export type Axes = Record<string, unknown[]>;

type RawAxes = Record<string, unknown>;

const sweepFileSchema = sweepSchema.transform(normalize);

/** Parses only the shape; single values become lists of one. */
export function parseSweepFile(value: unknown): z.ZodSafeParseResult<SweepFile> {
  return sweepFileSchema.safeParse(value);
}

function normalize({ name, description, job, grid, zip, include, exclude }: z.output<typeof sweepSchema>): SweepFile {
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    job: isMapping(job) ? job : {},
    grid: lists(grid),
    zip: lists(zip),
    include: (include ?? []).map(({ zip: paired, ...product }) => ({
      grid: lists(product),
      zip: lists(isMapping(paired) ? paired : {}),
    })),
    exclude: (exclude ?? []).map(lists),
  };
}

function lists(raw: RawAxes | undefined): Axes {
  const entries = Object.entries(raw ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, Array.isArray(value) ? value : [value]]));
}
