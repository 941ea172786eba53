/** No misalignment: input and target are the same field. */
import { z } from 'zod';
import { normalizeImage } from '../../common/image.js';
import { drawNothing, type GeometryEntry } from '../entry.js';

const strengths = z.strictObject({});

export const none: GeometryEntry<'none', typeof strengths, { kind: 'none' }> = {
  name: 'none',
  description: 'aligned',
  strengths,
  resolve: () => ({ kind: 'none' }),
  countsRemovedTokensOnly: () => true,
  part: (_, imageSize) => ({
    fieldSize: imageSize,
    draw: drawNothing,
    move: normalizeImage,
    moveBatch: ({ ops }, fields) => ops.mixColours(fields, [ops.NORMALIZE]),
  }),
};
