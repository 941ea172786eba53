/** The kept factorial, from its table of runs. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';

/** The 9 cells × 5 seeds of the kept ablation, by one evaluation. */
export function keptCells(column: string): Map<number, number>[] {
  const path = `${process.cwd()}/results/reference/ablation/tables/runs.csv`;
  const rows: Record<string, string>[] = parse(readFileSync(path), { columns: true });
  const cells = new Map<string, Map<number, number>>();
  for (const { cells: name, seed, [column]: accuracy } of rows) {
    const cell = name!.replace(/, seed \d+$/, '');
    cells.set(cell, (cells.get(cell) ?? new Map<number, number>()).set(Number(seed), Number(accuracy)));
  }
  return [...cells.values()];
}
