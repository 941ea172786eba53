/**
 * Measured encoders as the cells of a factorial: mask × misalignment × style. If jobs differ in more than these
 * factors and the seed, each setting is a factorial of its own.
 */
import { groupBy } from '../common/group-by.js';
import {
  MISALIGNMENTS,
  NO_MISALIGNMENT,
  NO_STYLE_CHANGE,
  STYLE_KINDS,
  type Misalignment,
  type StyleKind,
} from '../spec/task.js';
import type { Measurement } from './measurements.js';
import { varyingKeys } from './configuration.js';
import { summaryStatistics, type Summary } from '../statistics/summary.js';
import { settingsAmong, type SettingEntry } from './variants.js';

/** A level of each factor. */
export interface FactorLevels {
  mask: number;
  misalignment: Misalignment;
  style: StyleKind;
}
export type Factor = keyof FactorLevels;
export const FACTORS: readonly Factor[] = ['mask', 'misalignment', 'style'];
/** The undegraded levels, which the others are compared with. */
export const REFERENCE: FactorLevels = { mask: 0, misalignment: NO_MISALIGNMENT, style: NO_STYLE_CHANGE };

/** The seeds of one combination of levels in one setting: all planned seeds, measured or not. */
export interface FactorCell {
  triple: FactorLevels;
  measurements: readonly Measurement[];
  /** Seed → accuracy in percent, of those that have a result that counts. */
  accuracies: ReadonlyMap<number, number>;
  statistics: Summary;
}

export interface Factorial {
  /** `key=value` of the keys that differ between the factorials of a sweep; empty if there is one. */
  setting: string;
  /** The levels that some cell has, undegraded first. */
  levels: { mask: number[]; misalignment: Misalignment[]; style: StyleKind[] };
  cells: readonly FactorCell[];
  /** undefined: not in the plan. */
  find: (triple: FactorLevels) => FactorCell | undefined;
}

/**
 * The factorials in what was pre-trained. A strength that varies within one triple is part of the setting; cells
 * without that degradation are in the factorial of every strength, since each of these is compared with them.
 */
export function factorialsOf(measurements: readonly Measurement[]): Factorial[] {
  const items = measurements.filter(({ task }) => task !== null);
  const keys = varyingKeys(items);
  const strengths = strengthsWithin(items);
  const factorials = new Map<string, Measurement[]>();
  const bases = groupBy(items, ({ configuration }) => textOf(keys, configuration));
  const describe = settingsAmong(items);
  for (const members of bases.values()) {
    const base = describe(entriesOf(keys, members[0]!.configuration), members[0]!);
    for (const choice of choicesOf(members, strengths)) {
      const setting = [base, ...choice.values()].filter((text) => text !== '').join(' ');
      const fits = (item: Measurement): boolean =>
        [...strengthTexts(item, strengths)].every(([degradation, text]) => choice.get(degradation) === text);
      factorials.set(setting, members.filter(fits));
    }
  }
  return [...factorials].map(([setting, members]) => factorialOf(setting, members));
}

function factorialOf(setting: string, measurements: readonly Measurement[]): Factorial {
  return factorialOfCells(setting, [...groupBy(measurements, tripleKeyOf).values()].map(cellOf));
}

/** The factorial of cells with different triples. */
export function factorialOfCells(setting: string, list: readonly FactorCell[]): Factorial {
  const cells = new Map(list.map((cell) => [tripleKey(cell.triple), cell]));
  const triples = list.map(({ triple }) => triple);
  return {
    setting,
    levels: {
      mask: [...new Set(triples.map(({ mask }) => mask))].sort((a, b) => a - b),
      misalignment: MISALIGNMENTS.filter((kind) => triples.some(({ misalignment }) => misalignment === kind)),
      style: STYLE_KINDS.filter((kind) => triples.some(({ style }) => style === kind)),
    },
    cells: list,
    find: (triple) => cells.get(tripleKey(triple)),
  };
}

function cellOf(measurements: readonly Measurement[]): FactorCell {
  const accuracies = new Map(
    measurements.flatMap(({ seed, accuracy }) => (accuracy === null ? [] : [[seed, accuracy] as const])),
  );
  return {
    triple: tripleOf(measurements[0]!),
    measurements,
    accuracies,
    statistics: summaryStatistics([...accuracies.values()]),
  };
}

function tripleOf({ task }: Measurement): FactorLevels {
  const { maskRatio, geometry, style } = task!;
  return { mask: maskRatio, misalignment: geometry.kind, style: style.kind };
}

const tripleKey = ({ mask, misalignment, style }: FactorLevels): string => `${mask}/${misalignment}/${style}`;
const tripleKeyOf = (item: Measurement): string => tripleKey(tripleOf(item));

/** Keys of strengths that have several values within one triple. Between triples they differ anyway. */
function strengthsWithin(items: readonly Measurement[]): string[] {
  const within = [...groupBy(items, tripleKeyOf).values()].flatMap((members) =>
    varyingKeys(members.map(({ task, strengths }) => ({ task, configuration: strengths }))),
  );
  return [...new Set(within)].sort();
}

/** The settings of each degradation of an item (`zoomedIn`, `blurred`), as text. */
function strengthTexts({ strengths }: Measurement, keys: readonly string[]): Map<string, string> {
  const own = keys.filter((key) => strengths.has(key));
  return new Map([...groupBy(own, degradationOf)].map(([degradation, of]) => [degradation, textOf(of, strengths)]));
}

/** `degradation.zoomedIn.fraction` → `zoomedIn`. */
const degradationOf = (key: string): string => key.split('.')[1]!;

/** Every combination of the settings that items have for each degradation. */
function choicesOf(items: readonly Measurement[], keys: readonly string[]): Map<string, string>[] {
  const texts = items.flatMap((item) => [...strengthTexts(item, keys)]);
  const options = groupBy(texts, ([degradation]) => degradation);
  const none: Map<string, string>[] = [new Map<string, string>()];
  return [...options].reduce(
    (choices, [degradation, members]) =>
      choices.flatMap((choice) =>
        [...new Set(members.map(([, text]) => text))].map((text) => new Map([...choice, [degradation, text]])),
      ),
    none,
  );
}

function textOf(keys: readonly string[], values: ReadonlyMap<string, string>): string {
  return entriesOf(keys, values)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

function entriesOf(keys: readonly string[], values: ReadonlyMap<string, string>): SettingEntry[] {
  return keys.map((key) => [key, values.get(key) ?? 'unset']);
}
