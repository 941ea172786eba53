/** Draws the picture of `vitmim preview`. */
import { existsSync, readFileSync } from 'node:fs';
import type * as tf from '@tensorflow/tfjs';
import type { DeviceChoice } from '../backends/index.js';
import { openDevice } from '../backends/open.js';
import { messageOf, UsageError } from '../common/errors.js';
import type { ByteImage, FloatImage } from '../common/image.js';
import { stream } from '../common/random.js';
import { resampleImage } from '../common/resample.js';
import { openDataset } from '../data/dataset.js';
import { decodeImage } from '../data/decode.js';
import { disposeParameters, toParameters, type Parameters } from '../model/parameters.js';
import { predict } from '../model/vit.js';
import { composeObjective, type Batch } from '../objectives/compose.js';
import { renderPreview } from '../objectives/contact-sheet.js';
import { encodeNpy } from '../objectives/npy.js';
import { panelArray, previewPanels, type Panels } from '../objectives/panels.js';
import { hasProducts } from '../ops/index.js';
import { describeCell, resolveTask } from '../spec/cells.js';
import type { ModelConfig } from '../spec/model.js';
import { parseObjective, taskName } from '../spec/objective.js';
import { jobSchema } from '../spec/schema.js';
import type { Task } from '../spec/task.js';
import { readJson, writeFileAtomic } from '../store/files.js';
import { stagePaths } from '../store/layout.js';
import { isThere } from '../store/open.js';
import { stageSchema } from '../store/records.js';
import { pretrainShapes } from '../spec/shapes.js';
import { CorruptFileError } from '../store/safetensors.js';
import { readWeights } from '../training/state.js';
import { loadSweep } from '../runner/plan-sweep.js';
import { print, say } from './terminal.js';

/** The options of the command line. */
export interface PreviewOptions {
  image?: string[];
  out: string;
  npy?: string;
  checkpoint?: string;
  imageSize: number;
  patchSize: number;
  seed: number;
  device: DeviceChoice;
}

/** One row of the picture is one subject applied to one image. */
interface Subject {
  name: string;
  task: Task;
  sizes: { imageSize: number; patchSize: number };
}

/** @throws UsageError for files and names that cannot be drawn. */
export async function drawPreview(what: string[], options: PreviewOptions): Promise<void> {
  const trained = options.checkpoint === undefined ? undefined : loadCheckpoint(options.checkpoint);
  const subjects = subjectsOf(what, options, trained);
  const images = options.image ? await Promise.all(options.image.map(loadImage)) : await generatedImages();
  const device = await openDevice(trained ? options.device : 'cpu');
  try {
    const parameters = trained ? toParameters(trained.weights) : undefined;
    const panels: Panels[] = [];
    for (const [row, subject] of subjects.entries()) {
      say(`row ${row * images.length + 1}: ${subject.name}`);
      panels.push(await panelsOf(subject, images, options.seed, trained && reconstructor(trained.model, parameters!)));
    }
    if (parameters) disposeParameters(parameters);
    const joined = joinRows(panels);
    const labels = subjects.flatMap(({ name }) => images.map(() => name));
    writeFileAtomic(options.out, await renderPreview(joined, { captions: true, labels }));
    if (options.npy !== undefined) writeFileAtomic(options.npy, encodeNpy(panelArray(joined)));
    for (const file of [options.out, options.npy]) if (file !== undefined) print(file);
  } finally {
    device.close();
  }
}

type Trained = ReturnType<typeof loadCheckpoint>;

/** @throws UsageError when the folder holds no pre-training with a checkpoint, or a damaged one. */
function loadCheckpoint(folder: string) {
  const paths = stagePaths(folder);
  const stage = readJson(paths.stage, stageSchema, 'run the sweep again: it repeats the stage');
  if (stage?.config.kind !== 'pretrain' || !isThere(paths.checkpoint)) {
    throw new UsageError(`${folder} holds no pre-training with a checkpoint; stages lie in results/<sweep>/stages`);
  }
  const { task, model } = stage.config;
  try {
    const owner = { stage: stage.id, parent: null, shapes: pretrainShapes(stage.config) };
    const { weights } = readWeights(paths.checkpoint, owner);
    return { task, model, weights };
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error;
    throw new UsageError(`${error.message}; delete it; the next sweep pre-trains again if a stage needs it`);
  }
}

function reconstructor({ precision, ...float32 }: ModelConfig, parameters: Parameters) {
  // In a picture, the precision of the training makes no visible difference.
  const model = precision !== undefined && hasProducts(precision) ? { ...float32, precision } : float32;
  return ({ inputs, selection }: Batch): tf.Tensor3D => {
    if (selection && !parameters.has('mask_token')) {
      throw new UsageError('this model was pre-trained without a mask; it cannot fill in removed tokens');
    }
    return predict(parameters, model, inputs, selection);
  };
}

/** @throws UsageError for names that are neither objectives nor a spec file. */
function subjectsOf(what: string[], { imageSize, patchSize }: PreviewOptions, trained: Trained | undefined): Subject[] {
  const sizes = trained?.model ?? { imageSize, patchSize };
  if (what.length === 0) {
    if (!trained) throw new UsageError('name an objective or a spec, or give --checkpoint');
    return [{ name: taskName(trained.task), task: trained.task, sizes }];
  }
  const [first] = what;
  if (what.length === 1 && existsSync(first!)) return subjectsOfSpec(first!, trained && sizes);
  return what.map((name) => {
    const objective = parseObjective(name);
    if (objective.kind === 'invalid') throw new UsageError(`${objective.reason} (nor is ${name} a file)`);
    const resolved = resolveTask(jobSchema.parse({ objective: name }), sizes.patchSize);
    if (resolved.kind !== 'task')
      throw new UsageError(`${name} has no pre-training to show; name an objective that has one, such as masked`);
    return { name, task: resolved.task, sizes };
  });
}

/** Every task of a sweep once. */
function subjectsOfSpec(file: string, sizes: Subject['sizes'] | undefined): Subject[] {
  const subjects = new Map<string, Subject>();
  for (const { cell, task, model } of loadSweep(file, []).cells) {
    const key = JSON.stringify(task);
    if (task && !subjects.has(key)) subjects.set(key, { name: describeCell(cell), task, sizes: sizes ?? model });
  }
  if (new Set([...subjects.values()].map((subject) => subject.sizes.imageSize)).size > 1) {
    throw new UsageError(`${file} has images of several sizes; preview its objectives by name, with --image-size`);
  }
  return [...subjects.values()];
}

async function loadImage(file: string): Promise<(size: number) => FloatImage> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`);
  }
  const { image } = await decodeImage(bytes).catch((error: unknown) => {
    throw new UsageError(`${file} cannot be decoded: ${messageOf(error)}`);
  });
  return centreSquare(image);
}

/** Images of the built-in data set, if the user names no file. */
async function generatedImages(): Promise<((size: number) => FloatImage)[]> {
  const shapes = { name: 'shapes', imageSize: 288, trainImages: 10, testImages: 10 } as const;
  const { test } = await openDataset(shapes);
  const samples = await Promise.all([0, 1].map((index) => test.sample(index)));
  return samples.map(({ image }) => centreSquare(image));
}

function centreSquare(image: ByteImage): (size: number) => FloatImage {
  const side = Math.min(image.height, image.width);
  const top = Math.floor((image.height - side) / 2);
  const left = Math.floor((image.width - side) / 2);
  return (size) => resampleImage(image, { top, left, height: side, width: side }, size, size, 'bicubic');
}

async function panelsOf(
  { task, sizes }: Subject,
  images: readonly ((size: number) => FloatImage)[],
  seed: number,
  model: ((batch: Batch) => tf.Tensor3D) | undefined,
): Promise<Panels> {
  const objective = composeObjective(task, sizes);
  const examples = images.map((image, index) =>
    objective.degrade(image(objective.fieldSize), stream(seed, 'preview', index)),
  );
  return previewPanels(objective, examples, model);
}

/** Rows of several objectives below each other. If nothing is masked, the visible tokens are the whole input. */
function joinRows(panels: readonly Panels[]): Panels {
  const captions = panels.reduce<readonly string[]>((longest, { captions: own }) => {
    return own.length > longest.length ? own : longest;
  }, []);
  const rows = panels.flatMap(({ captions: own, rows: ownRows }) =>
    ownRows.map((row) => captions.map((caption) => row[own.indexOf(own.includes(caption) ? caption : 'input')]!)),
  );
  return { captions, rows };
}
