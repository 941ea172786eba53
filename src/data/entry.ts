/** What a data set declares: the keys of `data` in a spec, what it provides with each image, and how it is opened. */
import { z } from 'zod';
import { count, labelFraction } from '../common/values.js';
import { balancedSubset, type Dataset, type DatasetOf, type DataWatch } from './split.js';
import type { TargetKind } from './target.js';
import { separateValidation, validationKey, type Validation } from './validation.js';

/** Keys of every data set. */
export const DATA_KEYS = {
  imageSize: count.min(8).describe('Side of the square images the model sees, in pixels.'),
  labelFraction: labelFraction
    .unwrap()
    .default(1)
    .describe('Fraction of the training labels that fine-tuning and the probes use, per class, drawn by the seed.'),
  trainImages: count.optional().describe('Use at most this many training images, drawn evenly over the classes.'),
  testImages: count.optional().describe('Use at most this many test images, drawn evenly over the classes.'),
  validation: validationKey,
};

export const path = z.string().min(1);

/** The data without the keys that only concern labels, so that label fractions share a pre-training. */
export type WithoutLabels<Data> = Omit<Data, 'labelFraction'>;

/** The resolved keys of a data set's schema, without those of labels. */
export type DataOf<Schema extends z.ZodType> = WithoutLabels<z.output<Schema>>;

/** What opening may use. */
export interface OpenOptions {
  /** Cores for reading images. */
  readonly cores: number;
  readonly watch: DataWatch;
}

/** An archive that `vitmim data fetch` downloads and unpacks. */
export interface Archive {
  readonly url: string;
  readonly md5: string;
  /** A server that sends more sends another file. */
  readonly mostBytes: number;
  /** The folder that it unpacks to. */
  readonly folder: string;
  /** Whether such a folder has everything. */
  readonly isComplete: (folder: string) => Promise<boolean>;
}

/** How much of a data set is used, and for what: keys of every schema that are not about its images. */
interface Amounts {
  trainImages?: number | undefined;
  testImages?: number | undefined;
  validation?: Validation | undefined;
}

interface DatasetDeclaration<Schema extends z.ZodObject, Kind extends TargetKind> {
  /** {@link DATA_KEYS}, a `name` that is a literal, and keys of its own. */
  schema: Schema;
  /** What it provides with each image, or what it may provide. */
  targets: Kind | readonly Kind[];
  /** Which of several targets it provides for these keys. */
  targetsOf?: (data: DataOf<Schema>) => Kind;
  /** Its splits are folders, which `validation.folder` can name: it then opens that split. */
  hasFolders?: true;
  /**
   * Opens all of it; `trainImages`, `testImages` and drawn validation images are applied to what it returns.
   *
   * @throws UsageError if the data set is missing, incomplete or malformed. The message explains how to get it.
   */
  open(data: DataOf<Schema>, options: OpenOptions): Dataset<Kind> | Promise<Dataset<Kind>>;
  /** The address from which it may be downloaded freely. */
  archive?: Archive;
}

function cutRemarks(key: string, used: number, available: number): string[] {
  return used === available ? [] : [`${key}: ${used} of ${available} images are used`];
}

/** A data set cut down to its `trainImages` and `testImages`, with its validation images taken out. */
function cutDown<Kind extends TargetKind>(dataset: DatasetOf<Kind>, { trainImages, testImages, validation }: Amounts) {
  const train = balancedSubset(dataset.train, trainImages, 'train');
  const test = balancedSubset(dataset.test, testImages, 'test');
  const remarks = [
    ...(dataset.remarks ?? []),
    ...cutRemarks('trainImages', train.length, dataset.train.length),
    ...cutRemarks('testImages', test.length, dataset.test.length),
  ];
  const drawn = validation === undefined || 'folder' in validation ? {} : separateValidation(train, validation);
  return { ...dataset, train, test, ...drawn, remarks };
}

/** Makes an entry of the registry from a data set's declaration. List it in `registry.ts`. */
export function defineDataset<Schema extends z.ZodObject, const Kind extends TargetKind>(
  declaration: DatasetDeclaration<Schema, Kind>,
) {
  const { targets, targetsOf } = declaration;
  const all: readonly Kind[] = typeof targets === 'string' ? [targets] : targets;
  return {
    ...declaration,
    hasFolders: declaration.hasFolders === true,
    /** What it may provide. */
    targets: all,
    /** What it provides for these keys. */
    targetsOf: (data: DataOf<Schema>): Kind => targetsOf?.(data) ?? all[0]!,
    async open(data: DataOf<Schema> & Amounts, options: OpenOptions): Promise<Dataset<Kind>> {
      // The union is cut down member by member; the compiler does not follow that the kind stays.
      return cutDown(await declaration.open(data, options), data);
    },
  };
}
