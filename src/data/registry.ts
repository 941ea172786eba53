/** Every data set, by its name in a spec. Adding one is a file beside this and a line here. */
import type { z } from 'zod';
import { registry } from '../common/registry.js';
import { cifar10, cifar100 } from './cifar.js';
import type { WithoutLabels } from './entry.js';
import { idx } from './idx.js';
import { imageFolder } from './image-folder.js';
import { segmentationFolder } from './segmentation-folder.js';
import { shapes } from './shapes.js';
import type { TargetKind } from './target.js';

export const DATASETS = registry({
  shapes,
  cifar10,
  cifar100,
  idx,
  'image-folder': imageFolder,
  'segmentation-folder': segmentationFolder,
});

export type DatasetName = keyof typeof DATASETS;

/** What a data set may provide with each image. */
export type TargetsOf<Name extends DatasetName> = (typeof DATASETS)[Name]['targets'][number];

/** What every data set declares, for code that handles all of them. The `name` of its schema is its key. */
export const DATASET_ENTRIES: {
  readonly [Name in DatasetName]: { readonly hasFolders: boolean; readonly schema: z.ZodType<{ name: Name }> };
} = DATASETS;

type Entries = { [Name in DatasetName]: { targetsOf: (data: UnlabelledData<Name>) => TargetKind } };

/** What a data set provides with each image. */
export function targetsOf<Name extends DatasetName>(data: UnlabelledData<Name> & { name: Name }): TargetKind {
  const entries: Entries = DATASETS;
  return entries[data.name].targetsOf(data);
}

/** The keys of one data set, or of any, without those of labels. */
export type UnlabelledData<Name extends DatasetName = DatasetName> = {
  [Each in Name]: WithoutLabels<z.output<(typeof DATASETS)[Each]['schema']>>;
}[Name];
