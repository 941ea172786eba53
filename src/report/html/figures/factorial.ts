/**
 * Accuracy over the mask ratio, with lines for what is crossed with it: misalignments in a chart for each style, and
 * styles in a chart for each misalignment. Lines that are not parallel are an interaction. Nothing is averaged but
 * seeds.
 */
import { MISALIGNMENTS, STYLE_KINDS } from '../../../spec/task.js';
import { metricTitle, type NamedMetric } from '../../../stages/metrics.js';
import type { Measurement } from '../../../evidence/measurements.js';
import type { Figure, LineChart, Series } from '../chart.js';
import { legend, onOneScale, chartPoints, spelledOut } from './accuracy.js';
import { groupsOf, type Group } from './groups.js';
import { groupBy } from '../../../common/group-by.js';
import { titled } from './words.js';

/** A factor that is crossed with the mask ratio. */
interface CrossedFactor {
  id: string;
  name: string;
  /** In the order of their styles. */
  levels: readonly string[];
  levelOf: (group: Group) => string;
}

const MISALIGNMENT: CrossedFactor = {
  id: 'misalignment',
  name: 'misalignment',
  levels: MISALIGNMENTS,
  levelOf: ({ task }) => task.geometry.kind,
};
const STYLE: CrossedFactor = {
  id: 'style',
  name: 'style',
  levels: STYLE_KINDS,
  levelOf: ({ task }) => task.style.kind,
};

/** Mask × misalignment and mask × style, each if results cross the two factors. */
export function factorialFigures(measurements: readonly Measurement[], metric: NamedMetric): Figure[] {
  const groups = groupsOf(measurements);
  return [
    crossed(groups, measurements, metric, MISALIGNMENT, STYLE),
    crossed(groups, measurements, metric, STYLE, MISALIGNMENT),
  ].filter((figure) => figure !== null);
}

function crossed(
  groups: readonly Group[],
  measurements: readonly Measurement[],
  metric: NamedMetric,
  lines: CrossedFactor,
  panels: CrossedFactor,
): Figure | null {
  const panelOf = (group: Group): string => `${panels.levelOf(group)}\n${group.setting}`;
  const members = [...groupBy(inOrder(groups, panels), panelOf).values()]
    .map((panel) => levelsAtSeveralRatios(panel, lines))
    .filter((panel) => new Set(panel.map(lines.levelOf)).size > 1);
  if (members.length === 0) return null;
  const ratios = distinct(members.flat().map(({ task }) => task.maskRatio));
  const { references, span } = onOneScale(members, measurements);
  return {
    id: `figure-mask-${lines.id}`,
    title: `Mask ratio × ${lines.name}`,
    caption:
      (ratios.length > 2 ? '' : 'Lines that are not parallel are an interaction. ') +
      `All charts of this figure have one scale; levels measured at a single mask ratio are not shown. ${legend(references)}`,
    charts: members.map((panel, i): LineChart => {
      const series = seriesOf(panel, lines);
      return {
        kind: 'lines',
        title: titled(`${panels.name}: ${panels.levelOf(panel[0]!)}`, panel[0]!.setting),
        description: describe(series),
        x: { title: 'mask ratio', ticks: ratios, span: ratios },
        y: { title: metricTitle(metric), span },
        series,
        reference: references[i]!,
        marks: true,
      };
    }),
  };
}

/** Without the levels that have a single mask ratio, which make no line. */
function levelsAtSeveralRatios(panel: readonly Group[], { levelOf }: CrossedFactor): Group[] {
  return [...groupBy(panel, levelOf).values()]
    .filter((level) => distinct(level.map(({ task }) => task.maskRatio)).length > 1)
    .flat();
}

function inOrder(groups: readonly Group[], { levels, levelOf }: CrossedFactor): Group[] {
  return [...groups].sort((a, b) => levels.indexOf(levelOf(a)) - levels.indexOf(levelOf(b)));
}

function seriesOf(panel: readonly Group[], { levels, levelOf }: CrossedFactor): Series[] {
  return levels.flatMap((name, i): Series[] => {
    const members = panel.filter((group) => levelOf(group) === name);
    const points = chartPoints(members, ({ task }) => task.maskRatio);
    return points.length === 0 ? [] : [{ name, style: i, points }];
  });
}

function describe(series: readonly Series[]): string {
  const lines = series.map(({ name, points }) => `${name}: ${spelledOut(points, (x) => `at ${x}`, ', ')}`);
  return `${lines.join('; ')}.`;
}

const distinct = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);
