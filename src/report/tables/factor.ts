/** One factor at each level of the other two: mask ratio, misalignment or style, against the level that degrades nothing. */
import { describeMetric, type NamedMetric } from '../../stages/metrics.js';
import { measurementsOf } from '../../evidence/measurements.js';
import { epochsOfRow, unhealthyIn } from '../comparison.js';
import { difference, estimate } from '../../evidence/contrasts.js';
import {
  factorialsOf,
  REFERENCE,
  type Factor,
  type FactorCell,
  type Factorial,
  type FactorLevels,
} from '../../evidence/factorial.js';
import { namedTask, paperAccuracy } from '../paper.js';
import type { BuildTable, Column, Row, TableContent } from '../table.js';
import { ACCURACY_COLUMNS, EPOCH, METRIC, PAPER, SETTING } from './columns.js';
import { strengthDepartures } from '../../evidence/strengths.js';
import { estimateCells, estimateColumns } from './estimates.js';

interface Wording {
  title: string;
  /** What the table compares, as the beginning of its caption. */
  compares: string;
  /** `to full images`: of the column with the differences. */
  label: string;
}

const WORDING: Record<Factor, Wording> = {
  mask: {
    title: 'Mask ratio',
    compares: 'Mask ratios at each misalignment and style, and their difference to no mask',
    label: 'to unmasked',
  },
  misalignment: {
    title: 'Misalignment',
    compares: 'Misalignment at each mask ratio and style, and its difference to none',
    label: 'to aligned',
  },
  style: {
    title: 'Style preservation',
    compares: 'Style at each mask ratio and misalignment, and the difference of changing it',
    label: 'to preserved',
  },
};

const LEVELS: Record<Factor, Column> = {
  mask: { key: 'mask_ratio', label: 'mask ratio', description: 'Fraction of the tokens removed.', digits: 2 },
  misalignment: {
    key: 'misalignment',
    label: 'misalignment',
    description: 'How the input grid is moved against the target grid.',
  },
  style: { key: 'style', label: 'style', description: "How the input's pixels are changed." },
};

/** The other factors first, so that the rows to be compared stand together. */
const ORDER: Record<Factor, readonly [Factor, Factor, Factor]> = {
  mask: ['misalignment', 'style', 'mask'],
  misalignment: ['mask', 'style', 'misalignment'],
  style: ['mask', 'misalignment', 'style'],
};

/** Makes the table of a factor. */
export function factorTable(factor: Factor): BuildTable<TableContent> {
  const { title, compares, label } = WORDING[factor];
  const columns = [
    SETTING,
    ...ORDER[factor].map((each) => LEVELS[each]),
    ...ACCURACY_COLUMNS,
    ...estimateColumns(label),
    PAPER,
    EPOCH,
    METRIC,
  ];
  return (data, { metric }) => {
    const factorials = factorialsOf(measurementsOf(data, metric));
    const rows = factorials.flatMap((factorial) => rowsOf(factorial, factor, metric));
    return {
      title,
      caption: [
        `${compares}, paired by seed: ${describeMetric(metric)} at the last epoch.`,
        ...(rows.length === 0 ? ['The plan has no two cells that differ only in this.'] : []),
        ...strengthDepartures(factorials.flatMap((factorial) => comparisonsOf(factorial, factor))),
      ].join(' '),
      columns,
      rows,
      summary: {},
    };
  };
}

function rowsOf(factorial: Factorial, factor: Factor, metric: NamedMetric): Row[] {
  const { levels } = factorial;
  const [outer, inner] = ORDER[factor];
  return levels[outer].flatMap((outerLevel) =>
    levels[inner].flatMap((innerLevel) => {
      const triples = levels[factor].map((level): FactorLevels => ({
        ...REFERENCE,
        [outer]: outerLevel,
        [inner]: innerLevel,
        [factor]: level,
      }));
      const compared = triples.filter((triple) => factorial.find(triple) !== undefined).length > 1;
      return compared ? triples.map((triple) => rowOf(factorial, factor, triple, metric)) : [];
    }),
  );
}

/** The cells that differ only in the factor. */
function comparisonsOf({ levels, find }: Factorial, factor: Factor): FactorCell[][] {
  const [outer, inner] = ORDER[factor];
  return levels[outer].flatMap((outerLevel) =>
    levels[inner].map((innerLevel) =>
      levels[factor].flatMap(
        (level) => find({ ...REFERENCE, [outer]: outerLevel, [inner]: innerLevel, [factor]: level }) ?? [],
      ),
    ),
  );
}

function rowOf(factorial: Factorial, factor: Factor, triple: FactorLevels, metric: NamedMetric): Row {
  const cell = factorial.find(triple);
  const reference = factorial.find({ ...triple, [factor]: REFERENCE[factor] });
  const contrast = cell === undefined || reference === undefined ? undefined : difference(cell, reference);
  const name = `${factorial.setting} ${triple.mask} ${triple.misalignment} ${triple.style}`;
  return {
    setting: factorial.setting,
    mask_ratio: triple.mask,
    misalignment: triple.misalignment,
    style: triple.style,
    mean: cell?.statistics.mean ?? null,
    std: cell?.statistics.std ?? null,
    n: cell?.statistics.n ?? 0,
    planned: cell?.measurements.length ?? 0,
    unhealthy: cell === undefined ? 0 : unhealthyIn(cell),
    ...estimateCells(triple[factor] === REFERENCE[factor] ? null : estimate(contrast ? [contrast] : []), name),
    paper_accuracy: cell === undefined ? null : paperAccuracy(namedTask(cell.measurements[0]!.task)),
    epoch: cell === undefined ? null : epochsOfRow(cell),
    metric: metric.name,
  };
}
