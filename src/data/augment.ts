/**
 * The views of an image that training and evaluation see, geometry only: torchvision's random resized crop and the
 * centre view. No pixel is computed here, and degradations are not augmentation: they are in `src/objectives`.
 */
import type { ByteImage } from '../common/image.js';
import type { Random } from '../common/random.js';
import { type Box, filterTaps, type FilterTaps, sliceTaps } from '../common/resample.js';
import type { View } from '../common/view.js';

export interface CropRange {
  /** Range of the crop's share of the image's area, in (0, 1]. */
  readonly scale: readonly [number, number];
  /** Range of width / height; 3/4 … 4/3 by default. */
  readonly ratio?: readonly [number, number];
}

const RATIO = [3 / 4, 4 / 3] as const;

/**
 * Draws the box of a random resized crop as torchvision does: area share uniform, log aspect ratio uniform, place
 * uniform. After ten boxes that do not fit, the largest centred box of an allowed aspect ratio.
 */
export function drawCrop(height: number, width: number, { scale, ratio = RATIO }: CropRange, random: Random): Box {
  const [low, high] = [Math.log(ratio[0]), Math.log(ratio[1])];
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = height * width * random.uniform(...scale);
    const aspect = Math.exp(random.uniform(low, high));
    const box = { height: Math.round(Math.sqrt(area / aspect)), width: Math.round(Math.sqrt(area * aspect)) };
    if (box.height < 1 || box.height > height || box.width < 1 || box.width > width) continue;
    return { top: random.integer(height - box.height + 1), left: random.integer(width - box.width + 1), ...box };
  }
  const box = {
    height: Math.min(height, Math.max(1, Math.round(width / ratio[0]))),
    width: Math.min(width, Math.max(1, Math.round(height * ratio[1]))),
  };
  return { top: Math.floor((height - box.height) / 2), left: Math.floor((width - box.width) / 2), ...box };
}

/** A random crop, resized (bicubic, antialiased) to size × size; not mirrored. */
export function randomResizedCrop(image: ByteImage, size: number, range: CropRange, random: Random): View {
  const { top, left, height, width } = drawCrop(image.height, image.width, range, random);
  const taps = (side: number): FilterTaps => filterTaps('bicubic', side, size);
  return { image, top, left, rows: taps(height), columns: taps(width), mirrored: false };
}

/** The place of the evaluation view: the size of the resized image, and the corner of the centre in it. */
export interface EvaluationBox {
  readonly height: number;
  readonly width: number;
  readonly top: number;
  readonly left: number;
}

/**
 * The geometry of evaluation in MAE (`util/datasets.py`): the shorter side is resized to ⌊size·256/224⌋, or to size
 * itself above 224 pixels; the other side in proportion, rounded down; then size × size is cut out of the centre.
 */
export function evaluationBox(height: number, width: number, size: number): EvaluationBox {
  const shorter = size <= 224 ? Math.floor((size * 256) / 224) : size;
  const resized = (side: number): number => Math.floor((shorter * side) / Math.min(height, width));
  const centre = (length: number): number => roundHalfEven((length - size) / 2);
  const [tall, wide] = [resized(height), resized(width)];
  return { height: tall, width: wide, top: centre(tall), left: centre(wide) };
}

/**
 * The view of evaluation: the centre of the image, resized (bicubic, antialiased) as by {@link evaluationBox}. An image
 * of size × size is used unchanged. MAE would enlarge it and cut off its border, but CIFAR images are small already.
 */
export function evaluationView(image: ByteImage, size: number): View {
  const whole = { image, top: 0, left: 0, mirrored: false };
  if (image.height === size && image.width === size) {
    const asItIs = filterTaps('area', size, size);
    return { ...whole, rows: asItIs, columns: asItIs };
  }
  const box = evaluationBox(image.height, image.width, size);
  return {
    ...whole,
    rows: sliceTaps(filterTaps('bicubic', image.height, box.height), box.top, size),
    columns: sliceTaps(filterTaps('bicubic', image.width, box.width), box.left, size),
  };
}

/** Python's `round`, with which torchvision places its centre crop. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
