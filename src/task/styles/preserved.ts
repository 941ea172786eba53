/** The style is preserved: pixels are unchanged. */
import { z } from 'zod';
import type { StyleEntry } from '../entry.js';

const strengths = z.strictObject({});

export const preserved: StyleEntry<'preserved', typeof strengths, { kind: 'preserved' }, null> = {
  name: 'preserved',
  description: 'unchanged',
  strengths,
  resolve: () => ({ kind: 'preserved' }),
  part: () => ({ draw: () => null, restyle: (image) => image, restyleBatch: (_, images) => images }),
};
