/**
 * The part of a data set that a stage can read. With `data.validation`, only evaluations that measure on the test set
 * can read it: in every other stage it is sealed, so that no number of such a stage can depend on a test image.
 */
import { openDataset } from './dataset.js';
import type { UnlabelledData } from './registry.js';
import type { Dataset, Split } from './split.js';

/** The keys of a stage's configuration that decide what it reads. */
export interface Reads {
  kind: string;
  data: UnlabelledData;
  /** The images that an evaluation measures on; absent: the test set. */
  split?: 'validation' | undefined;
}

/**
 * Opens the data set of a stage.
 *
 * @throws UsageError as {@link openDataset} does.
 */
export async function openStageData(config: Reads, cores?: number): Promise<Dataset> {
  return sealFor(config, await openDataset(config.data, cores));
}

/** The data set. If the stage may not read the test set, it is sealed. */
export function sealFor<Data extends Dataset>({ kind, split }: Reads, dataset: Data): Data {
  const mayReadTest = split === undefined && (kind !== 'pretrain' || dataset.validation === undefined);
  if (mayReadTest) return dataset;
  const why = split === undefined ? 'pre-trains' : 'measures on the validation images';
  return { ...dataset, test: new SealedSplit(dataset.test.length, `this stage ${why}`) };
}

/**
 * The images that an evaluation measures on.
 *
 * @throws Error for the validation images of a data set that has none; the plan has checked that it has them.
 */
export function measuredSplit<Target>(
  { split }: Pick<Reads, 'split'>,
  { test, validation }: { test: Split<Target>; validation?: Split<Target> },
): Split<Target> {
  if (split === undefined) return test;
  if (validation === undefined) throw new Error('the data set has no validation images');
  return validation;
}

/**
 * The images on which a training is measured before its end: the validation images, or the test images if there are
 * none.
 */
export function splitOnTheWay<Target>({
  test,
  validation,
}: {
  test: Split<Target>;
  validation?: Split<Target>;
}): Split<Target> {
  return validation ?? test;
}

/**
 * The images that the picture of a pre-training shows: validation images; without these, test images if the stage may
 * read them, and else training images.
 */
export function previewSplit({ train, test, validation }: Pick<Dataset, 'train' | 'test' | 'validation'>): Split {
  const held = [validation, test instanceof SealedSplit ? undefined : test];
  return held.find((split) => split !== undefined && split.length > 0) ?? train;
}

/** A test set that cannot be read. Its length and what it has found are no secret. */
class SealedSplit implements Split<never> {
  readonly length: number;
  readonly corrupt: readonly string[] = [];
  readonly damaged: readonly string[] = [];
  readonly #why: string;

  constructor(length: number, why: string) {
    this.length = length;
    this.#why = why;
  }

  get decodable(): number {
    return this.length;
  }

  get labels(): never {
    return this.#refuse();
  }

  read(): never {
    return this.#refuse();
  }

  sample(): never {
    return this.#refuse();
  }

  subset(): never {
    return this.#refuse();
  }

  #refuse(): never {
    throw new Error(`the test set cannot be read: ${this.#why}, and only a final evaluation reads test images`);
  }
}
