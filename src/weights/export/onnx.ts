/** The files of an export to ONNX, in the folders in which transformers.js looks for them. */
import { NORMALISATION } from '../about.js';
import { encodeModel } from '../onnx/model.js';
import type { Encoded } from '../onnx/protobuf.js';
import { vitGraph } from '../onnx/vit.js';
import { hfConfig, hfLabels, preprocessorOf } from './files.js';
import type { ExportSource } from './source.js';

export interface OnnxFiles {
  /** The content of files by name. */
  bytes: ReadonlyMap<string, Encoded>;
  json: Readonly<Record<string, object>>;
  what: string;
  /** Three lines each that load it. `DIR` stands for its folder. */
  code: { python: readonly string[]; javascript: readonly string[] };
  notes: readonly string[];
}

export interface OnnxOptions {
  /** Products in float16; see `onnx/vit.ts`. */
  half: boolean;
  /** Further properties of the model, beside its classes and the normalisation. */
  metadata: Readonly<Record<string, string>>;
  /** The version of vitmim. */
  version: string;
  /** The longest file that has its weights itself; those of a larger model are in a file beside it. */
  mostBytes?: number;
}

/**
 * Converts a model.
 *
 * @throws UsageError if a weight exceeds the range of float16.
 */
export function onnxFiles(source: ExportSource, { half, metadata, version, mostBytes }: OnnxOptions): OnnxFiles {
  const { model } = source;
  const kind = source.kind === 'classifier' ? 'classifier' : 'encoder';
  const classes = source.kind === 'classifier' ? source.classes : [];
  const name = half ? 'model_fp16.onnx' : 'model.onnx';
  const encoded = encodeModel(
    {
      producer: { name: 'vitmim', version },
      graph: vitGraph(model, source.weights, { kind, half }),
      metadata: {
        ...metadata,
        ...(classes.length > 0 && { classes: JSON.stringify(classes) }),
        image_mean: JSON.stringify(NORMALISATION.mean),
        image_std: JSON.stringify(NORMALISATION.std),
      },
    },
    `${name}_data`,
    mostBytes,
  );
  return {
    bytes: new Map([
      [`onnx/${name}`, encoded.model],
      ...(encoded.data === null ? [] : [[`onnx/${name}_data`, encoded.data] as const]),
    ]),
    json: {
      'config.json': {
        ...hfConfig(model, 'vit', kind === 'classifier' ? 'ViTForImageClassification' : 'ViTModel'),
        ...(classes.length > 0 && hfLabels(classes)),
        // Without it, browsers look for a quantised model.
        'transformers.js_config': {
          dtype: half ? 'fp16' : 'fp32',
          ...(encoded.data !== null && { use_external_data_format: true }),
        },
      },
      'preprocessor_config.json': preprocessorOf(model),
    },
    what: `${kind} in ONNX (${half ? 'products in float16' : 'float32'})`,
    code: kind === 'classifier' ? classifierCode(name) : encoderCode(name),
    notes: notesOf(source, half),
  };
}

const session = (name: string): string[] => [
  'import onnxruntime',
  `session = onnxruntime.InferenceSession('DIR/onnx/${name}')`,
];

/** @param name Of the file of the model. */
const classifierCode = (name: string): OnnxFiles['code'] => ({
  python: [
    ...session(name),
    "(logits,) = session.run(['logits'], {'pixel_values': pixels})  # float32 [batch, 3, height, width], normalised",
  ],
  javascript: [
    "import { pipeline } from '@huggingface/transformers';",
    "const classify = await pipeline('image-classification', 'DIR');",
    "const classes = await classify('photo.jpg');",
  ],
});

const encoderCode = (name: string): OnnxFiles['code'] => ({
  python: [
    ...session(name),
    "tokens, features = session.run(['last_hidden_state', 'pooled'], {'pixel_values': pixels})  # float32 [batch, 3, height, width], normalised",
  ],
  javascript: [
    "import { AutoModel, AutoProcessor, load_image } from '@huggingface/transformers';",
    "const [processor, model] = [await AutoProcessor.from_pretrained('DIR'), await AutoModel.from_pretrained('DIR')];",
    "const { last_hidden_state, pooled } = await model(await processor(await load_image('photo.jpg')));",
  ],
});

function notesOf(source: ExportSource, half: boolean): string[] {
  const { pooling } = source.model;
  const pooled = pooling === 'mean' ? 'the mean of the patch tokens' : 'the class token';
  return [
    source.kind === 'classifier'
      ? `The classifier reads ${pooled}. The classes, in the order of the logits: ${source.classes.join(', ')}.`
      : `The output pooled is ${pooled}. The decoder of the pre-training is not part of it.`,
    ...(half
      ? [
          'Products of tokens are computed in float16; inputs, outputs, layer norms, residuals and the head are float32.',
        ]
      : []),
  ];
}
