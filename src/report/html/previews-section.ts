/** A picture for each task: original, input and reconstruction, where its stages hold one. */
import { taskName } from '../../spec/objective.js';
import type { ReportData } from '../collect.js';
import { markup, type Markup } from './markup.js';
import type { FoundFiles } from './stage-files.js';

interface Picture {
  id: string;
  label: string;
}

/** The finished pre-trainings, those of other tasks before further ones of the same task. */
export function pictured({ stages }: ReportData): Picture[] {
  const seen = new Set<string>();
  const all = [...stages.values()].flatMap(({ stage: { id, config }, result }) => {
    if (config.kind !== 'pretrain' || result === null) return [];
    const { task, seed } = config;
    const name = `${taskName(task)}${task.maskRatio > 0 ? ` (mask ratio ${task.maskRatio})` : ''}`;
    const again = seen.has(name);
    seen.add(name);
    return [{ id, label: `${name}, seed ${seed}`, again }];
  });
  return [...all.filter(({ again }) => !again), ...all.filter(({ again }) => again)].map(({ id, label }) => ({
    id,
    label,
  }));
}

/** None where no stage has a picture. */
export function previewsSection(pictures: readonly Picture[], { stages, leftOut }: FoundFiles): Markup | null {
  const shown = pictures.flatMap(({ id, label }) => {
    const uri = stages.get(id)?.preview ?? null;
    return uri === null ? [] : [{ label, uri }];
  });
  if (shown.length === 0 && leftOut === 0) return null;
  return markup`<section id="reconstructions"><h2>Reconstructions</h2>
<p>Original, input and reconstruction.${
    leftOut > 0 &&
    ` ${leftOut} more would have made this page too large; they are preview.png in the folders of their stages.`
  }</p>
<div class="previews">${shown.map(
    ({ label, uri }) =>
      markup`<figure><figcaption>${label}</figcaption><img src="${uri}" alt="Original, input and reconstruction: ${label}"></figure>
`,
  )}</div></section>
`;
}
