/** Writes `report.html` from the collected results and the tables of a sweep. */
import type { ReportData } from '../collect.js';
import { readSchedules } from '../schedules.js';
import type { Table } from '../table.js';
import { reportHtml, type PageInput } from './page.js';
import { pictured, PICTURED_KINDS } from './previews-section.js';
import { findStageFiles } from './stage-files.js';

/**
 * The page as text; of the folders of stages it reads their previews and learning rates.
 *
 * @param folder The folder of the page: links are relative to it.
 */
export function htmlReport(
  data: ReportData,
  folder: string,
  input: Pick<PageInput, 'metric' | 'verdicts' | 'notes' | 'method'> & {
    tables: readonly Table[];
    wide: readonly Table[];
  },
): string {
  const tasks = PICTURED_KINDS.flatMap((kind) => pictured(data, kind));
  const wanted = tasks.map(({ stages }) => stages.map(({ id }) => id));
  return reportHtml({ data, ...input, schedules: readSchedules(data), files: findStageFiles(data, folder, wanted) });
}
