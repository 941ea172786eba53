/** The unit and the decimals of a metric, in the tables that compare it. */
import type { NamedMetric } from '../stages/metrics.js';
import type { Column, Table } from './table.js';

/** The table with the unit of the metric in those columns that hold its values or their differences. */
export function withUnits(table: Table, metric: NamedMetric): Table {
  const { unit, digits } = metric.metric;
  const symbols = { value: unit?.symbol, difference: unit?.difference };
  const columns = table.columns.map(({ measures, ...column }): Column => {
    if (measures === undefined) return column;
    const { unit: _unit, ...rest } = column;
    const symbol = symbols[measures];
    return { ...rest, measures, ...(symbol === undefined ? {} : { unit: symbol }), digits };
  });
  return { ...table, columns };
}

/** The table with a sentence on the repeats whose means it compares, if the evaluation has several. */
export function withRepeatsExplained(table: Table, { entry, repeats }: NamedMetric): Table {
  if (repeats < 2 || table.columns.every(({ measures }) => measures === undefined)) return table;
  return { ...table, caption: `${table.caption} A run of ${entry} is the mean of its ${repeats} repeats.` };
}
