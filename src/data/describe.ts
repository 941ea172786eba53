/** An opened data set in words, for plans. */
import type { Dataset, Split } from './split.js';
import type { TargetKind } from './target.js';

/**
 * The images and classes of each split, then the remarks of the data set, a line each.
 *
 * @param place Its path, as in the spec; undefined: it has none, or the default.
 */
export function describeDataset(
  { name, targets, classes, train, test, validation, remarks = [] }: Dataset,
  place?: string,
): string[] {
  const splits = Object.entries({ train, test, ...(validation === undefined ? {} : { validation }) });
  const text = splits.map(([role, split]) => `${role} ${describeSplit(split, targets, classes.length)}`).join('; ');
  return [
    `data ${place === undefined ? name : `${name} ${place}`}: ${text}`,
    ...remarks.map((remark) => `  ${remark}`),
  ];
}

function describeSplit({ length, labels }: Split, targets: TargetKind, known: number): string {
  if (length === 0) return 'none';
  const images = length === 1 ? '1 image' : `${count(length)} images`;
  if (targets === 'nothing' || known === 0) return `${images} without classes`;
  if (targets === 'mask') return `${images} with masks of ${classes(known)}`;
  return `${images} of ${classes(new Set(labels).size)}`;
}

const classes = (number: number): string => (number === 1 ? '1 class' : `${count(number)} classes`);

/** 1281167 → 1,281,167 */
function count(value: number): string {
  return value.toLocaleString('en-US');
}
