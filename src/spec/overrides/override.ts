/**
 * One `--set KEY=VALUE` after parsing. A mapping sets the keys that it names and keeps the others; null unsets a key.
 */
import type { Path } from '../../common/tree.js';
import type { Location } from '../problems.js';

/** One place of the spec and its new value; undefined unsets it. */
export interface Assignment {
  path: Path;
  value: unknown;
}

export type AxisSection = 'grid' | 'zip';

/** What one option sets: keys at fixed places of the spec, or an axis in every grid that has it. */
export type Override = { location: Location } & (
  | { kind: 'keys'; assignments: Assignment[] }
  | { kind: 'axis'; section: AxisSection; key: string; value: unknown }
);

/** The value that unsets a key. In quotes it is text. */
export const UNSET = 'null';

/** Why an option cannot be parsed. */
export interface Refusal {
  message: string;
}
