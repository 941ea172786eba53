/** Pages of small sweeps that have every figure: a factorial of mask, misalignment and style, and numbers of epochs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ReportData } from '../../../src/report/collect.js';
import type { ShownVerdict } from '../../../src/report/html/page.js';
import { htmlReport } from '../../../src/report/html/write.js';
import { buildTables, metricOf, readableTables } from '../../../src/report/report.js';
import { writeJson } from '../../../src/store/files.js';
import { sweepPaths } from '../../../src/store/layout.js';
import { collect } from '../support.js';

/** 12 degradations and scratch, two seeds each. */
export const FACTORIAL = `
job: {evaluate: [knn]}
grid:
  objective: [identity]
  maskRatio: [0, 0.75]
  misalignment: [none, zoomed-in, distorted]
  stylePreservation: [preserved, blurred]
  seed: [0, 1]
include:
  - {objective: scratch, seed: [0, 1]}`;

/** Gives every pre-training of a folder these losses. */
export function setLosses(folder: string, losses: readonly number[]): void {
  for (const [id, { result }] of collect([folder]).stages) {
    if (result?.kind === 'pretrain') writeJson(sweepPaths(folder).stage(id).result, { ...result, losses });
  }
}

/** Gives every pre-training of a folder a log of its learning rate, and a picture. */
export async function leaveFiles(folder: string): Promise<void> {
  const lines = [0, 2, 1, 0].map((rate, epoch) => JSON.stringify({ step: epoch, epoch, learningRate: rate * 1e-4 }));
  const picture = await sharp({ create: { width: 400, height: 420, channels: 3, background: '#fff' } })
    .png()
    .toBuffer();
  for (const [id, { result }] of collect([folder]).stages) {
    if (result?.kind !== 'pretrain') continue;
    const { metrics, preview } = sweepPaths(folder).stage(id);
    writeFileSync(metrics, `${lines.join('\n')}\n`);
    writeFileSync(preview, picture);
  }
}

/** Writes the page into the folder. */
export function writePage(
  folder: string,
  { data = collect([folder]), verdicts = [] }: { data?: ReportData; verdicts?: readonly ShownVerdict[] } = {},
): { path: string; text: string } {
  const metric = metricOf(data, {});
  const tables = readableTables(buildTables(data));
  const text = htmlReport(data, folder, { metric, tables, wide: [], verdicts, notes: [], method: [] });
  const path = join(folder, 'report.html');
  writeFileSync(path, text);
  return { path, text };
}
