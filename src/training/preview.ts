/**
 * The picture that a pre-training writes beside its numbers: held-out images, the encoder's input and the model's
 * reconstruction. It influences no result and no identity.
 */
import { messageOf } from '../common/errors.js';
import { permutation, stream } from '../common/random.js';
import { viewPixels } from '../common/view.js';
import { evaluationView } from '../data/augment.js';
import { previewSplit } from '../data/stage-data.js';
import type { Parameters } from '../model/parameters.js';
import { predict } from '../model/vit.js';
import type { Example, Objective } from '../objectives/compose.js';
import { renderPreview } from '../objectives/contact-sheet.js';
import { previewPanels, reconstructionStrip } from '../objectives/panels.js';
import type { ModelConfig } from '../spec/model.js';
import { writeFileAtomic } from '../store/files.js';
import type { StageContext } from './stage-context.js';

const IMAGES = 3;
/**
 * Sides in pixels of the panels: small images are enlarged to at most the first, large ones are shrunk to the second.
 */
const [ENLARGED, SHRUNK] = [128, 96];
/** With all colours the file would be three times as large. */
const COLOURS = 256;

/**
 * Writes `preview.png` into the stage's folder. If this fails, the stage only warns and continues.
 *
 * @throws The error of `mayWrite`, if this process may no longer write to the stage.
 */
export async function leavePreview(
  { model, seed }: { model: ModelConfig; seed: number },
  objective: Objective,
  parameters: Parameters,
  { dataset, paths, emit, mayWrite }: Pick<StageContext, 'dataset' | 'paths' | 'emit' | 'mayWrite'>,
): Promise<void> {
  mayWrite();
  try {
    const panels = await previewPanels(objective, await examplesOf(objective, dataset, seed), (batch) =>
      predict(parameters, model, batch.inputs, batch.selection),
    );
    const options = { captions: true, largest: ENLARGED, colours: COLOURS };
    writeFileAtomic(paths.preview, await renderPreview(reconstructionStrip(panels, SHRUNK), options));
  } catch (error) {
    emit({ type: 'warning', message: `wrote no preview.png: ${messageOf(error)}` });
  }
}

/** Some images of {@link previewSplit} that can be decoded, the same for every objective of a seed, degraded. */
async function examplesOf(objective: Objective, dataset: StageContext['dataset'], seed: number): Promise<Example[]> {
  const split = previewSplit(dataset);
  const examples: Example[] = [];
  for (const index of permutation(split.length, stream(seed, 'preview'))) {
    if (examples.length === IMAGES) break;
    const sample = await split.read(index);
    if (sample === null) continue;
    const field = viewPixels(evaluationView(sample.image, objective.fieldSize));
    examples.push(objective.degrade(field, stream(seed, 'preview', index)));
  }
  return examples;
}
