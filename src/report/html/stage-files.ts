/** The links of the page to the folders of stages, and the pictures in them. */
import { relative, sep } from 'node:path';
import { stagePaths, sweepPaths } from '../../store/layout.js';
import { isThere } from '../../store/open.js';
import { readPng } from '../../store/picture.js';
import type { ReportData } from '../collect.js';

/** All previews together, in characters of the page; the page is to stay under 5 MB. */
const BUDGET = 3_500_000;

export interface FoundFiles {
  /** From the page to the folder of each stage that has one, as a relative URL that ends in a slash. */
  links: ReadonlyMap<string, string>;
  /** `preview.png` of stages as data URIs. */
  previews: ReadonlyMap<string, string>;
  /** Stages whose previews would have made the page too large. */
  leftOut: ReadonlySet<string>;
}

/**
 * Looks into the folders of all stages.
 *
 * @param page The folder of the page.
 * @param wanted A list of stages for each picture. The first stage with a preview is shown. If not all pictures fit,
 *   the first lists have precedence.
 */
export function findStageFiles(
  { sweeps, stages }: ReportData,
  page: string,
  wanted: readonly (readonly string[])[],
  budget = BUDGET,
): FoundFiles {
  const folders = new Map(
    [...stages].flatMap(([id, { result }]) => {
      const candidates = sweeps.map(({ folder }) => sweepPaths(folder).stage(id));
      const paths =
        candidates.find((one) => result !== null && isThere(one.result)) ??
        candidates.find(({ folder }) => isThere(folder));
      return paths === undefined ? [] : [[id, paths.folder] as const];
    }),
  );
  const previews = new Map<string, string>();
  const leftOut = new Set<string>();
  let left = budget;
  for (const candidates of wanted) {
    const found = firstPicture(candidates, folders);
    if (found === null) continue;
    const { id, picture } = found;
    const uri = `data:image/png;base64,${picture.toString('base64')}`;
    if (uri.length > left) {
      leftOut.add(id);
      continue;
    }
    left -= uri.length;
    previews.set(id, uri);
  }
  const links = new Map([...folders].map(([id, folder]) => [id, linkTo(page, folder)]));
  return { links, previews, leftOut };
}

/** The first stage that has a picture. */
function firstPicture(
  candidates: readonly string[],
  folders: ReadonlyMap<string, string>,
): { id: string; picture: Buffer } | null {
  for (const id of candidates) {
    const folder = folders.get(id);
    const picture = folder === undefined ? null : readPng(stagePaths(folder).preview);
    if (picture !== null) return { id, picture };
  }
  return null;
}

/** A relative URL; what a URL gives a meaning to is escaped in names. */
function linkTo(page: string, folder: string): string {
  return `${relative(page, folder).split(sep).map(encodeURIComponent).join('/')}/`;
}
