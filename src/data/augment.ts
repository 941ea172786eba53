/**
 * The views of an image that training and evaluation see, geometry only: torchvision's random resized crop, the mirror
 * image, and the centre view. Degradations are not augmentation: they are in `src/objectives`.
 */
import type { ByteImage, FloatImage } from '../common/image.js';
import type { Random } from '../common/random.js';
import { applyTaps, type Box, filterTaps, resampleImage, sliceTaps, wholeImage } from '../common/resample.js';

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

/** A random crop, resized (bicubic, antialiased) to size × size. In [0, 1]. */
export function randomResizedCrop(image: ByteImage, size: number, range: CropRange, random: Random): FloatImage {
  return resampleImage(image, drawCrop(image.height, image.width, range, random), size, size, 'bicubic');
}

/** The image mirrored left to right. */
export function horizontalFlip({ data, height, width }: FloatImage): FloatImage {
  const flipped = new Float32Array(data.length);
  for (let y = 0; y < height; y++) {
    let from = (y + 1) * width * 3;
    for (let to = y * width * 3; to < (y + 1) * width * 3; to += 3) {
      from -= 3;
      flipped[to] = data[from]!;
      flipped[to + 1] = data[from + 1]!;
      flipped[to + 2] = data[from + 2]!;
    }
  }
  return { data: flipped, height, width };
}

/**
 * The view that evaluation sees, in [0, 1]. An image of size × size is taken as it is; of any other, the shorter side
 * is resized to size·256/224 (bicubic, antialiased) and the centre is cut out.
 */
export function evaluationView(image: ByteImage, size: number): FloatImage {
  if (image.height === size && image.width === size) return resampleImage(image, wholeImage(image), size, size, 'area');
  const shorter = Math.round((size * 256) / 224);
  const resized = (side: number): number => Math.floor((shorter * side) / Math.min(image.height, image.width));
  const centre = (side: number) => {
    const length = resized(side);
    return sliceTaps(filterTaps('bicubic', side, length), roundHalfEven((length - size) / 2), size);
  };
  return applyTaps(image, { top: 0, left: 0 }, centre(image.height), centre(image.width));
}

/** Python's `round`, with which torchvision places its centre crop. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
