/** The sentences of a report about chosen values: in captions, and if the range of a key was too narrow. */
import type { SelectionOutcome } from '../decide/selection.js';
import { groupBy } from '../common/group-by.js';
import type { Selection } from '../spec/stages.js';
import type { ReportData } from './collect.js';
import type { Table } from './table.js';

/** A chosen value that is the smallest or the largest of those tried. */
export interface Edge {
  key: string;
  end: 'smallest' | 'largest';
}

/** The chosen values of a cell beyond which better ones may lie. */
export function edgesOf({ selection, candidates, choice }: SelectionOutcome): Edge[] {
  if (choice.kind !== 'chosen' || candidates.length < 2) return [];
  return selection.keys.flatMap((key): Edge[] => {
    const tried = candidates.map(({ values }) => values[key]);
    const chosen = choice.candidate.values[key];
    if (typeof chosen !== 'number' || !tried.every((value) => typeof value === 'number')) return [];
    if (new Set(tried).size < 2) return [];
    if (chosen === Math.min(...tried)) return [{ key, end: 'smallest' }];
    return chosen === Math.max(...tried) ? [{ key, end: 'largest' }] : [];
  });
}

/** A sentence for each key and end at which cells have their value. */
export function warnEdges(selections: readonly SelectionOutcome[]): string[] {
  const edges = selections.flatMap(edgesOf);
  return [...groupBy(edges, ({ key, end }) => `${end} ${key}`)].map(
    ([what, own]) =>
      `In ${own.length} of ${selections.length} cells the ${what} that was tried was chosen: a wider range may give better values.`,
  );
}

/** Trials of a cell of the sweep: its candidates on each seed of the selection. */
export const trialsPerCell = ({ planned, seeds }: Selection): number => planned * seeds.length;

/** How the hyper-parameters of a sweep came about, in a sentence. */
export function describeChoice({ selections = [] }: Pick<ReportData, 'selections'>): string {
  const [first] = selections;
  if (first === undefined) return 'Hyper-parameters: fixed in advance.';
  const { keys, by } = first.selection;
  const trials = trialsPerCell(first.selection);
  return (
    `Hyper-parameters: ${keys.join(', ')} chosen on validation (${by}), ${trials} trials per cell (selection.csv); ` +
    'the others fixed in advance.'
  );
}

/** The table with that sentence, if it compares results. */
export function withChoiceExplained(table: Table, data: Pick<ReportData, 'selections'>): Table {
  if (!table.columns.some(({ measures }) => measures !== undefined)) return table;
  return { ...table, caption: `${table.caption} ${describeChoice(data)}` };
}
