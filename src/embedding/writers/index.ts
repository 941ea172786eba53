/** The formats of feature files, by the extensions of their names. */
import { extname } from 'node:path';
import { UsageError } from '../../common/errors.js';
import { registry } from '../../common/registry.js';
import { csv } from './csv.js';
import { npy } from './npy.js';
import { parquet } from './parquet.js';
import type { FeatureWriter } from './writer.js';

export const FEATURE_FORMATS = registry({
  npy,
  parquet,
  csv,
}) satisfies Record<string, FeatureWriter>;

/** `.npy, .parquet, .csv` */
export const FEATURE_EXTENSIONS = Object.keys(FEATURE_FORMATS)
  .map((name) => `.${name}`)
  .join(', ');

/**
 * The format of a file by its name.
 *
 * @throws UsageError if there is none, or if it cannot hold tokens and tokens are requested.
 */
export function writerFor(path: string, tokens: boolean): FeatureWriter {
  const extension = extname(path).slice(1).toLowerCase();
  const writers: Readonly<Record<string, FeatureWriter>> = FEATURE_FORMATS;
  if (!Object.hasOwn(writers, extension)) {
    throw new UsageError(`the name ${path} has no known format; end it with one of ${FEATURE_EXTENSIONS}`);
  }
  const writer = writers[extension]!;
  if (tokens && !writer.holdsTokens) {
    throw new UsageError(`.${extension} files hold one row of numbers for each image; write tokens to a .npy file`);
  }
  return writer;
}
