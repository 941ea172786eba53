/**
 * The learning rate over the epochs of pre-training, a chart for each schedule: what the losses beside it went through.
 */
import type { LoggedSchedule } from '../../schedules.js';
import type { Figure, LineChart } from '../chart.js';

/** Rates are some ten-thousandths: as such numbers their ticks need no more room than those of losses. */
const UNIT = { size: 1e-3, name: '10⁻³' };

/** None if no pre-training has a log. */
export function learningRateFigure(schedules: readonly LoggedSchedule[]): Figure | null {
  if (schedules.length === 0) return null;
  const keys = [...schedules[0]!.configuration.keys()].filter(
    (key) => new Set(schedules.map(({ configuration }) => configuration.get(key))).size > 1,
  );
  return {
    id: 'figure-learning-rate',
    title: 'Learning rate of pre-training',
    caption: 'As logged, once for each schedule: tasks and seeds share it.',
    charts: schedules.map((schedule) => chartOf(schedule, keys)),
  };
}

function chartOf({ configuration, points }: LoggedSchedule, keys: readonly string[]): LineChart {
  const peak = points.reduce((highest, point) => (point.rate > highest.rate ? point : highest));
  const last = points.at(-1)!;
  return {
    kind: 'lines',
    title: keys.map((key) => `${key}=${configuration.get(key)!}`).join(' ') || 'every pre-training',
    description: `At most ${rounded(peak.rate)}, at epoch ${rounded(peak.epoch)}; ${rounded(last.rate)} at epoch ${rounded(last.epoch)}.`,
    x: { title: 'epoch', whole: true },
    y: { title: `learning rate, ${UNIT.name}`, span: [0] },
    series: [
      {
        name: null,
        style: 1,
        points: points.map(({ epoch, rate }) => ({ x: epoch, y: rate / UNIT.size, spread: null })),
      },
    ],
    reference: null,
    marks: false,
  };
}

const rounded = (value: number): string => String(Number(value.toPrecision(3)));
