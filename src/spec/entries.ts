/** The evaluations of a job, resolved: each with its name, its data set and its whole recipe. */
import { isMapping, valueAt } from '../common/tree.js';
import type { Evaluation, RecipeOf } from '../stages/index.js';
import { isEntryKey, nameOf, type EntrySpec, type OwnData } from './evaluate-schema.js';
import { findKey, unsetValue } from './keys.js';
import type { DataSpec, JobSpec } from './schema.js';
import { withoutPercentages } from './percent.js';

/** One evaluation of a job, by its protocol. */
export type ResolvedEvaluation<Name extends Evaluation = Evaluation> = {
  [Each in Name]: {
    name: string;
    protocol: Each;
    data: DataSpec;
    /** Its own, or the one of its own data set; undefined: as in the recipe, else as in the data. */
    labelFraction: number | undefined;
    shots: number | undefined;
    /** At least 1. */
    repeats: number;
    /** Its metric in `transfer.csv`, by its key; undefined: none is set. */
    metric: string | undefined;
    recipe: RecipeOf<Each>;
    /** The keys of the recipe that the entry sets itself. */
    own: ReadonlySet<string>;
  };
}[Name];

/** Those of each job, which does not change: its checks, its stages and its remarks read them many times. */
const known = new WeakMap<JobSpec, readonly ResolvedEvaluation[]>();

/** The evaluations of a job in the order of `evaluate`. */
export function entriesOf(job: JobSpec): readonly ResolvedEvaluation[] {
  const entries = known.get(job) ?? job.evaluate.map((written) => entryOf(written, job));
  known.set(job, entries);
  return entries;
}

function entryOf(written: Evaluation | EntrySpec, job: JobSpec): ResolvedEvaluation {
  const spec: EntrySpec = typeof written === 'string' ? { protocol: written } : written;
  const own = Object.fromEntries(
    // null also unsets the label fraction of the recipe, which an entry otherwise has beside the recipe.
    Object.entries(spec).filter(([key, value]) => !isEntryKey(key) || (key === 'labelFraction' && value === null)),
  );
  return {
    name: nameOf(written),
    protocol: spec.protocol,
    data: spec.data === undefined ? job.data : wholeData(spec.data, job),
    labelFraction: spec.labelFraction ?? spec.data?.labelFraction,
    shots: spec.shots,
    repeats: spec.repeats ?? 1,
    metric: spec.metric,
    recipe: valueAt(withoutPercentages({ [spec.protocol]: override(job[spec.protocol], own, spec.protocol) }), [
      spec.protocol,
    ]),
    own: new Set(Object.keys(own)),
  } as ResolvedEvaluation;
}

/**
 * The values of one mapping over those of another; nested groups of keys are merged. null unsets a key, which then has
 * its default.
 *
 * @param name The dotted name of the mapping in a job.
 */
function override(base: unknown, own: unknown, name: string): unknown {
  if (own === null) return unsetValue(name);
  if (!isMapping(own) || findKey(name)?.kind !== 'group') return own;
  const merged = new Map(Object.entries(isMapping(base) ? base : {}));
  for (const [key, value] of Object.entries(own)) {
    const result = override(merged.get(key), value, `${name}.${key}`);
    if (result === undefined) merged.delete(key);
    else merged.set(key, result);
  }
  return Object.fromEntries(merged);
}

/** A data set that replaces `data`, at the image size of the job if it has none of its own. */
export function wholeData(own: OwnData, job: Pick<JobSpec, 'data'>): DataSpec {
  return { ...own, imageSize: own.imageSize ?? job.data.imageSize, labelFraction: own.labelFraction ?? 1 };
}

/** The data set of the pre-training of a job. */
export function pretrainData(job: JobSpec): DataSpec {
  return job.pretrain.data === undefined ? job.data : wholeData(job.pretrain.data, job);
}
