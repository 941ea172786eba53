/** The evaluations of a job, resolved: each with its name, its data set and its whole recipe. */
import { isMapping, valueAt } from '../common/tree.js';
import type { Evaluation, RecipeOf } from '../stages/index.js';
import { isEntryKey, nameOf, type EntrySpec, type OwnData } from './evaluate-schema.js';
import type { DataSpec, JobSpec } from './schema.js';
import { withoutPercentages } from './percent.js';

/** One evaluation of a job, by its protocol. */
export type Entry<Name extends Evaluation = Evaluation> = {
  [Each in Name]: {
    name: string;
    protocol: Each;
    data: DataSpec;
    /** Its own, or of its own data set; undefined: that of the recipe, else of the data. */
    labelFraction: number | undefined;
    shots: number | undefined;
    /** At least 1. */
    repeats: number;
    recipe: RecipeOf<Each>;
    /** The keys of the recipe that the entry sets itself. */
    own: ReadonlySet<string>;
  };
}[Name];

/** The evaluations of a job in the order of `evaluate`. */
export function entriesOf(job: JobSpec): Entry[] {
  return job.evaluate.map((written) => entryOf(written, job));
}

function entryOf(written: Evaluation | EntrySpec, job: JobSpec): Entry {
  const spec: EntrySpec = typeof written === 'string' ? { protocol: written } : written;
  const own = Object.fromEntries(Object.entries(spec).filter(([key]) => !isEntryKey(key)));
  return {
    name: nameOf(written),
    protocol: spec.protocol,
    data: spec.data === undefined ? job.data : wholeData(spec.data, job),
    labelFraction: spec.labelFraction ?? spec.data?.labelFraction,
    shots: spec.shots,
    repeats: spec.repeats ?? 1,
    recipe: valueAt(withoutPercentages({ [spec.protocol]: override(job[spec.protocol], own) }), [spec.protocol]),
    own: new Set(Object.keys(own)),
  } as Entry;
}

/** The values of one mapping over those of another; nested mappings are merged. */
function override(base: unknown, own: unknown): unknown {
  if (!isMapping(base) || !isMapping(own)) return own;
  const set = Object.entries(own).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(set.map(([key, value]) => [key, override(base[key], value)])) };
}

/** A data set that replaces `data`, at the image size of the job if it has none of its own. */
export function wholeData(own: OwnData, job: Pick<JobSpec, 'data'>): DataSpec {
  return { ...own, imageSize: own.imageSize ?? job.data.imageSize, labelFraction: own.labelFraction ?? 1 };
}

/** The data set of the pre-training of a job. */
export function pretrainData(job: JobSpec): DataSpec {
  return job.pretrain.data === undefined ? job.data : wholeData(job.pretrain.data, job);
}
