/** Accuracy over epochs of pre-training, a chart for each objective on one scale: what longer pre-training buys. */
import { metricTitle, type NamedMetric } from '../../../stages/metrics.js';
import type { Measurement } from '../../../evidence/measurements.js';
import type { Figure, LineChart } from '../chart.js';
import { legend, onOneScale, chartPoints, spelledOut } from './accuracy.js';
import { groupsOf, type Group } from './groups.js';
import { groupBy } from '../../../common/group-by.js';
import { taskTitle, titled } from './words.js';

/** None if no objective was pre-trained for several numbers of epochs. */
export function efficiencyFigure(measurements: readonly Measurement[], metric: NamedMetric): Figure | null {
  const groups = groupsOf(measurements, 'pretrain.epochs');
  const panels = [...groupBy(groups, titleOf)].filter(([, members]) => members.length > 1);
  if (panels.length === 0) return null;
  const { references, span } = onOneScale(
    panels.map(([, members]) => members),
    measurements,
  );
  const epochs = panels.flatMap(([, members]) => members.map(epochsOf));
  return {
    id: 'figure-efficiency',
    title: 'Epochs of pre-training',
    caption: `All charts of this figure have one scale. ${legend(references)}`,
    charts: panels.map(([title, members], i): LineChart => {
      const points = chartPoints(members, epochsOf);
      return {
        kind: 'lines',
        title,
        description: `${spelledOut(points, (x) => `after ${x} epochs`, '; ')}.`,
        x: { title: 'epochs of pre-training', span: epochs, whole: true },
        y: { title: metricTitle(metric), span },
        series: [{ name: null, style: 0, points }],
        reference: references[i]!,
        marks: true,
      };
    }),
  };
}

const epochsOf = ({ aside }: Group): number => aside!;
const titleOf = ({ task, setting }: Group): string => titled(taskTitle(task), setting);
