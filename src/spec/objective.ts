/**
 * The names of objectives. Each is a preset of the triple (mask, misalignment, style); parts that it does not name stay
 * neutral. `cells.ts` combines a preset with the axes of a sweep.
 */
import { GEOMETRIES } from '../task/geometries/index.js';
import { STYLES } from '../task/styles/index.js';
import { didYouMean } from './suggest.js';
import {
  MISALIGNMENTS,
  NO_MISALIGNMENT,
  NO_STYLE_CHANGE,
  STYLE_KINDS,
  type Misalignment,
  type StyleKind,
  type Task,
} from './task.js';

/** The parts that an objective sets; undefined: neutral, an axis may set it. */
export interface ObjectiveParts {
  masked: boolean;
  misalignment: Exclude<Misalignment, typeof NO_MISALIGNMENT> | undefined;
  style: Exclude<StyleKind, typeof NO_STYLE_CHANGE> | undefined;
}

export type ParsedObjective = { kind: 'scratch' } | { kind: 'pretrained' } | ({ kind: 'preset' } & ObjectiveParts);

/** The ratio of `masked` if no `maskRatio` is given (PAPER.md §10: MAE, and the paper). */
export const MASKED_RATIO = 0.75;

const NEUTRAL: ObjectiveParts = { masked: false, misalignment: undefined, style: undefined };

export const MISALIGNED = MISALIGNMENTS.filter((name) => name !== NO_MISALIGNMENT);
export const RESTYLED = STYLE_KINDS.filter((name) => name !== NO_STYLE_CHANGE);

/** Objectives that cannot be joined with others, each with a clause about it. */
const ALONE = {
  scratch: 'no pre-training',
  pretrained: 'the weights of model.weights in place of a pre-training',
  identity: 'nothing is changed',
} as const;
const ALONE_NAMES = Object.keys(ALONE);

/** A name for parts of a task. */
interface ObjectivePreset {
  name: string;
  /** A clause for the documentation of `objective`. */
  description: string;
  parts: Partial<ObjectiveParts>;
}

/**
 * Objectives that can be joined by `+`, in the order of lists: one for the mask, one for each geometry and one for each
 * style. A further line can add an alias for several parts together. Plans and tables show the names of the parts.
 */
const PRESETS: readonly ObjectivePreset[] = [
  { name: 'masked', description: 'tokens are removed', parts: { masked: true } },
  ...MISALIGNED.map((name) => ({ ...GEOMETRIES[name], parts: { misalignment: name } })),
  ...RESTYLED.map((name) => ({ ...STYLES[name], parts: { style: name } })),
];
const PARTS_OF = new Map(PRESETS.map(({ name, parts }) => [name, parts]));

/**
 * Every objective: `scratch`, `pretrained`, `identity`, every combination of the parts under its canonical name, and further presets.
 */
export const OBJECTIVES: readonly string[] = [
  ...new Set([
    'scratch',
    'pretrained',
    ...[false, true].flatMap((masked) =>
      [undefined, ...MISALIGNED].flatMap((misalignment) =>
        [undefined, ...RESTYLED].map((style) => presetName({ masked, misalignment, style })),
      ),
    ),
    ...PARTS_OF.keys(),
  ]),
];

/** The objectives from which all others are composed. */
const OBJECTIVE_PARTS: readonly string[] = [...ALONE_NAMES, ...PARTS_OF.keys()];

/** For the description of `objective`: every name with its meaning. */
export function describeObjectives(): string {
  const alone = Object.entries(ALONE).map(([name, description]) => `${name}: ${description}`);
  const joined = PRESETS.map(({ name, description }) => `${name}: ${description}`);
  return `${alone.join('; ')}. Or one of the following, or several of them joined by +. ${joined.join('; ')}.`;
}

function presetName({ masked, misalignment, style }: ObjectiveParts): string {
  const parts = [masked ? 'masked' : undefined, misalignment, style].filter((part) => part !== undefined);
  return parts.length === 0 ? 'identity' : parts.join('+');
}

/**
 * The name of a task: its three parts joined, without the mask ratio and the strengths. null is scratch, or given weights.
 *
 * @param weights The digest of given weights; undefined: there are none.
 */
export function taskName(task: Task | null, weights?: string): string {
  if (task === null) return weights === undefined ? 'scratch' : 'pretrained';
  const { maskRatio, geometry, style } = task;
  return presetName({
    masked: maskRatio > 0,
    misalignment: geometry.kind === NO_MISALIGNMENT ? undefined : geometry.kind,
    style: style.kind === NO_STYLE_CHANGE ? undefined : style.kind,
  });
}

/** The canonical spelling of an objective: mask, then misalignment, then style. */
export function objectiveName(objective: ParsedObjective): string {
  return objective.kind === 'preset' ? presetName(objective) : objective.kind;
}

/** Parses an objective; its parts may be in any order, with spaces around `+`. */
export function parseObjective(text: string): ParsedObjective | { kind: 'invalid'; reason: string } {
  const invalid = (reason: string) => ({ kind: 'invalid' as const, reason });
  const parts = text.split('+').map((part) => part.trim());
  if ((parts[0] === 'scratch' || parts[0] === 'pretrained') && parts.length === 1) return { kind: parts[0] };
  const names = parts.length === 1 ? OBJECTIVE_PARTS : [...PARTS_OF.keys()];

  let joined = NEUTRAL;
  for (const part of parts) {
    const preset = part === 'identity' && parts.length === 1 ? NEUTRAL : PARTS_OF.get(part);
    if (preset === undefined) {
      if (ALONE_NAMES.includes(part)) {
        return invalid(`"${part}" cannot be joined with other parts as in "${text}"`);
      }
      const choices = `valid objectives are ${OBJECTIVE_PARTS.join(', ')}; all but ${ALONE_NAMES.slice(0, -1).join(', ')} and ${ALONE_NAMES.at(-1)!} can be joined by +`;
      return invalid(`unknown objective "${part}"${didYouMean(part, names)} (${choices})`);
    }
    const twice = repetition(joined, preset);
    if (twice !== undefined) return invalid(`"${text}" ${twice}`);
    joined = { ...joined, ...preset };
  }
  return { kind: 'preset', ...joined };
}

/** The part that both have, as a clause. */
function repetition(joined: ObjectiveParts, added: Partial<ObjectiveParts>): string | undefined {
  const rule = 'an objective has one of each part';
  if (joined.masked && added.masked === true) return 'masks twice';
  if (joined.misalignment !== undefined && added.misalignment !== undefined) {
    return `misaligns twice (${joined.misalignment}, ${added.misalignment}); ${rule}`;
  }
  if (joined.style !== undefined && added.style !== undefined) {
    return `changes the style twice (${joined.style}, ${added.style}); ${rule}`;
  }
  return undefined;
}
