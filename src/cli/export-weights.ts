/** What `vitmim export --weights` does: the weights of one stage for another program, with a model card. */
import { join } from 'node:path';
import { VERSION } from '../common/version.js';
import { collect } from '../report/collect.js';
import { evidenceOf } from '../report/evidence.js';
import { modelCard } from '../report/model-card.js';
import { describeStage } from '../runner/describe.js';
import { findFinished, type FinishedStage } from '../runner/finished-stage.js';
import type { Plan } from '../spec/stages.js';
import { sweepPaths } from '../store/layout.js';
import { readProvenance } from '../store/provenance.js';
import type { PlanChoice } from '../store/plans.js';
import { exportFiles, type ExportFormat } from '../weights/export/files.js';
import { readExportSource, type ExportSource } from '../weights/export/source.js';
import { writeExport } from '../weights/export/write.js';
import type { CardSource } from '../report/model-card.js';
import type { StageChoice } from '../runner/choose-stage.js';

/** A stage to export, and where it is from. */
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

/** What a model card says of a stage, whatever is exported of it. */
export function cardOf(
  { folder, plan, stage, result }: ExportedStage,
  choice: PlanChoice,
  files: Pick<CardSource, 'what' | 'code' | 'notes' | 'library'>,
): string {
  return modelCard({
    sweep: plan.name,
    name: describeStage(plan, stage),
    stage,
    pretraining: plan.stages.find(({ id }) => id === stage.parent) ?? null,
    evidence: evidenceOf(collect([folder], choice), stage.id),
    checkpoint: result.checkpoint,
    provenance: readProvenance(sweepPaths(folder).stage(stage.id)),
    version: VERSION,
    ...files,
  });
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
  const code = files.code.map((line) => line.replaceAll('DIR', out));
  const library = format === 'hf' ? 'transformers' : format;
  await writeExport(out, files, cardOf(exported, choice, { ...files, code, library }));
  return out;
}
