/**
 * The names of objectives. Each is a preset of the triple (mask, misalignment, style) that leaves the parts it does not
 * name neutral; how the axes of a sweep meet a preset is in `cells.ts`.
 */
import { didYouMean } from './suggest.js';
import type { Misalignment, StyleKind, Task } from './task.js';

/** What a preset says of each part; undefined: neutral, an axis may fill it. */
export interface Preset {
  masked: boolean;
  misalignment: Exclude<Misalignment, 'none'> | undefined;
  style: Exclude<StyleKind, 'preserved'> | undefined;
}

export type Objective = { kind: 'scratch' } | ({ kind: 'preset' } & Preset);

/** The ratio of `masked` where no `maskRatio` is given (PAPER.md §10: MAE, and the paper). */
export const MASKED_RATIO = 0.75;

/** What an objective is called without a part, and the paper's tasks, in the order in which they are joined. */
const ALONE = ['scratch', 'identity'] as const;
const MISALIGNED = ['zoomed-in', 'zoomed-out', 'distorted'] as const;
const RESTYLED = ['blurred', 'decolorized'] as const;
const TASKS = ['masked', ...MISALIGNED, ...RESTYLED] as const;

/** Every objective under its canonical name: scratch, identity, and the 23 ways to join the paper's six tasks. */
export const OBJECTIVES: readonly string[] = [
  'scratch',
  ...[false, true].flatMap((masked) =>
    [undefined, ...MISALIGNED].flatMap((misalignment) =>
      [undefined, ...RESTYLED].map((style) => presetName({ masked, misalignment, style })),
    ),
  ),
];

function presetName({ masked, misalignment, style }: Preset): string {
  const parts = [masked ? 'masked' : undefined, misalignment, style].filter((part) => part !== undefined);
  return parts.length === 0 ? 'identity' : parts.join('+');
}

/** What a task is called: its three parts joined, whatever the mask ratio and the strengths. null is scratch. */
export function taskName(task: Task | null): string {
  if (task === null) return 'scratch';
  const { maskRatio, geometry, style } = task;
  return presetName({
    masked: maskRatio > 0,
    misalignment: geometry.kind === 'none' ? undefined : geometry.kind,
    style: style.kind === 'preserved' ? undefined : style.kind,
  });
}

/** The one spelling of an objective: mask, then misalignment, then style. */
export function objectiveName(objective: Objective): string {
  return objective.kind === 'scratch' ? 'scratch' : presetName(objective);
}

/** Reads an objective; the order of its parts and spaces around `+` are free. */
export function parseObjective(text: string): Objective | { kind: 'invalid'; reason: string } {
  const invalid = (reason: string) => ({ kind: 'invalid' as const, reason });
  const parts = text.split('+').map((part) => part.trim());
  const preset: Preset = { masked: false, misalignment: undefined, style: undefined };
  const names: readonly string[] = parts.length === 1 ? [...ALONE, ...TASKS] : TASKS;

  for (const part of parts) {
    const misalignment = MISALIGNED.find((name) => name === part);
    const style = RESTYLED.find((name) => name === part);
    if (part === 'masked') {
      if (preset.masked) return invalid(`"${text}" masks twice`);
      preset.masked = true;
    } else if (misalignment !== undefined) {
      if (preset.misalignment !== undefined) {
        return invalid(
          `"${text}" misaligns twice (${preset.misalignment}, ${misalignment}); an objective has one of each part`,
        );
      }
      preset.misalignment = misalignment;
    } else if (style !== undefined) {
      if (preset.style !== undefined) {
        return invalid(
          `"${text}" changes the style twice (${preset.style}, ${style}); an objective has one of each part`,
        );
      }
      preset.style = style;
    } else if (ALONE.some((name) => name === part)) {
      if (parts.length > 1) return invalid(`"${part}" stands alone; it cannot be joined as in "${text}"`);
      if (part === 'scratch') return { kind: 'scratch' };
    } else {
      const choices = `valid objectives are ${[...ALONE, ...TASKS].join(', ')}, and several of the last six joined by +`;
      return invalid(`unknown objective "${part}"${didYouMean(part, names)} (${choices})`);
    }
  }
  return { kind: 'preset', ...preset };
}
