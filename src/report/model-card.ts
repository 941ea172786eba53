/** The model card of an export: a README.md as the hubs of models show it. */
import type { Stage } from '../spec/stages.js';
import { formatValue } from '../stages/metrics.js';
import { STAGE_ENTRIES } from '../stages/index.js';
import type { StageProvenance } from '../store/provenance.js';
import { NORMALISATION } from '../weights/about.js';
import type { Evidence } from './evidence.js';
import { fenceAround, markdownCode, markdownRow, markdownText } from './writers/markdown.js';

export interface CardSource {
  sweep: string;
  /** The name of the stage among those of its sweep. */
  name: string;
  stage: Stage;
  /** The pre-training that it started from; null: none. */
  pretraining: Stage | null;
  /** What was exported, and the lines of Python that load it. */
  what: string;
  code: readonly string[];
  notes: readonly string[];
  evidence: readonly Evidence[];
  /** The digest of the checkpoint. */
  checkpoint: string | null;
  provenance: StageProvenance | null;
  /** Of the program that writes the card. */
  version: string;
  library: 'timm' | 'transformers' | 'mae' | 'onnx';
}

/** The card as Markdown. */
export function modelCard(source: CardSource): string {
  const { sweep, name, stage, what, code, notes } = source;
  const { config } = stage;
  const classifies = config.kind !== 'pretrain';
  const fence = fenceAround(code.join('\n'), 3);
  return [
    '---',
    `library_name: ${source.library}`,
    `pipeline_tag: ${classifies ? 'image-classification' : 'image-feature-extraction'}`,
    'tags: [vitmim]',
    '---',
    '',
    `# ${markdownText(`${name} of the sweep ${sweep}`)}`,
    '',
    markdownText(`${what}, exported by vitmim ${source.version} from a ${STAGE_ENTRIES[config.kind].title}.`),
    '',
    `${fence}python`,
    ...code,
    fence,
    '',
    `Images are RGB in [0, 1], ${config.model.imageSize} × ${config.model.imageSize}, normalised with the mean ` +
      `${NORMALISATION.mean.join(', ')} and the standard deviation ${NORMALISATION.std.join(', ')}.`,
    '',
    ...notes.flatMap((note) => [markdownText(note), '']),
    '## Results',
    '',
    ...resultLines(source),
    '',
    '## Recipe',
    '',
    ...recipeLines(source),
    '## Provenance',
    '',
    ...provenanceLines(source),
    '',
  ].join('\n');
}

function resultLines({ evidence }: CardSource): string[] {
  if (evidence.length === 0) return ['Nothing was measured with it in this sweep.'];
  return [
    markdownRow(['measured by', 'this run', 'mean ± standard deviation over seeds', 'n']),
    markdownRow(['---', '---:', '---:', '---:']),
    ...evidence.map(({ metric: { entry, metric }, own, unhealthy, seeds: { mean, std, n } }) => {
      const value = (number: number | null): string => (number === null ? 'missing' : formatValue(number, metric));
      const spread = std === null ? '' : ` ± ${std.toFixed(metric.digits)}`;
      return markdownRow([
        `${entry}: ${metric.name}`,
        unhealthy === null ? value(own) : `does not count: ${unhealthy}`,
        value(mean) + spread,
        String(n),
      ]);
    }),
  ];
}

function recipeLines({ stage, pretraining }: CardSource): string[] {
  return [pretraining, stage].flatMap((each) => {
    if (each === null) return [];
    const { kind, ...config } = each.config;
    const text = JSON.stringify(config, null, 2);
    const fence = fenceAround(text, 3);
    return [`${markdownText(STAGE_ENTRIES[kind].title)} (stage ${each.id}):`, '', `${fence}json`, text, fence, ''];
  });
}

function provenanceLines({ stage, checkpoint, provenance }: CardSource): string[] {
  const last = provenance?.attempts.at(-1);
  const lines = [
    `stage ${stage.id}, fingerprint of the data ${stage.dataFingerprint.slice(0, 16)}`,
    ...(checkpoint === null ? [] : [`checkpoint ${checkpoint}`]),
  ];
  const details =
    last === undefined
      ? ['- where it was computed was not recorded']
      : [
          `- vitmim ${markdownText(last.origin.vitmim.version)}${commitOf(last.origin.vitmim.repository)}`,
          ...(last.origin.spec === null ? [] : [`- spec${commitOf(last.origin.spec)}`]),
          ...(last.origin.command === null ? [] : [`- command ${markdownCode(last.origin.command.join(' '))}`]),
          `- device ${markdownText(last.device.description)}`,
        ];
  return [...lines.map((line) => `- ${markdownText(line)}`), ...details];
}

const commitOf = (repository: { commit: string | null; dirty: boolean } | null): string =>
  repository?.commit == null
    ? ''
    : `, commit ${repository.commit}${repository.dirty ? ' with uncommitted changes' : ''}`;
