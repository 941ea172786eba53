/**
 * Measured encoders as the cells of a factorial: mask × misalignment × style. Where jobs differ in more than that and
 * the seed, each setting is a factorial of its own.
 */
import { groupBy } from '../common/group-by.js';
import type { Misalignment, StyleKind } from '../spec/task.js';
import type { Measurement } from './comparison.js';
import { varyingKeys } from './configuration.js';
import { summaryStatistics, type Summary } from './statistics.js';

/** The levels of the three factors; the first of each that is not degraded is what others are compared with. */
export interface Triple {
  mask: number;
  misalignment: Misalignment;
  style: StyleKind;
}
export type Factor = keyof Triple;
export const FACTORS: readonly Factor[] = ['mask', 'misalignment', 'style'];
export const REFERENCE: Triple = { mask: 0, misalignment: 'none', style: 'preserved' };

/** The seeds of one triple in one setting; planned, whether measured or not. */
export interface FactorCell {
  triple: Triple;
  measurements: readonly Measurement[];
  /** Seed → accuracy in percent, of those that have a result that counts. */
  accuracies: ReadonlyMap<number, number>;
  statistics: Summary;
}

export interface Factorial {
  /** `key=value` of what tells it from the other factorials of a sweep; empty where there is one alone. */
  setting: string;
  /** The levels that some cell has, undegraded first. */
  levels: { mask: number[]; misalignment: Misalignment[]; style: StyleKind[] };
  cells: readonly FactorCell[];
  /** undefined: not in the plan. */
  find: (triple: Triple) => FactorCell | undefined;
}

const MISALIGNMENTS: readonly Misalignment[] = ['none', 'zoomed-in', 'zoomed-out', 'distorted'];
const STYLES: readonly StyleKind[] = ['preserved', 'blurred', 'decolorized'];

/**
 * The factorials in what was pre-trained. A strength that varies within one triple is part of the setting; cells without
 * that degradation stand in the factorial of every strength, since they are what each is compared with.
 */
export function factorialsOf(measurements: readonly Measurement[]): Factorial[] {
  const items = measurements.filter(({ task }) => task !== null);
  const keys = varyingKeys(items);
  const strengths = strengthsWithin(items);
  const factorials = new Map<string, Measurement[]>();
  const bases = groupBy(items, ({ configuration }) => textOf(keys, configuration));
  for (const [base, members] of bases) {
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
      style: STYLES.filter((kind) => triples.some(({ style }) => style === kind)),
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

function tripleOf({ task }: Measurement): Triple {
  const { maskRatio, geometry, style } = task!;
  return { mask: maskRatio, misalignment: geometry.kind, style: style.kind };
}

const tripleKey = ({ mask, misalignment, style }: Triple): string => `${mask}/${misalignment}/${style}`;
const tripleKeyOf = (item: Measurement): string => tripleKey(tripleOf(item));

/** Keys of strengths that have several values within one triple. That they differ between triples is their nature. */
function strengthsWithin(items: readonly Measurement[]): string[] {
  const within = [...groupBy(items, tripleKeyOf).values()].flatMap((members) =>
    varyingKeys(members.map(({ task, strengths }) => ({ task, configuration: strengths }))),
  );
  return [...new Set(within)].sort();
}

/** What each degradation of an item (`zoomedIn`, `blurred`) is set to, as text. */
function strengthTexts({ strengths }: Measurement, keys: readonly string[]): Map<string, string> {
  const own = keys.filter((key) => strengths.has(key));
  return new Map([...groupBy(own, degradationOf)].map(([degradation, of]) => [degradation, textOf(of, strengths)]));
}

/** `degradation.zoomedIn.fraction` → `zoomedIn`. */
const degradationOf = (key: string): string => key.split('.')[1]!;

/** Every way to set the degradations, each to something that an item has it set to. */
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
  return keys.map((key) => `${key}=${values.get(key) ?? 'unset'}`).join(' ');
}
