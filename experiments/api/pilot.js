// A pilot study from a program: plans a small sweep, runs it, prints the accuracies, and compares images by
// the features of the best encoder. No data set is needed; half a minute on two cores.
//
//   node node_modules/vitmim/experiments/api/pilot.js [results folder] [folder of images]
// @ts-check
import { openEncoder, planSweep, readResults, readSpec, runSweep } from 'vitmim';

const SPEC = `
job:
  data: { name: shapes, imageSize: 16, trainImages: 200, testImages: 100 }
  model: { dim: 32, depth: 2, heads: 2, patchSize: 4, decoder: { dim: 16, depth: 1, heads: 1 } }
  pretrain: { epochs: 2, warmupEpochs: 0, batchSize: 50 }
  evaluate: [knn]
grid: { objective: [masked, zoomed-in], seed: [0, 1] }
`;
const folder = process.argv[2] ?? 'results/pilot';

const spec = readSpec({ text: SPEC, name: 'pilot' });
console.log(`${spec.cells.length} cells: ${[...new Set(spec.cells.map(({ objective }) => objective))].join(', ')}`);
const plan = await planSweep(spec, { onMessage: (line) => console.log(line) });

const summary = await runSweep(plan, {
  folder,
  device: 'simd',
  onEvent: (event) => {
    switch (event.type) {
      case 'stage-done':
        console.log(`${event.stage.name}: ${event.seconds.toFixed(1)} s`);
        break;
      case 'stage-failed':
        console.error(`${event.stage.name}: ${event.reason}`);
        break;
    }
  },
});
if (summary.failed.length > 0) throw new Error(`${summary.failed.length} stages failed`);

const { rows } = readResults(folder);
for (const { objective, seed, value, unit } of rows) console.log(`${objective} seed ${seed}: ${value} ${unit}`);
const [best] = [...rows].sort((a, b) => (b.value ?? 0) - (a.value ?? 0));

// Any folder of images; here the pictures of reconstructions that vitmim drew for each pre-training.
const images = process.argv[3] ?? `${folder}/stages`;
const encoder = await openEncoder({ results: folder, stage: best?.pretrain ?? '' }, { device: 'simd' });
const { names, data, shape } = await encoder.features(images);
encoder.close();
const [width = 0] = shape;
const first = data.subarray(0, width);
for (const [i, name] of names.entries()) {
  const other = data.subarray(i * width, (i + 1) * width);
  console.log(`${name}: cosine similarity to the first ${cosine(first, other).toFixed(3)}`);
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function cosine(a, b) {
  /** @type {(x: Float32Array, y: Float32Array) => number} */
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
