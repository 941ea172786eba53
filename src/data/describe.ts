/** An opened data set in words, for plans. */
import type { Dataset, Split } from './split.js';

/**
 * The images and classes of each split, then what the data set remarks, a line each.
 *
 * @param place Where it is, as the spec has it; undefined: nowhere, or the default.
 */
export function describeDataset(
  { name, targets, classes, train, test, validation, remarks = [] }: Dataset,
  place?: string,
): string[] {
  const labelled = targets === 'class' && classes.length > 0;
  const splits = Object.entries({ train, test, ...(validation === undefined ? {} : { validation }) });
  const text = splits.map(([role, split]) => `${role} ${describeSplit(split, labelled)}`).join('; ');
  return [
    `data ${place === undefined ? name : `${name} ${place}`}: ${text}`,
    ...remarks.map((remark) => `  ${remark}`),
  ];
}

function describeSplit({ length, labels }: Split, labelled: boolean): string {
  if (length === 0) return 'none';
  const images = length === 1 ? '1 image' : `${count(length)} images`;
  if (!labelled) return `${images} without classes`;
  const classes = new Set(labels).size;
  return `${images} of ${classes === 1 ? '1 class' : `${count(classes)} classes`}`;
}

/** 1281167 → 1,281,167 */
function count(value: number): string {
  return value.toLocaleString('en-US');
}
