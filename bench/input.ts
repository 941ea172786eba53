/**
 * Images per second from files to the data that a step uploads, as in pre-training on a GPU: read and decode the file,
 * draw a random resized crop, and copy the pixels that it needs into the layout for the device, which resamples them.
 *
 *   node dist/bench/input.js --data DIR [--cores 2]        DIR/train and DIR/val, each with one folder of images a class
 *
 *   --size N     side of the crops (224)
 *   --batch N    (128)
 *   --steps N    measured batches, after two that are not measured (10)
 *   --peer PY    also measures torchvision's ImageFolder and DataLoader with as many processes, in turn, by this Python
 *   --rounds N   rounds of the two (3); medians are compared
 *   --finetune   augments as in the paper's fine-tuning: RandAugment and random erasing, on threads beside the main one
 *   --plain      with --finetune: only crops and flips
 *   --json       prints one object on standard output
 *
 * The output also includes the time of the main thread, which has to submit the step's kernels meanwhile. Only vitmim
 * keeps the decoded images of small data sets, up to 1 GiB; a data set to be measured should be larger: 4,000
 * photographs.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prefetch, stepsPerEpoch, trainingBatches } from '../src/data/batches.js';
import { openDataset } from '../src/data/dataset.js';
import { imageFolder } from '../src/data/image-folder.js';
import { packViews } from '../src/ops/crop.js';
import { decoding } from '../src/runner/local.js';
import { augmentedView, augmenterOf } from '../src/training/views.js';
import { count, median } from './numbers.js';

const PEER = fileURLToPath(new URL('../../bench/peers/torch_input.py', import.meta.url));
const PRETRAINING = { cropScale: [0.2, 1] as const, flip: true };
const FINE_TUNING_CROPS = { cropScale: [0.08, 1] as const, flip: true };
const FINE_TUNING = {
  ...FINE_TUNING_CROPS,
  randAugment: { magnitude: 9, std: 0.5, ops: 2, probability: 0.5, increasing: true },
  randomErasing: 0.25,
};
const WARM_UP = 2;

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: 'data' },
    cores: { type: 'string', default: String(availableParallelism()) },
    size: { type: 'string', default: '224' },
    batch: { type: 'string', default: '128' },
    steps: { type: 'string', default: '10' },
    peer: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    finetune: { type: 'boolean', default: false },
    plain: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const cores = count('--cores', options.cores);
const size = count('--size', options.size);
const batch = count('--batch', options.batch);
const steps = count('--steps', options.steps);
const rounds = count('--rounds', options.rounds);
if (process.env.UV_THREADPOOL_SIZE === undefined) {
  // The Node process has already read its number of threads; it is started again with the variables that `vitmim sweep`
  // sets.
  const env = { ...process.env, ...decoding(cores) };
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { env, stdio: 'inherit' }).status ?? 1);
}

const fineTuning = options.plain ? FINE_TUNING_CROPS : FINE_TUNING;
const augmenter = augmenterOf({ ...(options.finetune ? fineTuning : PRETRAINING), seed: 0, size }, cores);

interface Measured {
  imagesPerSecond: number;
  /** Milliseconds of all threads of the process for an image. */
  processor: number;
  /** Milliseconds of the main thread for an image. */
  mainThread: number;
}

const { train } = await openDataset(
  imageFolder.schema.parse({ name: 'image-folder', path: options.data, imageSize: size }),
  cores,
);
const ours: Measured[] = [];
const theirs: number[] = [];
for (let round = 0; round < rounds; round++) {
  ours.push(await measure(round));
  if (options.peer !== undefined) theirs.push(measurePeer(options.peer));
}
const result = {
  cores,
  size,
  batch,
  imagesPerSecond: median(ours.map(({ imagesPerSecond }) => imagesPerSecond)),
  processorMilliseconds: median(ours.map(({ processor }) => processor)),
  mainThreadMilliseconds: median(ours.map(({ mainThread }) => mainThread)),
  peerImagesPerSecond: theirs.length > 0 ? median(theirs) : null,
  ratio: theirs.length > 0 ? median(ours.map(({ imagesPerSecond }, i) => imagesPerSecond / theirs[i]!)) : null,
};
if (options.json) console.log(JSON.stringify(result));
else {
  console.log(
    `${result.imagesPerSecond.toFixed(0)} images/s on ${cores} cores, ${result.processorMilliseconds.toFixed(2)} ms of processor time and ${result.mainThreadMilliseconds.toFixed(3)} ms of the main thread each`,
  );
  if (result.ratio !== null)
    console.log(`torchvision ${result.peerImagesPerSecond!.toFixed(0)} images/s: ${result.ratio.toFixed(2)}×`);
}

async function measure(epoch: number): Promise<Measured> {
  const wanted = WARM_UP + steps;
  const epochs = Math.ceil(wanted / stepsPerEpoch(train.length, batch));
  const batches = Array.from({ length: epochs }, (_, more) =>
    trainingBatches(train.length, batch, 0, 1000 * epoch + more),
  ).flat();
  const prepare = async (indices: Int32Array): Promise<void> => {
    const views = Array.from(indices, (index) => augmentedView(train, index, epoch, augmenter));
    const read = (await Promise.all(views)).map(({ view }) => view);
    packViews(read);
    for (const { image } of read) image.release?.();
  };
  const prepared = prefetch(batches.slice(0, wanted), prepare);
  for (let i = 0; i < WARM_UP; i++) await prepared.next();
  const begin = performance.now();
  const before = performance.eventLoopUtilization();
  const cpu = process.cpuUsage();
  for (let i = 0; i < steps; i++) await prepared.next();
  const images = steps * batch;
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    imagesPerSecond: images / seconds,
    processor: (user + system) / 1000 / images,
    mainThread: performance.eventLoopUtilization(before).active / images,
  };
}

function measurePeer(python: string): number {
  const told = execFileSync(python, [
    ...[PEER, '--data', options.data, '--workers', String(cores), '--size', String(size)],
    ...['--batch', String(batch), '--steps', String(steps)],
  ]);
  return (JSON.parse(String(told)) as { imagesPerSecond: number }).imagesPerSecond;
}
