/**
 * The data sets. Each is one file that reads it and one line here. How images become batches is in `augment.ts` and
 * `batches.ts`.
 */
import { unreachable } from '../common/errors.js';
import type { UnlabelledData } from '../spec/stages.js';
import { openCifar } from './cifar.js';
import { openIdx } from './idx.js';
import { openImageFolder } from './image-folder.js';
import { openShapes } from './shapes.js';
import { balancedSubset, type Dataset, type DataWatch } from './split.js';

export type { Dataset, DataWatch, Sample, Split } from './split.js';

/**
 * Opens a data set, cut down to its `trainImages` and `testImages`.
 *
 * @param cores That reading its images may have.
 * @throws UsageError when it is missing, incomplete or malformed, with the way to get it.
 */
export async function openDataset(data: UnlabelledData, cores = 1, watch: DataWatch = {}): Promise<Dataset> {
  const dataset = await open(data, cores, watch);
  return {
    ...dataset,
    train: balancedSubset(dataset.train, data.trainImages, 'train'),
    test: balancedSubset(dataset.test, data.testImages, 'test'),
  };
}

function open(data: UnlabelledData, cores: number, watch: DataWatch): Dataset | Promise<Dataset> {
  switch (data.name) {
    case 'shapes':
      return openShapes(data);
    case 'cifar10':
    case 'cifar100':
      return openCifar(data);
    case 'idx':
      return openIdx(data);
    case 'image-folder':
      return openImageFolder(data, cores, watch);
    default:
      return unreachable(data);
  }
}
