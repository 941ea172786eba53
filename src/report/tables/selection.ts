/** The choices for each cell on the validation images, their margins, and whether the range should be wider. */
import type { Choice, SelectionOutcome } from '../../decide/selection.js';
import { describeCellWithoutSeed } from '../../spec/cells.js';
import { edgesOf, warnEdges } from '../selection.js';
import type { BuildTable, Column, Row } from '../table.js';

const CELL: Column = { key: 'cell', label: 'cell', description: 'The cell of the sweep, all of its seeds together.' };

const NUMBERS: Column[] = [
  {
    key: 'validation_mean',
    label: 'validation mean',
    description: 'Mean of the metric over the trials of the chosen values, on the validation images.',
    digits: 2,
  },
  {
    key: 'margin',
    label: 'margin',
    description: 'Distance to the second best mean; empty if no other candidate has a mean.',
    digits: 2,
  },
  {
    key: 'candidates',
    label: 'candidates',
    description: 'Candidates that differ in this cell. 1: it has none of the keys, so there was no choice.',
    digits: 0,
  },
  { key: 'lost', label: 'lost', description: 'Candidates that diverged or did not train.', digits: 0 },
  { key: 'trials', label: 'trials', description: 'Trials of the cell: candidates × selection seeds.', digits: 0 },
  {
    key: 'edge',
    label: 'edge',
    description: 'Chosen values that are the smallest or largest tried: better ones may lie beyond them.',
  },
  { key: 'outcome', label: 'outcome', description: 'chosen, waiting for trials, or why nothing can be chosen.' },
  { key: 'metric', label: 'metric', description: 'The metric that is compared.', aside: 9 },
];

/** null: the values of the sweep are fixed. */
export const selectionTable: BuildTable = ({ selections }) => {
  if (selections === undefined) return null;
  const keys = [...new Set(selections.flatMap(({ selection }) => selection.keys))];
  const [first] = selections;
  return {
    title: 'Selection',
    caption:
      first === undefined
        ? 'No values were chosen.'
        : [
            `Values chosen for each cell by ${first.selection.by} on the validation images, before a test image is read.`,
            ...warnEdges(selections),
          ].join(' '),
    columns: [
      CELL,
      ...keys.map((key): Column => ({ key, label: key, description: 'A key of select.over: the chosen value.' })),
      ...withUnit(first),
    ],
    rows: selections.map((outcome): Row => rowOf(outcome, keys)),
    summary: {},
  };
};

/** The unit of the metric, in the columns that hold its values. Every selection of a sweep compares the same one. */
function withUnit(first: SelectionOutcome | undefined): Column[] {
  const unit = first === undefined ? null : first.metric.metric.unit;
  if (unit === null) return NUMBERS;
  const units: Readonly<Record<string, string>> = { validation_mean: unit.symbol, margin: unit.difference };
  return NUMBERS.map((column) => (column.key in units ? { ...column, unit: units[column.key]! } : column));
}

function rowOf(outcome: SelectionOutcome, keys: readonly string[]): Row {
  const { selection, candidates, choice } = outcome;
  const chosen = choice.kind === 'chosen' ? choice : null;
  const values = chosen?.candidate.values ?? {};
  return {
    cell: describeCellWithoutSeed(selection.cell),
    ...Object.fromEntries(keys.map((key) => [key, cellOf(values[key])])),
    validation_mean: chosen?.mean ?? null,
    margin: chosen?.margin ?? null,
    candidates: candidates.length,
    lost: candidates.filter(({ trials }) => trials.some(({ kind }) => kind === 'lost')).length,
    trials: candidates.reduce((sum, { trials }) => sum + trials.length, 0),
    edge: edgesOf(outcome)
      .map(({ key, end }) => `${end} ${key}`)
      .join(', '),
    outcome: describe(choice),
    metric: selection.by,
  };
}

const cellOf = (value: unknown): string | number | null =>
  value === undefined ? null : typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);

function describe(choice: Choice): string {
  switch (choice.kind) {
    case 'chosen':
      return choice.mean === null ? 'nothing to choose' : 'chosen';
    case 'open':
      return `waits for ${choice.awaited} trials`;
    case 'none':
      return `no candidate can be chosen: ${choice.why}`;
  }
}
