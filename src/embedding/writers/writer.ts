/** What a format of feature files declares. */
import type { FeatureBatch } from '../encoder.js';

export interface FeatureWriter {
  /** In a sentence: `an array of NumPy`. */
  readonly title: string;
  /** Whether it can hold all tokens of an image: more than one row of numbers. */
  readonly holdsTokens: boolean;
  /**
   * Writes features as they come, each file completely or not at all.
   *
   * @param shape Of the features of one image.
   * @param most Images at most.
   * @returns the files.
   */
  readonly write: (
    path: string,
    shape: readonly number[],
    most: number,
    batches: AsyncIterable<FeatureBatch>,
  ) => Promise<string[]>;
}
