/** The common part of both zooms: a fraction that must result in whole pixels, of another number than the image's. */
import { UsageError } from '../common/errors.js';
import type { Conflict } from './entry.js';
import { strengthsKey } from './strengths.js';

type Zoom = 'zoomed-in' | 'zoomed-out';

/** @throws UsageError if the size does not fit. */
export function zoomSize(fits: boolean, size: number, zoom: Zoom, fraction: number, imageSize: number): number {
  if (fits) return size;
  throw new UsageError(
    `degradation.${strengthsKey(zoom)}.fraction ${fraction} gives no zoom in images of ${imageSize} px; ` +
      'move it away from 0 and 1',
  );
}

/** The conflict, if computing the size throws. */
export function zoomConflict(zoom: Zoom, size: () => number): Conflict | undefined {
  try {
    size();
    return undefined;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { keys: [`degradation.${strengthsKey(zoom)}.fraction`, 'data.imageSize'], message: error.message };
  }
}
