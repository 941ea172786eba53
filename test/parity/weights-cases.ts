/** Models that are exported for the parity tests of weights, the same in every run. */
import { stream } from '../../src/common/random.js';
import { declarations, pretrainPurpose, type Purpose } from '../../src/spec/shapes.js';
import type { EncoderConfig, ModelConfig } from '../../src/spec/model.js';
import { resolveModel } from '../../src/spec/model.js';
import { modelSchema } from '../../src/spec/schema.js';
import type { Task } from '../../src/spec/task.js';
import type { ExportFormat } from '../../src/weights/export/files.js';
import type { ExportSource } from '../../src/weights/export/source.js';
import { positionTable } from '../../src/model/positions.js';
import type { Tensor } from '../../src/weights/tensors.js';

export interface ExportCase {
  name: string;
  formats: ExportFormat[];
  source: ExportSource;
}

const CLASSES = ['ant', 'bee', 'cat', 'dog', 'eel'];

/** MAE's. */
export const TASK: Task = {
  maskRatio: 0.75,
  geometry: { kind: 'none' },
  style: { kind: 'preserved' },
  target: 'patch',
};

function model(imageSize: number, keys: object): ModelConfig {
  const { scratchInit, ...config } = resolveModel(modelSchema.parse({ positions: 'sincos-2d', ...keys }), imageSize);
  return config;
}

/** Values other than 0 and 1, which would hide mistakes. */
function weights(config: EncoderConfig | ModelConfig, purpose: Purpose): Map<string, Tensor> {
  return new Map(
    declarations(config, purpose).map(({ name, shape, kind }) => {
      const random = stream(11, 'weights', name);
      const mean = kind === 'ones' ? 1 : 0;
      const data =
        kind === 'positions'
          ? positionTable(config.positions, Math.sqrt(shape[0]!), shape[1]!)
          : Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal(mean, 0.2));
      return [name, { shape, data }];
    }),
  );
}

function classifier(name: string, formats: ExportFormat[], imageSize: number, keys: object): ExportCase {
  const { decoder, ...config } = model(imageSize, keys);
  const values = weights(config, { for: 'classification', classes: CLASSES.length });
  return { name, formats, source: { kind: 'classifier', model: config, classes: CLASSES, weights: values } };
}

function pretrained(name: string, formats: ExportFormat[], imageSize: number, keys: object, task = TASK): ExportCase {
  const config = model(imageSize, keys);
  const values = weights(config, pretrainPurpose({ model: config, task }));
  return { name, formats, source: { kind: 'pretrained', model: config, task, weights: values } };
}

const SMALL = { patchSize: 4, dim: 12, depth: 2, heads: 3, decoder: { dim: 8, depth: 1, heads: 2 } };
const COARSE = { patchSize: 16, dim: 8, depth: 1, heads: 2, decoder: { dim: 4, depth: 2, heads: 1 } };

export const EXPORT_CASES: readonly ExportCase[] = [
  classifier('mean', ['timm'], 16, { ...SMALL, positions: 'sincos-1d' }),
  classifier('class-token', ['timm', 'mae', 'hf'], 16, {
    ...SMALL,
    classToken: true,
    pooling: 'class-token',
    qkvBias: 'all',
  }),
  classifier('class-token-mean', ['timm', 'mae', 'hf'], 32, { ...COARSE, classToken: true }),
  pretrained('pretrained', ['timm', 'mae', 'hf'], 16, { ...SMALL, classToken: true, pooling: 'class-token' }),
  pretrained('pretrained-coarse', ['timm', 'mae', 'hf'], 32, {
    ...COARSE,
    mlpRatio: 3,
    classToken: true,
    qkvBias: 'all',
    decoder: { ...COARSE.decoder, embedBias: true },
  }),
  pretrained('pretrained-unmasked', ['timm'], 16, SMALL, { ...TASK, maskRatio: 0 }),
];
