/** Writes features, masks and batches for segmentation-probe.py: `node dist/test/parity/write-segmentation.js FILE`. */
import { writeFileSync } from 'node:fs';
import { openDevice } from '../../src/backends/open.js';
import { trainingBatches } from '../../src/data/batches.js';
import { segmentationCase } from './segmentation-case.js';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('name the file to write');
const device = await openDevice('cpu');
const { config, classes, train, test, head } = await segmentationCase();
const { model, recipe, seed } = config;
const images = train.masks.length / model.imageSize ** 2;
writeFileSync(
  file,
  JSON.stringify({
    size: model.imageSize,
    tokens: model.imageSize / model.patchSize,
    dim: model.dim,
    classes: classes.length,
    recipe,
    train: { features: [...train.features], masks: [...train.masks] },
    test: { features: [...test.features], masks: [...test.masks] },
    head: Object.fromEntries([...head].map(([name, { data }]) => [name, [...data]])),
    batches: Array.from({ length: recipe.epochs }, (_, epoch) =>
      trainingBatches(images, recipe.batchSize, seed, epoch).map((indices) => [...indices]),
    ),
  }),
);
device.close();
