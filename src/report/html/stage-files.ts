/** What the page takes from the folders of stages besides their numbers: where they lie, and their previews. */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { sweepPaths } from '../../store/layout.js';
import type { ReportData } from '../collect.js';

export interface StageFiles {
  /** From the page, as a relative URL that ends in a slash; null: there is no such folder. */
  link: string | null;
  /** `preview.png` as a data URI; null: there is none, or it was left out. */
  preview: string | null;
}

/** The name of a stage's picture: original, input and reconstruction side by side. */
const PREVIEW = 'preview.png';
/** All previews together, in characters of the page; the page is to stay under 5 MB. */
const BUDGET = 3_500_000;

export interface FoundFiles {
  stages: ReadonlyMap<string, StageFiles>;
  /** Previews that are there and would have made the page too large. */
  leftOut: number;
}

/**
 * Looks into the folders of all stages.
 *
 * @param page The folder that the page will lie in.
 * @param wanted The stages whose previews are shown, the first having precedence where not all fit.
 */
export function findStageFiles(
  { sweeps, stages }: ReportData,
  page: string,
  wanted: readonly string[],
  budget = BUDGET,
): FoundFiles {
  const folders = new Map(
    [...stages].flatMap(([id, { result }]) => {
      const candidates = sweeps.map(({ folder }) => sweepPaths(folder).stage(id));
      const paths =
        candidates.find((one) => result !== null && existsSync(one.result)) ??
        candidates.find(({ folder }) => existsSync(folder));
      return paths === undefined ? [] : [[id, paths.folder] as const];
    }),
  );
  const previews = new Map<string, string>();
  let [left, leftOut] = [budget, 0];
  for (const id of wanted) {
    const folder = folders.get(id);
    const path = folder === undefined ? undefined : join(folder, PREVIEW);
    if (path === undefined || !existsSync(path)) continue;
    const uri = `data:image/png;base64,${readFileSync(path).toString('base64')}`;
    if (uri.length > left) {
      leftOut++;
      continue;
    }
    left -= uri.length;
    previews.set(id, uri);
  }
  const filesOf = (id: string): StageFiles => {
    const folder = folders.get(id);
    return { link: folder === undefined ? null : linkTo(page, folder), preview: previews.get(id) ?? null };
  };
  return { stages: new Map([...stages.keys()].map((id) => [id, filesOf(id)])), leftOut };
}

/** A relative URL; what a URL gives a meaning to is escaped in names. */
function linkTo(page: string, folder: string): string {
  return `${relative(page, folder).split(sep).map(encodeURIComponent).join('/')}/`;
}
