/** Every figure that the results of a sweep allow, in the order of the page. Adding one is a file beside this and a line here. */
import type { Evaluation } from '../../../spec/schema.js';
import type { ReportData } from '../../collect.js';
import { measurementsOf } from '../../comparison.js';
import type { Figure } from '../chart.js';
import { efficiencyFigure } from './efficiency.js';
import { factorialFigures } from './factorial.js';
import { lossesFigure } from './losses.js';
import { objectivesFigure } from './objectives.js';

/** @param metric The accuracy that figures show. */
export function figuresOf(data: ReportData, metric: Evaluation): Figure[] {
  const measurements = measurementsOf(data, metric);
  return [
    objectivesFigure(measurements, metric),
    ...factorialFigures(measurements, metric),
    efficiencyFigure(measurements, metric),
    lossesFigure(data),
  ].filter((figure) => figure !== null);
}
