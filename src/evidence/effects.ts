/** The effects of a factorial: what each factor does on average, and how what two do depends on each other. */
import { difference, meanContrast, type Contrast } from './contrasts.js';
import { FACTORS, REFERENCE, type FactorCell, type Factor, type Factorial, type FactorLevels } from './factorial.js';

type Level = FactorLevels[Factor];

export interface Effect {
  kind: 'main' | 'interaction';
  factors: readonly Factor[];
  /** `any` for all levels but the reference together, or one; of an interaction, one for each factor. */
  levels: readonly string[];
  /** One for each context; empty if the plan has no two cells to compare. */
  contrasts: readonly Contrast[];
}

/**
 * Main effects, then two-way interactions. Each is first over all levels together, then for single levels if the plan
 * can compare several.
 */
export function effectsOf(factorial: Factorial): Effect[] {
  const mains = FACTORS.flatMap((factor) => choices(factorial, [factor]).map((chosen) => effectOf(factorial, chosen)));
  const pairs: [Factor, Factor][] = [
    ['mask', 'misalignment'],
    ['mask', 'style'],
    ['misalignment', 'style'],
  ];
  return [...mains, ...pairs.flatMap((pair) => choices(factorial, pair).map((chosen) => effectOf(factorial, chosen)))];
}

/** The effect of a factor, all its levels but the reference together, in every context. */
export function mainEffect(factorial: Factorial, factor: Factor): Effect {
  return effectOf(factorial, [anyOf(factorial, factor)]);
}

/** The effect of the second factor if the first is degraded, minus its effect otherwise. */
export function interaction(factorial: Factorial, first: Factor, second: Factor): Effect {
  return effectOf(factorial, [anyOf(factorial, first), anyOf(factorial, second)]);
}

interface Chosen {
  factor: Factor;
  label: string;
  levels: readonly Level[];
}

function anyOf(factorial: Factorial, factor: Factor): Chosen {
  return { factor, label: 'any', levels: factorial.levels[factor].filter((level) => level !== REFERENCE[factor]) };
}

function choices(factorial: Factorial, factors: readonly Factor[]): Chosen[][] {
  const any = factors.map((factor) => anyOf(factorial, factor));
  const single = product(
    any.map(({ factor, levels }) => levels.map((level): Chosen => ({ factor, label: String(level), levels: [level] }))),
  );
  return single.length > 1 ? [any, ...single] : [any];
}

function effectOf(factorial: Factorial, chosen: readonly Chosen[]): Effect {
  const others = FACTORS.filter((factor) => chosen.every((each) => each.factor !== factor));
  const contexts = product(others.map((factor) => factorial.levels[factor].map((level) => ({ factor, level }))));
  return {
    kind: chosen.length === 1 ? 'main' : 'interaction',
    factors: chosen.map(({ factor }) => factor),
    levels: chosen.map(({ label }) => label),
    contrasts: contexts.flatMap((context) => {
      const within = contrastsWithin(factorial, chosen, tripleWith(context));
      return within.length === 0 ? [] : [meanContrast(within)];
    }),
  };
}

/** In one context, the contrast of each combination of levels whose cells are all in the plan. */
function contrastsWithin(factorial: Factorial, chosen: readonly Chosen[], context: FactorLevels): Contrast[] {
  const combinations = product(chosen.map(({ factor, levels }) => levels.map((level) => ({ factor, level }))));
  return combinations.flatMap((combination) => simpleContrast(factorial, combination, context) ?? []);
}

interface At {
  factor: Factor;
  level: Level;
}

/** The difference that a level makes, or the difference between two such differences. */
function simpleContrast(
  factorial: Factorial,
  [first, ...rest]: readonly At[],
  context: FactorLevels,
): [Contrast] | null {
  const on = { ...context, [first!.factor]: first!.level };
  if (rest.length > 0) {
    const [with_, without] = [simpleContrast(factorial, rest, on), simpleContrast(factorial, rest, context)];
    if (with_ === null || without === null) return null;
    return [[...with_[0], ...without[0].map(({ cell, weight }) => ({ cell, weight: -weight }))]];
  }
  const cells: [FactorCell | undefined, FactorCell | undefined] = [factorial.find(on), factorial.find(context)];
  return cells[0] === undefined || cells[1] === undefined ? null : [difference(cells[0], cells[1])];
}

function tripleWith(levels: readonly At[]): FactorLevels {
  return levels.reduce((triple, { factor, level }) => ({ ...triple, [factor]: level }), REFERENCE);
}

/** Every way to take one of each. */
function product<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((so) => list.map((item) => [...so, item])), [[]]);
}
