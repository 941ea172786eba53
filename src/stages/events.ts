/** The events that a stage reports while it runs. */

/** Metrics by their keys; null: a metric that was not measured. */
export type MetricValues = Readonly<Record<string, number | null>>;

export type TrainingEvent =
  | { type: 'started'; device: string; steps: number; fromStep: number }
  | { type: 'progress'; epoch: number; step: number; steps: number; loss: number; imagesPerSecond: number }
  /** Measured after `epoch` epochs, on the test set, or on the split that is named. */
  | { type: 'evaluated'; epoch: number; metrics: MetricValues; split?: 'validation' | undefined }
  /** How training could be faster. Printed once in a sweep. */
  | { type: 'advice'; message: string }
  | { type: 'warning'; message: string };
