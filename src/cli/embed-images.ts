/** What `vitmim embed` does. */
import { availableParallelism } from 'node:os';
import type { DeviceChoice } from '../backends/index.js';
import { openDevice } from '../backends/open.js';
import { UsageError } from '../common/errors.js';
import type { DecodeMode } from '../data/formats/format.js';
import { Encoder, type Corrupt, type FeatureBatch } from '../embedding/encoder.js';
import { listImages } from '../embedding/images.js';
import { readEncoder, type EncoderSource } from '../embedding/source.js';
import { writerFor } from '../embedding/writers/index.js';
import type { StageChoice } from '../runner/choose-stage.js';
import type { WeightsFormat } from '../spec/weights-formats.js';
import { countProgress } from './count-progress.js';
import { planChoice, type PlanOptions } from './options.js';
import { onStopSignals, stopCode, STOPPING } from './stop-signals.js';
import { EXIT, print, say } from './terminal.js';

export interface EmbedCommandOptions extends StageChoice, PlanOptions {
  results?: string;
  weights?: string;
  format?: WeightsFormat | 'auto';
  out: string;
  tokens?: true;
  corrupt: Corrupt;
  decode?: DecodeMode;
  device: DeviceChoice;
  threads?: number;
}

/**
 * Computes features and writes them.
 *
 * @returns the exit code.
 * @throws UsageError for images, weights and names of files that cannot be used.
 */
export async function embedImages(given: readonly string[], options: EmbedCommandOptions): Promise<number> {
  const { out, tokens = false, corrupt, threads } = options;
  const writer = writerFor(out, tokens);
  const { decode, name, ...weights } = readEncoder(sourceOf(options));
  const images = await listImages(given);
  const device = await openDevice(options.device, { threads, precision: weights.model.precision });
  const request = onStopSignals(STOPPING);
  const progress = countProgress(images.length, 'images');
  try {
    const encoder = new Encoder(weights);
    if (encoder.model.precision !== weights.model.precision) {
      progress.tell(
        `note: the encoder was trained in ${weights.model.precision!}; device ${device.name} computes in float32`,
      );
    }
    const shape = encoder.shapeOf({ tokens });
    progress.tell(`${images.length} images by ${name}, on ${device.description}`);
    let skipped = 0;
    const batches = encoder.embed(images, {
      tokens,
      corrupt,
      decode: options.decode ?? decode,
      cores: threads ?? availableParallelism(),
      onSkipped: ({ path }, reason) => {
        skipped += 1;
        progress.tell(`warning: left out ${path}, which cannot be decoded (${reason})`);
      },
      onDamaged: ({ path }, reason) => {
        progress.tell(`warning: used ${path}, which is damaged (${reason})`);
      },
      signal: request.stop,
    });
    let done = 0;
    const counted = async function* (): AsyncGenerator<FeatureBatch, void> {
      for await (const batch of batches) {
        yield batch;
        done += batch.names.length;
        progress.update(done + skipped);
      }
      if (request.by !== null) throw new Stopped();
      if (done === 0) throw new UsageError('none of the images can be decoded; name others');
    };
    const files = await writer.write(out, shape, images.length, counted());
    encoder.close();
    progress.close();
    say(`features of ${done} images, [${shape.join(', ')}] each, in ${progress.summary()}`);
    for (const file of files) print(file);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof Stopped) || request.by === null) throw error;
    say(`stopped by ${request.by}; nothing was written`);
    return stopCode(request.by);
  } finally {
    progress.close();
    request.end();
    device.close();
  }
}

/** Ends the writing of a file that will not be complete. */
class Stopped extends Error {}

/** @throws UsageError unless the options name a stage or a file. */
function sourceOf(options: EmbedCommandOptions): EncoderSource {
  const { results, weights, format = 'auto' } = options;
  if (weights !== undefined) {
    const ofStage = (['stage', 'cell', 'kind', 'plan', 'all'] as const).find((name) => options[name] !== undefined);
    if (ofStage !== undefined)
      throw new UsageError(`--${ofStage} chooses a stage; use it with --results, not with --weights`);
    return { kind: 'file', path: weights, format };
  }
  if (options.format !== undefined) throw new UsageError('--format is of a file; use it with --weights');
  if (results === undefined) throw new UsageError('name an encoder: --results with --cell or --stage, or --weights');
  return { kind: 'stage', folder: results, plan: planChoice(options), choice: options };
}
