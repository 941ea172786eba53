/** Every form that a report is written in. */
export const FORMATS = ['csv', 'md', 'html', 'latex'] as const;
export type Format = (typeof FORMATS)[number];
