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
