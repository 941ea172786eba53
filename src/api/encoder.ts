/** Encoders and features of the typed API. TensorFlow.js is loaded when an encoder is opened. */
import { availableParallelism } from 'node:os';
import { UsageError } from '../common/errors.js';
import { listImages } from '../embedding/images.js';
import { readEncoder, type EncoderSource } from '../embedding/source.js';
import { STAGE_KINDS } from '../stages/index.js';
import type { FeatureOptions, Features, FileEncoder, ImageEncoder, OpenEncoderOptions, StageEncoder } from './types.js';

/**
 * Reads an encoder and opens a device for it. A process has one device: close an encoder before you open another.
 *
 * @throws UsageError if there is no such encoder, its file is damaged or does not fit, or the device is not available.
 */
export async function openEncoder(
  where: StageEncoder | FileEncoder,
  { device: asked = 'auto', threads }: OpenEncoderOptions = {},
): Promise<ImageEncoder> {
  const { name, decode, ...weights } = readEncoder(sourceOf(where));
  const [{ openDevice }, { Encoder }, { joinArrays }] = await Promise.all([
    import('../backends/open.js'),
    import('../embedding/encoder.js'),
    import('../training/evaluate.js'),
  ]);
  const device = await openDevice(asked, { threads, precision: weights.model.precision });
  const encoder = new Encoder(weights);
  const { imageSize, patchSize, dim } = encoder.model;

  async function* batches(images: string | readonly string[], options: FeatureOptions = {}): AsyncGenerator<Features> {
    const { tokens = false, onProgress, onSkipped, onDamaged, signal, corrupt = 'fail' } = options;
    const listed = await listImages(typeof images === 'string' ? [images] : images);
    const shape = encoder.shapeOf({ tokens });
    let done = 0;
    const computed = encoder.embed(listed, {
      tokens,
      corrupt,
      decode: options.decode ?? decode,
      cores: threads ?? availableParallelism(),
      onSkipped: ({ path }, reason) => {
        done += 1;
        onSkipped?.(path, reason);
      },
      onDamaged: ({ path }, reason) => onDamaged?.(path, reason),
      ...(signal === undefined ? {} : { signal }),
    });
    for await (const { names, values } of computed) {
      signal?.throwIfAborted();
      done += names.length;
      yield { names, data: values, shape };
      onProgress?.(done, listed.length);
    }
    signal?.throwIfAborted();
  }

  return {
    name,
    device: `${device.name}: ${device.description}`,
    ...{ imageSize, patchSize, width: dim },
    batches,
    async features(images, options = {}) {
      const names: string[] = [];
      const parts: Float32Array[] = [];
      for await (const batch of batches(images, options)) {
        names.push(...batch.names);
        parts.push(batch.data);
      }
      return { names, data: joinArrays(parts), shape: encoder.shapeOf(options) };
    },
    close: () => {
      encoder.close();
      device.close();
    },
  };
}

function sourceOf(where: StageEncoder | FileEncoder): EncoderSource {
  if ('weights' in where) return { kind: 'file', path: where.weights, format: where.format ?? 'auto' };
  const { results, plan = 'newest', stage, cell, kind: asked } = where;
  const kind = STAGE_KINDS.find((name) => name === asked);
  if (asked !== undefined && kind === undefined) {
    throw new UsageError(`"${asked}" is no kind of stage; the kinds are ${STAGE_KINDS.join(', ')}`);
  }
  const choice = {
    ...(stage === undefined ? {} : { stage }),
    ...(cell === undefined ? {} : { cell }),
    ...(kind === undefined ? {} : { kind }),
  };
  return { kind: 'stage', folder: results, plan, choice };
}
