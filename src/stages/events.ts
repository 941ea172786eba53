/** The events that a stage reports while it runs. */

/** Metrics on the test set by their keys; null: a metric that was not measured. */
export type MetricValues = Readonly<Record<string, number | null>>;

export type TrainingEvent =
  | { type: 'started'; device: string; steps: number; fromStep: number }
  | { type: 'progress'; epoch: number; step: number; steps: number; loss: number; imagesPerSecond: number }
  /** Measured on the test set after `epoch` epochs. */
  | { type: 'evaluated'; epoch: number; metrics: MetricValues }
  /** What would make training faster. Told once in a sweep. */
  | { type: 'advice'; message: string }
  | { type: 'warning'; message: string };
