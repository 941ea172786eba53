/** The picture of a segmentation: test images, their masks and the predictions. It influences no result. */
import { messageOf } from '../common/errors.js';
import type { FloatImage } from '../common/image.js';
import { viewPixels } from '../common/view.js';
import type { MaskedView } from '../data/mask-view.js';
import { IGNORED } from '../data/target.js';
import { renderPreview } from '../objectives/contact-sheet.js';
import { writeFileAtomic } from '../store/files.js';
import type { StageContext } from './stage-context.js';

/** A view with the predicted class of each pixel. */
export interface Segmented extends MaskedView {
  readonly predicted: Uint8Array;
}

/** Side in pixels to which panels are enlarged. */
const ENLARGED = 128;

/**
 * Writes `preview.png` into the stage's folder. If this fails, the stage only warns and continues.
 *
 * @throws The error of `mayWrite`, if this process may no longer write to the stage.
 */
export async function leaveSegmentationPreview(
  segmented: readonly Segmented[],
  size: number,
  { paths, emit, mayWrite }: Pick<StageContext, 'paths' | 'emit' | 'mayWrite'>,
): Promise<void> {
  if (segmented.length === 0) return;
  mayWrite();
  try {
    const rows = segmented.map(({ view, classes, predicted }) => [
      viewPixels(view),
      coloured(classes, size),
      // If the mask has no class, the prediction is neither right nor wrong.
      coloured(
        predicted.map((each, i) => (classes[i] === IGNORED ? IGNORED : each)),
        size,
      ),
    ]);
    const panels = { captions: ['image', 'mask', 'prediction'], rows };
    writeFileAtomic(paths.preview, await renderPreview(panels, { captions: true, largest: ENLARGED, colours: 256 }));
  } catch (error) {
    emit({ type: 'warning', message: `wrote no preview.png: ${messageOf(error)}` });
  }
}

const WHITE = [1, 1, 1] as const;

/** The classes of pixels as colours; white: no class. */
function coloured(classes: Uint8Array, size: number): FloatImage {
  const data = new Float32Array(3 * classes.length);
  classes.forEach((each, i) => {
    data.set(each === IGNORED ? WHITE : classColour(each), 3 * i);
  });
  return { data, height: size, width: size };
}

/**
 * The colour of a class in [0, 1]: the colour map of PASCAL VOC, in which the bits of the number are dealt to the
 * highest free bits of red, green and blue in turn. Class 0 is black.
 */
export function classColour(number: number): [red: number, green: number, blue: number] {
  const colour: [number, number, number] = [0, 0, 0];
  for (let bit = 0; bit < 8; bit++) {
    const channel = bit % 3;
    colour[channel]! += (((number >> bit) & 1) << (7 - Math.floor(bit / 3))) / 255;
  }
  return colour;
}
