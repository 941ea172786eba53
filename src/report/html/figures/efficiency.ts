/** Accuracy over epochs of pre-training, a chart for each objective on one scale: what longer pre-training buys. */
import type { Evaluation } from '../../../spec/schema.js';
import { taskName } from '../../../spec/objective.js';
import type { Measurement } from '../../comparison.js';
import type { Figure, LineChart } from '../chart.js';
import { withSpread } from '../numbers.js';
import { groupsOf, scratchReference, type Group } from './groups.js';
import { groupBy } from './group-by.js';
import { accuracyTitle, BARS, DASHED, titled } from './words.js';

/** None where no objective was pre-trained for several numbers of epochs. */
export function efficiencyFigure(measurements: readonly Measurement[], metric: Evaluation): Figure | null {
  const groups = groupsOf(measurements, 'pretrain.epochs');
  const panels = [...groupBy(groups, titleOf)].filter(([, members]) => members.length > 1);
  if (panels.length === 0) return null;
  const shown = panels.flatMap(([, members]) => members);
  const references = panels.map(([, members]) => scratchReference(measurements, members[0]!));
  const heights = [
    ...shown.flatMap(({ statistics: { mean, std } }) => [mean! - (std ?? 0), mean! + (std ?? 0)]),
    ...references.flatMap((reference) => reference?.value ?? []),
  ];
  const epochs = shown.map(({ aside }) => aside!);
  return {
    id: 'figure-efficiency',
    title: 'Epochs of pre-training',
    caption: `All charts of this figure have one scale. ${BARS} ${references.some((reference) => reference !== null) ? DASHED : ''}`,
    charts: panels.map(([title, members], i): LineChart => {
      const points = members
        .map(({ aside, statistics: { mean, std } }) => ({ x: aside!, y: mean!, spread: std }))
        .sort((a, b) => a.x - b.x);
      return {
        kind: 'lines',
        title,
        description: `${points.map(({ x, y, spread }) => `${withSpread(y, spread)} after ${x} epochs`).join('; ')}.`,
        x: { title: 'epochs of pre-training', span: epochs, whole: true },
        y: { title: accuracyTitle(metric), span: heights },
        series: [{ name: null, style: 0, points }],
        reference: references[i]!,
        marks: true,
      };
    }),
  };
}

function titleOf({ task, setting }: Group): string {
  return titled(`${task.maskRatio > 0 ? `${task.maskRatio} ` : ''}${taskName(task)}`, setting);
}
