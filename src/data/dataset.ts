/** Opens data sets. How images become batches is in `augment.ts` and `batches.ts`. */
import type { OpenOptions } from './entry.js';
import { DATASETS, type DatasetName, type TargetsOf, type UnlabelledData } from './registry.js';
import type { Dataset, DataWatch } from './split.js';

export type { Dataset, DataWatch, Sample, Split } from './split.js';

/** How each data set is opened. */
type Entries = {
  [Name in DatasetName]: {
    open: (data: UnlabelledData<Name>, options: OpenOptions) => Promise<Dataset<TargetsOf<Name>>>;
  };
};

/**
 * Opens a data set, cut down to its `trainImages` and `testImages`.
 *
 * @param cores For reading its images.
 * @throws UsageError when it is missing, incomplete or malformed, with the way to get it.
 */
export function openDataset<Name extends DatasetName>(
  data: UnlabelledData<Name> & { name: Name },
  cores = 1,
  watch: DataWatch = {},
): Promise<Dataset<TargetsOf<Name>>> {
  const entries: Entries = DATASETS;
  return entries[data.name].open(data, { cores, watch });
}
