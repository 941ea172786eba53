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
  /** What was exported, and the lines that load it. */
  what: string;
  code: readonly Snippet[];
  notes: readonly string[];
  evidence: readonly Evidence[];
  /** The digest of the checkpoint. */
  checkpoint: string | null;
  provenance: StageProvenance | null;
  /** Of the program that writes the card. */
  version: string;
  library: 'timm' | 'transformers' | 'mae' | 'onnx';
}

/** The part of a card that is about the stage: the same in every format of export. */
export type DescribedStage = Omit<CardSource, 'what' | 'code' | 'notes' | 'library'>;

/** Lines of a program. */
export interface Snippet {
  language: 'python' | 'javascript';
  lines: readonly string[];
}

/** The card as Markdown. */
export function modelCard(source: CardSource): string {
  const { sweep, name, stage, what, code, notes } = source;
  const { config } = stage;
  const classifies = config.kind !== 'pretrain';
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
    ...code.flatMap(codeLines),
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

function codeLines({ language, lines }: Snippet): string[] {
  const fence = fenceAround(lines.join('\n'), 3);
  return [`${fence}${language}`, ...lines, fence, ''];
}

function resultLines({ evidence }: CardSource): string[] {
  if (evidence.length === 0) return ['Nothing was measured with it in this sweep.'];
  return [
    markdownRow(['measured by', 'this run', 'mean ± standard deviation over seeds', 'n']),
    markdownRow(['---', '---:', '---:', '---:']),
    ...evidence.map((each) => {
      const { title, own, mean, n } = measurement(each);
      return markdownRow([title, own, mean, String(n)]);
    }),
  ];
}

/** A measurement in words. */
function measurement({ metric: { entry, metric }, own, unhealthy, seeds: { mean, std, n } }: Evidence) {
  const value = (number: number | null): string => (number === null ? 'missing' : formatValue(number, metric));
  const spread = std === null ? '' : ` ± ${std.toFixed(metric.digits)}`;
  return {
    title: `${entry}: ${metric.name}`,
    own: unhealthy === null ? value(own) : `does not count: ${unhealthy}`,
    mean: value(mean) + spread,
    n,
  };
}

/** The cell, the accuracy and the provenance of the card, for formats that have metadata: texts by name. */
export function modelMetadata(source: DescribedStage): Record<string, string> {
  const { sweep, name, stage, evidence, checkpoint, provenance } = source;
  const accuracy = evidence.map((each) => {
    const { title, own, mean, n } = measurement(each);
    return `${title} ${own}, over seeds ${mean} (n = ${n})`;
  });
  const last = provenance?.attempts.at(-1);
  const origin = last && {
    vitmim: last.origin.vitmim.version,
    commit: last.origin.vitmim.repository?.commit,
    spec: last.origin.spec?.commit,
    command: last.origin.command?.join(' '),
    device: last.device.description,
  };
  return {
    sweep,
    cell: name,
    stage: stage.id,
    data_fingerprint: stage.dataFingerprint,
    ...(checkpoint !== null && { checkpoint }),
    accuracy: accuracy.length === 0 ? 'not measured' : accuracy.join('\n'),
    provenance: origin === undefined ? 'not recorded' : JSON.stringify(origin),
  };
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
      ? ['- the provenance was not recorded']
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
