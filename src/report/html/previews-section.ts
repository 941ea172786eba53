/** The pictures that stages left, by kind: one for each task. */
import { groupBy } from '../../common/group-by.js';
import { taskName } from '../../spec/objective.js';
import { repeatsOf, type Job, type StageKind } from '../../spec/stages.js';
import { STAGE_ENTRIES, STAGE_KINDS } from '../../stages/index.js';
import type { ReportData } from '../collect.js';
import { markup, type Markup } from './markup.js';
import type { FoundFiles } from './stage-files.js';

/** A task and the stages that may hold its picture, the first having precedence. */
export interface Pictured {
  label: string;
  stages: readonly { id: string; seed: number }[];
}

/** The tasks of finished stages of a kind, in the order of the jobs. */
export function pictured({ jobs, stages }: ReportData, kind: StageKind): Pictured[] {
  const finished = new Map(
    jobs.flatMap((job) =>
      namedStages(job).flatMap(({ id, name }) => {
        const { stage, result } = stages.get(id)!;
        if (stage.config.kind !== kind || result === null) return [];
        return [[id, { id, seed: stage.config.seed, label: `${name}${labelOf(job)}` }] as const];
      }),
    ),
  );
  return [...groupBy([...finished.values()], ({ label }) => label)].map(([label, members]) => ({
    label,
    stages: members,
  }));
}

/** The stages of a job, those of evaluations with the name of the evaluation before their label. */
const namedStages = (job: Job): { id: string; name: string }[] => [
  ...(job.pretrain === null ? [] : [{ id: job.pretrain, name: '' }]),
  ...Object.keys(job.evaluations).flatMap((name) => repeatsOf(job, name).map((id) => ({ id, name: `${name}: ` }))),
];

function labelOf({ task, weights }: Job): string {
  const masked = task !== null && task.maskRatio > 0;
  return `${taskName(task, weights)}${masked ? ` (mask ratio ${task.maskRatio})` : ''}`;
}

/** The kinds whose stages leave pictures. */
export const PICTURED_KINDS = STAGE_KINDS.filter((kind) => STAGE_ENTRIES[kind].picture !== undefined);

export interface PicturesSection {
  kind: StageKind;
  id: string;
  title: string;
  content: Markup;
}

/** A section for each kind whose stages left pictures. */
export const pictureSections = (data: ReportData, files: FoundFiles): PicturesSection[] =>
  PICTURED_KINDS.flatMap((kind) => sectionOf(kind, pictured(data, kind), files) ?? []);

interface Shown {
  label: string;
  uri: string;
}

const shownOf = (tasks: readonly Pictured[], previews: FoundFiles['previews']): Shown[] =>
  tasks.flatMap(({ label, stages }) =>
    stages.flatMap(({ id, seed }) => {
      const uri = previews.get(id);
      return uri === undefined ? [] : [{ label: `${label}, seed ${seed}`, uri }];
    }),
  );

const figuresOf = (shown: readonly Shown[], columns: string): Markup[] =>
  shown.map(
    ({ label, uri }) =>
      markup`<figure><figcaption>${label}</figcaption><img src="${uri}" alt="Rows of ${columns}: ${label}"></figure>
`,
  );

/** @returns null if no stage has a picture. */
function sectionOf(
  kind: StageKind,
  tasks: readonly Pictured[],
  { previews, leftOut }: FoundFiles,
): PicturesSection | null {
  const { picture, title: name } = STAGE_ENTRIES[kind];
  const shown = shownOf(tasks, previews);
  const left = tasks.filter(({ stages }) => stages.some(({ id }) => leftOut.has(id))).length;
  if (picture === undefined || (shown.length === 0 && left === 0)) return null;
  const { title, description, columns } = picture;
  const id = title.toLowerCase().replaceAll(' ', '-');
  const content = markup`<section id="${id}"><h2>${title}</h2>
<p class="lead">${description} One ${name} of each task; those of others are preview.png in the folders of their stages.${
    left > 0 && ` So are ${left} more tasks', which would have made this page too large.`
  }</p>
<div class="previews">${figuresOf(shown, columns)}</div></section>
`;
  return { kind, id, title, content };
}
