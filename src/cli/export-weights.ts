/** What `vitmim export --weights` and `--onnx` do: the model of one stage for another program, with a model card. */
import { isAbsolute, join } from 'node:path';
import { VERSION } from '../common/version.js';
import { collect } from '../report/collect.js';
import { evidenceOf } from '../report/evidence.js';
import { modelCard, modelMetadata, type DescribedStage } from '../report/model-card.js';
import { findFinished, type FinishedStage } from '../runner/finished-stage.js';
import { describeStage } from '../spec/describe.js';
import type { Plan } from '../spec/stages.js';
import { sweepPaths } from '../store/layout.js';
import { readProvenance } from '../store/provenance.js';
import type { PlanChoice } from '../store/plans.js';
import { exportFiles, type ExportFormat } from '../weights/export/files.js';
import { onnxFiles } from '../weights/export/onnx.js';
import { readExportSource, type ExportSource } from '../weights/export/source.js';
import { writeExport } from '../weights/export/write.js';
import type { StageChoice } from '../runner/choose-stage.js';

/** A stage to export, and the source of its weights. */
export interface ExportedStage extends Omit<FinishedStage, 'checkpoint'> {
  source: ExportSource;
}

/**
 * Reads the stage that a user names.
 *
 * @throws UsageError if no stage or several match, or if it has no result or no undamaged checkpoint.
 */
export function readExported(folder: string, plan: Plan, choice: StageChoice): ExportedStage {
  const { checkpoint, ...found } = findFinished(folder, plan, choice);
  return { ...found, source: readExportSource(checkpoint, found.stage.config, found.result.checkpoint) };
}

/** The facts about a stage on a model card, in every format of export. */
function describeExported({ folder, plan, stage, result }: ExportedStage, choice: PlanChoice): DescribedStage {
  return {
    sweep: plan.name,
    name: describeStage(plan, stage),
    stage,
    pretraining: plan.stages.find(({ id }) => id === stage.parent) ?? null,
    evidence: evidenceOf(collect([folder], choice), stage.id),
    checkpoint: result.checkpoint,
    provenance: readProvenance(sweepPaths(folder).stage(stage.id)),
    version: VERSION,
  };
}

/** The default folder of an export, below the results folder. */
export const exportFolder = ({ folder, stage }: ExportedStage, format: string): string =>
  join(folder, 'exports', `${stage.config.kind}-${stage.id.slice(0, 8)}-${format}`);

/**
 * Exports the weights of a stage.
 *
 * @returns the folder.
 */
export async function exportWeights(
  exported: ExportedStage,
  format: ExportFormat,
  choice: PlanChoice,
  out: string = exportFolder(exported, format),
): Promise<string> {
  const files = exportFiles(format, exported.source);
  const code = [{ language: 'python' as const, lines: inFolder(files.code, out) }];
  const library = format === 'hf' ? 'transformers' : format;
  await writeExport(out, files, modelCard({ ...describeExported(exported, choice), ...files, code, library }));
  return out;
}

/**
 * Exports the model of a stage as ONNX.
 *
 * @returns the folder.
 * @throws UsageError if a weight exceeds the range of float16.
 */
export async function exportOnnx(
  exported: ExportedStage,
  { half }: { half: boolean },
  choice: PlanChoice,
  out: string = exportFolder(exported, 'onnx'),
): Promise<string> {
  const described = describeExported(exported, choice);
  const files = onnxFiles(exported.source, { half, metadata: modelMetadata(described), version: VERSION });
  // transformers.js takes a path of one or two names for a model on its hub.
  const path = isAbsolute(out) ? out : `./${out}`;
  const code = [
    { language: 'python' as const, lines: inFolder(files.code.python, out) },
    { language: 'javascript' as const, lines: inFolder(files.code.javascript, path) },
  ];
  await writeExport(out, files, modelCard({ ...described, ...files, code, library: 'onnx' }));
  return out;
}

const inFolder = (lines: readonly string[], folder: string): string[] =>
  lines.map((line) => line.replaceAll('DIR', folder));
