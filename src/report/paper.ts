/**
 * The paper's numbers, and which of its tasks a job is. ViT-B/16, 300 epochs of pre-training on ImageNet-1k,
 * fine-tuned; top-1 in percent (PAPER.md §9a).
 */
import { taskName } from '../spec/objective.js';
import type { Task } from '../spec/task.js';
import { SINGLE_PARTS } from './objective-order.js';

/** The rows of the objectives table, in its order: those of the paper, and every other objective of one part. */
export const OBJECTIVE_ORDER = [...SINGLE_PARTS, 'masked+zoomed-in'] as const;

export type PaperObjective = (typeof OBJECTIVE_ORDER)[number];

const REPORTED: Partial<Record<PaperObjective, number>> = {
  scratch: 80.7,
  blurred: 81.8,
  decolorized: 81.4,
  distorted: 82.1,
  'zoomed-out': 82.5,
  'zoomed-in': 82.7,
  masked: 82.9,
  'masked+zoomed-in': 83.2,
};

/** null: the paper does not report it. */
export const PAPER_ACCURACY = Object.fromEntries(
  OBJECTIVE_ORDER.map((objective) => [objective, REPORTED[objective] ?? null]),
) as Record<PaperObjective, number | null>; // the order lists every objective

/**
 * The paper's efficiency figure: accuracy by epochs of pre-training. The run called masked is the authors' own of MAE.
 */
const PAPER_BY_EPOCHS: Partial<Record<PaperObjective, Readonly<Record<number, number>>>> = {
  masked: { 50: 82.3, 100: 82.6, 200: 82.8, 300: 82.9 },
  'masked+zoomed-in': { 50: 82.7, 100: 83.0, 200: 83.1, 300: 83.2 },
};

/** The paper's accuracy after that many epochs of pre-training; null: not reported. */
export function paperAccuracyAfter(task: NamedTask, epochs: number | null): number | null {
  const objective = paperObjective(task);
  return objective === undefined || epochs === null ? null : (PAPER_BY_EPOCHS[objective]?.[epochs] ?? null);
}

/** Linear zoom fractions of the paper's figure and code (PAPER.md §5). */
const PAPER_ZOOM = { 'zoomed-in': 160 / 224, 'zoomed-out': 160 / 224, 'masked+zoomed-in': 224 / 288 };

/** The paper masks three quarters of the tokens, or none. */
export const PAPER_MASK_RATIO = 0.75;

/** The objective of a row, and its mask ratio; 0: none. */
export interface NamedTask {
  objective: string;
  maskRatio: number;
}

/** The task of a job by its three parts and not by its name in the spec: `identity` with a mask ratio is `masked`. */
export const namedTask = (task: Task | null, weights?: string): NamedTask => ({
  objective: taskName(task, weights),
  maskRatio: task?.maskRatio ?? 0,
});

/**
 * The paper's objective that a task is; strengths do not count.
 *
 * @returns undefined for other combinations, and for mask ratios that the paper does not report.
 */
export function paperObjective({ objective, maskRatio }: NamedTask): PaperObjective | undefined {
  if (maskRatio !== 0 && maskRatio !== PAPER_MASK_RATIO) return undefined;
  return OBJECTIVE_ORDER.find((name) => name === objective);
}

/** The accuracy that the paper reports for a task; null: none. */
export function paperAccuracy(task: NamedTask): number | null {
  const objective = paperObjective(task);
  return objective === undefined ? null : PAPER_ACCURACY[objective];
}

/** A sentence if the zoom of a task differs from the paper's: a warning for readers who compare the numbers. */
export function zoomDeparture({ geometry, ...task }: Task): string | undefined {
  const name = taskName({ geometry, ...task });
  if (!('fraction' in geometry) || !(name in PAPER_ZOOM)) return undefined;
  const paper = PAPER_ZOOM[name as keyof typeof PAPER_ZOOM];
  if (Math.abs(geometry.fraction - paper) < 0.001) return undefined;
  return `${name} zooms by ${geometry.fraction.toFixed(3)}, but in the paper by ${paper.toFixed(3)}.`;
}
