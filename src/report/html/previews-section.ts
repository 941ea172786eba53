/** A picture for each task: original, input and reconstruction, of a stage that left one. */
import { taskName } from '../../spec/objective.js';
import { repeatsOf } from '../../spec/stages.js';
import type { Task } from '../../spec/task.js';
import type { ReportData } from '../collect.js';
import { groupBy } from '../../common/group-by.js';
import { markup, type Markup } from './markup.js';
import type { FoundFiles } from './stage-files.js';

/** A task and the stages that may hold its picture, the first having precedence. */
export interface Pictured {
  label: string;
  stages: readonly { id: string; seed: number }[];
}

/** A task with its mask ratio, as preview pictures are labelled. */
const labelOf = (task: Task | null): string =>
  `${taskName(task)}${task !== null && task.maskRatio > 0 ? ` (mask ratio ${task.maskRatio})` : ''}`;

/** The tasks of finished pre-trainings, in the order of the stages. */
export function pictured({ stages }: ReportData): Pictured[] {
  const finished = [...stages.values()].flatMap(({ stage: { id, config }, result }) => {
    if (config.kind !== 'pretrain' || result === null) return [];
    const { task, seed } = config;
    return [{ id, seed, label: labelOf(task) }];
  });
  return [...groupBy(finished, ({ label }) => label)].map(([label, members]) => ({ label, stages: members }));
}

/** The evaluations of each task that are finished segmentations, in the order of the stages. */
export function segmented({ jobs, stages }: ReportData): Pictured[] {
  const finished = jobs.flatMap((job) =>
    Object.keys(job.evaluations).flatMap((name) =>
      repeatsOf(job, name).flatMap((id) => {
        const { stage, result } = stages.get(id)!;
        if (stage.config.kind !== 'segment' || result === null) return [];
        return [{ id, seed: stage.config.seed, label: `${name}: ${labelOf(job.task)}` }];
      }),
    ),
  );
  return [...groupBy(finished, ({ label }) => label)].map(([label, members]) => ({ label, stages: members }));
}

/** Predictions of segmentations; none where no stage has a picture. */
export function segmentationsSection(tasks: readonly Pictured[], { previews }: FoundFiles): Markup | null {
  const shown = shownOf(tasks, previews);
  if (shown.length === 0) return null;
  return markup`<section id="segmentations"><h2>Segmentations</h2>
<p class="lead">Test images, their masks and the predictions, one image a row. Each class has a colour; white pixels have no
class. One segmentation of each evaluation and task; those of others are preview.png in the folders of their stages.</p>
<div class="previews">${figuresOf(shown, 'image, mask and prediction')}</div></section>
`;
}

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

/** None where no stage has a picture. */
export function previewsSection(tasks: readonly Pictured[], { previews, leftOut }: FoundFiles): Markup | null {
  const shown = shownOf(tasks, previews);
  if (shown.length === 0 && leftOut === 0) return null;
  return markup`<section id="reconstructions"><h2>Reconstructions</h2>
<p class="lead">Validation images, one a row: the original, the input of the encoder and the prediction of the model; last the
target, where it is another picture than the original. Without validation images they are test images, and without a test set
training images. One pre-training of each task; those of others are preview.png in the folders of their stages.${
    leftOut > 0 && ` So are ${leftOut} more tasks', which would have made this page too large.`
  }</p>
<div class="previews">${figuresOf(shown, 'original, input and reconstruction')}</div></section>
`;
}
