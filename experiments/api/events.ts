// The events of a sweep are a union, told apart by `type`: in each case, TypeScript knows the other fields.
import { readResults, type ResultRow, type SweepEvent } from 'vitmim';

export function describe(event: SweepEvent): string {
  switch (event.type) {
    case 'stage-failed':
      return `${event.stage.name} failed (${event.cause}): ${event.reason}`;
    case 'stage-progress':
      return `${event.stage.name}: step ${event.step} of ${event.steps}, loss ${event.loss.toFixed(3)}`;
    case 'run-ended':
      return `${event.summary.done} stages done`;
    default:
      return event.type;
  }
}

/** The mean of the first metric of an evaluation for each objective, over the runs that count. */
export function meansOf(folder: string, evaluation: string): Map<string, number> {
  const values = new Map<string, number[]>();
  const counts = ({ evaluation: name, unhealthy }: ResultRow): boolean => name === evaluation && unhealthy === null;
  for (const { objective, value } of readResults(folder).rows.filter(counts)) {
    if (value !== null) values.set(objective, [...(values.get(objective) ?? []), value]);
  }
  return new Map([...values].map(([name, own]) => [name, own.reduce((sum, value) => sum + value, 0) / own.length]));
}

// @ts-expect-error: only some events have a reason
export const reasonOf = (event: SweepEvent): string => event.reason;
