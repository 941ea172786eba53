/** Sums and means of lists of numbers, added in their order. */

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The mean of at least one value. */
export const mean = (values: readonly number[]): number => sum(values) / values.length;
