/** The files of an export: weights, configurations, and the code that loads them. */
import { UsageError } from '../../common/errors.js';
import type { PatchNormalization } from '../../ops/normalize-patches.js';
import type { EncoderConfig } from '../../spec/model.js';
import { targetEntry } from '../../spec/task.js';
import type { WeightsFormat } from '../../spec/weights-formats.js';
import { NORMALISATION } from '../about.js';
import { toForeign } from '../names.js';
import type { Tensor, TensorsByName } from '../tensors.js';
import type { Classifier, ExportSource, Pretrained } from './source.js';

export type ExportFormat = Exclude<WeightsFormat, 'vitmim'>;

/** What an export consists of, apart from the model card. */
export interface ExportFiles {
  /** Tensors by the name of their file. */
  weights: ReadonlyMap<string, TensorsByName>;
  /** JSON files by name. */
  json: Readonly<Record<string, object>>;
  /** What was exported: `classifier (ViTForImageClassification)`. */
  what: string;
  /** Lines of Python that load it. `DIR` stands for its folder. */
  code: readonly string[];
  /** Limits of the export for its user, in sentences. */
  notes: readonly string[];
}

const WEIGHTS_FILE = 'model.safetensors';
const EPSILON = 1e-6;

/**
 * Converts a model.
 *
 * @throws UsageError if the format cannot represent it. The message names one that can.
 */
export function exportFiles(format: ExportFormat, source: ExportSource): ExportFiles {
  switch (format) {
    case 'timm':
      return timmFiles(source);
    case 'mae':
      return maeFiles(source);
    case 'hf':
      return hfFiles(source);
  }
}

/** Width of the MLP for a width of tokens. */
const hiddenOf = (dim: number, { mlpRatio }: EncoderConfig): number => Math.round(dim * mlpRatio);

/** The ratio from which Python's int(dim * ratio) gives the width of the MLP. */
function pythonRatio(dim: number, model: EncoderConfig): number {
  const hidden = hiddenOf(dim, model);
  return Math.trunc(dim * model.mlpRatio) === hidden ? model.mlpRatio : (hidden + 0.5) / dim;
}

/** The tensors of the encoder, without decoder and head. */
const encoderOf = (weights: TensorsByName): Map<string, Tensor> =>
  new Map([...weights].filter(([name]) => !/^(decoder_|mask_token|head\.|fc_norm\.)/.test(name)));

// --- timm ------------------------------------------------------------------------------------------------------------

function timmFiles(source: ExportSource): ExportFiles {
  const { model } = source;
  const classes = source.kind === 'classifier' ? source.classes : [];
  const pool = model.pooling === 'mean' ? 'avg' : 'token';
  const weights = source.kind === 'classifier' ? source.weights : encoderOf(source.weights);
  return {
    weights: new Map([[WEIGHTS_FILE, toForeign('timm', weights)]]),
    json: {
      'config.json': {
        architecture: 'vit_base_patch16_224',
        num_classes: classes.length,
        num_features: model.dim,
        global_pool: pool,
        model_args: {
          img_size: model.imageSize,
          patch_size: model.patchSize,
          embed_dim: model.dim,
          depth: model.depth,
          num_heads: model.heads,
          mlp_ratio: pythonRatio(model.dim, model),
          class_token: model.classToken,
          global_pool: pool,
          // A classifier has its own norm of the mean; features are the mean of normalised tokens.
          fc_norm: source.kind === 'classifier' && pool === 'avg',
        },
        pretrained_cfg: {
          ...(classes.length > 0 && { label_names: classes }),
          num_classes: classes.length,
          input_size: [3, model.imageSize, model.imageSize],
          fixed_input_size: true,
          interpolation: 'bicubic',
          crop_pct: cropShare(model),
          crop_mode: 'center',
          ...NORMALISATION,
          first_conv: 'patch_embed.proj',
          classifier: 'head',
        },
      },
      'preprocessor_config.json': preprocessorOf(model),
    },
    what: source.kind === 'classifier' ? 'classifier of timm' : 'encoder of timm',
    code: [
      'import timm',
      "model = timm.create_model('local-dir:DIR', pretrained=True).eval()",
      source.kind === 'classifier'
        ? 'logits = model(pixels)  # pixels: [batch, 3, height, width], normalised'
        : 'features = model(pixels)  # pixels: [batch, 3, height, width], normalised',
    ],
    notes: source.kind === 'classifier' ? [] : ['The decoder of the pre-training is not part of it.'],
  };
}

/** The share of the resized image that evaluation sees (`data/augment.ts`). */
const cropShare = ({ imageSize }: EncoderConfig): number =>
  imageSize <= 224 ? imageSize / Math.floor((imageSize * 256) / 224) : 1;

// --- MAE -------------------------------------------------------------------------------------------------------------

function maeFiles(source: ExportSource): ExportFiles {
  const { model } = source;
  requireClassToken(model, "MAE's models have");
  const sizes = { img_size: model.imageSize, patch_size: model.patchSize, embed_dim: model.dim, depth: model.depth };
  const encoder = { ...sizes, num_heads: model.heads, mlp_ratio: pythonRatio(model.dim, model) };
  const json = (config: object) => ({ 'config.json': config, 'preprocessor_config.json': preprocessorOf(model) });
  const weights = new Map([[WEIGHTS_FILE, toForeign('mae', source.weights)]]);
  const load = [
    'import json, functools, torch, safetensors.torch',
    "config = {**json.load(open('DIR/config.json')), 'norm_layer': functools.partial(torch.nn.LayerNorm, eps=1e-6)}",
  ];
  if (source.kind === 'classifier') {
    const config = {
      ...encoder,
      num_classes: source.classes.length,
      global_pool: model.pooling === 'mean',
      qkv_bias: true,
    };
    return {
      weights,
      json: json(config),
      what: 'classifier of MAE (models_vit)',
      code: [
        ...load,
        'import models_vit; model = models_vit.VisionTransformer(**config).eval()',
        "model.load_state_dict(safetensors.torch.load_file('DIR/model.safetensors'))",
      ],
      notes: [`The classes, in the order of the outputs: ${source.classes.join(', ')}.`],
    };
  }
  const pixels = requirePixels(source);
  return {
    weights,
    json: json({
      ...encoder,
      decoder_embed_dim: source.model.decoder.dim,
      decoder_depth: source.model.decoder.depth,
      decoder_num_heads: source.model.decoder.heads,
      norm_pix_loss: pixels === 'patch',
    }),
    what: 'encoder and decoder of MAE (models_mae)',
    code: [
      ...load,
      'import models_mae; model = models_mae.MaskedAutoencoderViT(**config).eval()',
      "model.load_state_dict(safetensors.torch.load_file('DIR/model.safetensors'))",
    ],
    notes: lossNotes(pixels),
  };
}

/** How the loss of the pre-training differs from the loss of MAE. */
function lossNotes(pixels: PatchNormalization): string[] {
  return pixels === 'patch-channel'
    ? [
        "The targets were normalised per patch and channel, and MAE's loss normalises them per patch: its value differs.",
      ]
    : [];
}

/**
 * How the pixels are normalised that the decoder predicts.
 *
 * @throws UsageError if it predicts other values, even as many.
 */
function requirePixels({ task: { target } }: Pretrained): PatchNormalization {
  const { pixels } = targetEntry(target);
  if (pixels !== undefined) return pixels;
  throw new UsageError(
    `the decoder predicts ${target}, and MAE's predict pixels; export the encoder by --weights timm`,
  );
}

function requireClassToken({ classToken }: EncoderConfig, who: string): void {
  if (classToken) return;
  throw new UsageError(
    `the model has no class token, which ${who} always; export by --weights timm, or pre-train with model.classToken: true`,
  );
}

// --- Hugging Face ----------------------------------------------------------------------------------------------------

function hfFiles(source: ExportSource): ExportFiles {
  requireClassToken(source.model, 'the models of Hugging Face transformers have');
  if (source.kind === 'pretrained') return hfPretrained(source);
  return source.model.pooling === 'class-token' ? hfClassifier(source) : hfEncoder(source);
}

/** The `config.json` of a model of transformers. */
export const hfConfig = (model: EncoderConfig, type: 'vit' | 'vit_mae', architecture: string): object => ({
  architectures: [architecture],
  model_type: type,
  image_size: model.imageSize,
  patch_size: model.patchSize,
  num_channels: 3,
  hidden_size: model.dim,
  num_hidden_layers: model.depth,
  num_attention_heads: model.heads,
  intermediate_size: hiddenOf(model.dim, model),
  hidden_act: 'gelu',
  qkv_bias: true,
  layer_norm_eps: EPSILON,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
});

/** The classes of a model of transformers. */
export const hfLabels = (classes: readonly string[]): object => ({
  id2label: Object.fromEntries(classes.map((name, i) => [String(i), name])),
  label2id: Object.fromEntries(classes.map((name, i) => [name, i])),
});

/** The processor of transformers. It resizes the whole image; evaluation here cuts out the centre. */
export const preprocessorOf = (model: EncoderConfig): object => ({
  image_processor_type: 'ViTImageProcessor',
  do_resize: true,
  size: { height: model.imageSize, width: model.imageSize },
  resample: 3,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: NORMALISATION.mean,
  image_std: NORMALISATION.std,
});

/** Prefixes the tensors of the encoder, as models around it have them. */
const below = (prefix: string, weights: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  new Map(
    [...weights].map(([name, tensor]) => [/^(classifier|decoder)\./.test(name) ? name : `${prefix}.${name}`, tensor]),
  );

function hfPretrained(source: Pretrained): ExportFiles {
  const pixels = requirePixels(source);
  const { model, task, weights } = source;
  return {
    weights: new Map([[WEIGHTS_FILE, below('vit', toForeign('hf', weights))]]),
    json: {
      'config.json': {
        ...hfConfig(model, 'vit_mae', 'ViTMAEForPreTraining'),
        decoder_hidden_size: model.decoder.dim,
        decoder_num_hidden_layers: model.decoder.depth,
        decoder_num_attention_heads: model.decoder.heads,
        decoder_intermediate_size: hiddenOf(model.decoder.dim, model),
        mask_ratio: task.maskRatio,
        norm_pix_loss: pixels === 'patch',
      },
      'preprocessor_config.json': preprocessorOf(model),
    },
    what: 'ViTMAEForPreTraining of transformers',
    code: [
      'from transformers import ViTMAEForPreTraining',
      "model = ViTMAEForPreTraining.from_pretrained('DIR').eval()",
      'loss = model(pixel_values).loss  # of a random mask',
    ],
    notes: lossNotes(pixels),
  };
}

function hfClassifier({ model, classes, weights }: Classifier): ExportFiles {
  return {
    weights: new Map([[WEIGHTS_FILE, below('vit', toForeign('hf', weights))]]),
    json: {
      'config.json': {
        ...hfConfig(model, 'vit', 'ViTForImageClassification'),
        ...hfLabels(classes),
      },
      'preprocessor_config.json': preprocessorOf(model),
    },
    what: 'ViTForImageClassification of transformers',
    code: [
      'from transformers import ViTForImageClassification',
      "model = ViTForImageClassification.from_pretrained('DIR').eval()",
      'logits = model(pixel_values).logits',
    ],
    notes: [],
  };
}

/**
 * The classifier of transformers reads the class token, so a mean-pooled one is exported as an encoder with its head in
 * a file of its own. The encoder of such a model has no last norm: the file has one that scales nothing.
 */
function hfEncoder({ model, classes, weights }: Classifier): ExportFiles {
  const encoder = encoderOf(weights)
    .set('norm.weight', { shape: [model.dim], data: new Float32Array(model.dim).fill(1) })
    .set('norm.bias', { shape: [model.dim], data: new Float32Array(model.dim) });
  const head = new Map([...weights].filter(([name]) => /^(head|fc_norm)\./.test(name)));
  return {
    weights: new Map([
      [WEIGHTS_FILE, toForeign('hf', encoder)],
      ['head.safetensors', toForeign('timm', head)],
    ]),
    json: { 'config.json': hfConfig(model, 'vit', 'ViTModel'), 'preprocessor_config.json': preprocessorOf(model) },
    what: 'ViTModel of transformers, with a head in head.safetensors',
    code: [
      'import torch; from transformers import ViTModel; from safetensors.torch import load_file',
      "model, head = ViTModel.from_pretrained('DIR', add_pooling_layer=False).eval(), load_file('DIR/head.safetensors')",
      'model.layernorm = torch.nn.Identity()  # the head has its own norm, of the mean',
      'mean = model(pixel_values).last_hidden_state[:, 1:].mean(1)',
      "normed = torch.nn.functional.layer_norm(mean, mean.shape[1:], head['fc_norm.weight'], head['fc_norm.bias'], 1e-6)",
      "logits = normed @ head['head.weight'].T + head['head.bias']",
    ],
    notes: [
      'The classifier of transformers reads the class token, and this one reads the mean of the patch tokens: so this is an ' +
        'encoder, with its head beside it.',
      `The classes, in the order of the head's outputs: ${classes.join(', ')}.`,
    ],
  };
}
