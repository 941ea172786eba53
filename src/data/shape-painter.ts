/**
 * Paints one form as a small picture in which only the form is telling: colours, textures, pose, light and noise are
 * drawn at random. Which forms there are is in `forms.ts`, which image shows which in `shapes.ts`.
 */
import type { ByteImage } from '../common/image.js';
import type { Random } from '../common/random.js';
import type { Form } from './forms.js';

/** Raise it if a picture changes: it is part of the data set's fingerprint. */
export const PAINTER_VERSION = 1;

/** Radius of the circle around the form, as a fraction of the image's side. */
const RADIUS = [0.26, 0.42] as const;
/** Largest rotation to either side, in radians: free rotation needs far more images than a quick run has. */
const ROTATION = Math.PI / 4;
/** Least difference of luminance between form and background, in [0, 1]. */
const CONTRAST = 0.28;

type Color = readonly [red: number, green: number, blue: number];

const luminance = ([red, green, blue]: Color): number => 0.299 * red + 0.587 * green + 0.114 * blue;

/** A size × size picture of the form. */
export function paintShape(form: Form, size: number, random: Random): ByteImage {
  const coverage = drawCoverage(form, size, random);
  const [ground, figure] = drawColors(random);
  const groundTexture = drawTexture(size, random);
  const figureTexture = drawTexture(size, random);
  const groundTint = drawTint(random);
  const figureTint = drawTint(random);
  const gradient = drawGradient(size, 0.18, random);
  const light = drawGradient(size, 0.3, random);
  const contrast = random.uniform(0.75, 1);
  const noise = random.uniform(0, 0.05);

  const data = new Uint8Array(size * size * 3);
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      const inside = coverage[i]!;
      const slope = gradient(x, y);
      const brightness = 1 + light(x, y);
      for (let channel = 0; channel < 3; channel++) {
        const behind = ground[channel]! + groundTint[channel]! * groundTexture[i]! + slope;
        const front = figure[channel]! + figureTint[channel]! * figureTexture[i]!;
        const lit = (behind + (front - behind) * inside) * brightness;
        // Two uniform numbers: a triangular distribution is noise enough, and far cheaper than a normal one.
        const grain = noise * (random.uint32() + random.uint32() - 2 ** 32) * 2 ** -32;
        data[3 * i + channel] = Math.min(255, Math.max(0, Math.round(255 * (0.5 + contrast * (lit - 0.5) + grain))));
      }
    }
  }
  return { data, height: size, width: size };
}

/**
 * [size × size] whether the centre of each pixel is inside of the form, for the picture that {@link paintShape} paints
 * from the same random stream.
 */
export function insideShape(form: Form, size: number, random: Random): boolean[] {
  // If the outline passes through the centre of a pixel, half of the pixel is covered.
  return Array.from(drawCoverage(form, size, random), (covered) => covered >= 0.5);
}

/** [size × size] share of each pixel that the form covers, at a random place, scale and rotation. */
function drawCoverage(form: Form, size: number, random: Random): Float32Array {
  const radius = random.uniform(...RADIUS) * size;
  const [cx, cy] = [random.uniform(radius, size - radius), random.uniform(radius, size - radius)];
  const angle = random.uniform(-ROTATION, ROTATION);
  const [cos, sin] = [Math.cos(angle) / radius, Math.sin(angle) / radius];
  const coverage = new Float32Array(size * size);
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy];
      // Forms fit the unit circle; a pixel well outside of it needs no distance.
      if (dx * dx + dy * dy > (radius + 1) ** 2) continue;
      const distance = form(cos * dx + sin * dy, cos * dy - sin * dx) * radius;
      coverage[i] = Math.min(1, Math.max(0, 0.5 - distance));
    }
  }
  return coverage;
}

/** Colours of background and form, uniform but for their contrast: either may be the brighter one. */
function drawColors(random: Random): [Color, Color] {
  const draw = (): Color => [random.uniform(), random.uniform(), random.uniform()];
  for (;;) {
    const colors: [Color, Color] = [draw(), draw()];
    if (Math.abs(luminance(colors[0]) - luminance(colors[1])) >= CONTRAST) return colors;
  }
}

/** How much a texture at full strength adds to each channel. */
function drawTint(random: Random): Color {
  const strength = random.uniform(0.04, 0.14);
  return [strength, strength * random.uniform(0.3, 1), strength * random.uniform(0.3, 1)];
}

/** A linear slope across the image in a random direction, at most ± `most` at the edges' middle. */
function drawGradient(size: number, most: number, random: Random): (x: number, y: number) => number {
  const strength = random.uniform(0, most);
  const angle = random.uniform(0, 2 * Math.PI);
  const dx = (2 * strength * Math.cos(angle)) / size;
  const dy = (2 * strength * Math.sin(angle)) / size;
  const origin = -((dx + dy) * (size - 1)) / 2;
  return (x, y) => origin + dx * x + dy * y;
}

/** [size × size] in [−1, 1]: plain, stripes, a checkerboard or clouds, finer or coarser. */
function drawTexture(size: number, random: Random): Float32Array {
  const texture = new Float32Array(size * size);
  const kind = random.integer(4);
  const period = size * random.uniform(0.12, 0.35);
  const angle = random.uniform(0, Math.PI);
  const [cos, sin] = [Math.cos(angle) / period, Math.sin(angle) / period];
  const [shiftX, shiftY] = [random.uniform(), random.uniform()];
  if (kind === 0) return texture;
  const sample = kind === 1 ? stripes : kind === 2 ? checks : clouds(random);
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      texture[i] = sample(cos * x + sin * y + shiftX, cos * y - sin * x + shiftY);
    }
  }
  return texture;
}

/** Distance from the nearest half period, steep enough for an edge of about a pixel. */
function wave(position: number): number {
  const phase = position - Math.floor(position);
  return Math.min(1, Math.max(-1, 6 * (Math.abs(phase - 0.5) - 0.25) * 2));
}

const stripes = (x: number): number => wave(x);
const checks = (x: number, y: number): number => wave(x) * wave(y);

/** Smoothly interpolated random values on a lattice that repeats after eight. */
function clouds(random: Random): (x: number, y: number) => number {
  const lattice = Float32Array.from({ length: 64 }, () => random.uniform(-1, 1));
  const smooth = (t: number): number => t * t * (3 - 2 * t);
  const at = (x: number, y: number): number => lattice[(y & 7) * 8 + (x & 7)]!;
  return (x, y) => {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const [right, below] = [smooth(x - column), smooth(y - row)];
    const above = at(column, row) + (at(column + 1, row) - at(column, row)) * right;
    const under = at(column, row + 1) + (at(column + 1, row + 1) - at(column, row + 1)) * right;
    return above + (under - above) * below;
  };
}
