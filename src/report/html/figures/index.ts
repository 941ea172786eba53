/** Every figure that the results of a sweep allow, in the order of the page. Adding one is a file beside this and a line here. */
import type { NamedMetric } from '../../../stages/metrics.js';
import type { ReportData } from '../../collect.js';
import { measurementsOf } from '../../../evidence/measurements.js';
import type { LoggedSchedule } from '../../schedules.js';
import type { Figure } from '../chart.js';
import { efficiencyFigure } from './efficiency.js';
import { factorialFigures } from './factorial.js';
import { learningRateFigure } from './learning-rate.js';
import { lossesFigure } from './losses.js';
import { objectivesFigure } from './objectives.js';
import { transferFigure } from './transfer.js';

/**
 * @param metric The accuracy that figures show.
 * @param schedules What the pre-trainings logged.
 */
export function figuresOf(data: ReportData, metric: NamedMetric, schedules: readonly LoggedSchedule[]): Figure[] {
  const measurements = measurementsOf(data, metric);
  return [
    objectivesFigure(measurements, metric),
    transferFigure(data, metric),
    ...factorialFigures(measurements, metric),
    efficiencyFigure(measurements, metric),
    lossesFigure(data),
    learningRateFigure(schedules),
  ].filter((figure) => figure !== null);
}
