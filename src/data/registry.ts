/** Every data set, by its name in a spec. Adding one is a file beside this and a line here. */
import type { z } from 'zod';
import { cifar10, cifar100 } from './cifar.js';
import type { WithoutLabels } from './entry.js';
import { idx } from './idx.js';
import { imageFolder } from './image-folder.js';
import { shapes } from './shapes.js';
import type { TargetKind } from './target.js';

export const DATASETS = {
  shapes,
  cifar10,
  cifar100,
  idx,
  'image-folder': imageFolder,
} as const;

export type DatasetName = keyof typeof DATASETS;

/** What every data set declares, for code that handles all of them. */
export const DATASET_ENTRIES: Readonly<Record<DatasetName, { targets: TargetKind; hasFolders: boolean }>> = DATASETS;

/** What a data set provides with each image. */
export type TargetsOf<Name extends DatasetName> = (typeof DATASETS)[Name]['targets'];

/** The keys of one data set, or of any, without those of labels. */
export type UnlabelledData<Name extends DatasetName = DatasetName> = {
  [Each in Name]: WithoutLabels<z.output<(typeof DATASETS)[Each]['schema']>>;
}[Name];
