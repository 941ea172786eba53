/**
 * The ten forms of the shapes data set, each as a signed distance: negative inside, 0 on the outline, positive outside.
 * Only geometry; `shape-painter.ts` colours and places them.
 */

/** Signed distance of (x, y) to a form that fits the unit circle; y points down. */
export type Form = (x: number, y: number) => number;

type Point = readonly [x: number, y: number];

const disc =
  (radius: number, cx = 0, cy = 0): Form =>
  (x, y) =>
    Math.hypot(x - cx, y - cy) - radius;

const union =
  (a: Form, b: Form): Form =>
  (x, y) =>
    Math.min(a(x, y), b(x, y));

const without =
  (a: Form, b: Form): Form =>
  (x, y) =>
    Math.max(a(x, y), -b(x, y));

/** A closed polygon: the distance to the nearest edge, negative if a ray crosses the outline an odd number of times. */
function polygon(points: readonly Point[]): Form {
  const edges = points.map(([x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length]!;
    const [dx, dy] = [nextX - x, nextY - y];
    return { x, y, dx, dy, nextY, perLength: 1 / (dx * dx + dy * dy) };
  });
  return (px, py) => {
    let nearest = Infinity;
    let inside = false;
    for (const { x, y, dx, dy, nextY, perLength } of edges) {
      const along = Math.min(1, Math.max(0, ((px - x) * dx + (py - y) * dy) * perLength));
      const [offX, offY] = [px - x - along * dx, py - y - along * dy];
      nearest = Math.min(nearest, offX * offX + offY * offY);
      if (y > py !== nextY > py && px < x + (dx / dy) * (py - y)) inside = !inside;
    }
    return inside ? -Math.sqrt(nearest) : Math.sqrt(nearest);
  };
}

/** Points on circles around the origin, evenly turned, the first at the top; the radii take turns. */
function radial(count: number, ...radii: number[]): Point[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * i) / count;
    const radius = radii[i % radii.length]!;
    return [radius * Math.sin(angle), -radius * Math.cos(angle)];
  });
}

/** A plus sign whose arms are `half` wide to each side. */
function plus(length: number, half: number): Point[] {
  const arm: Point[] = [
    [-half, -length],
    [half, -length],
    [half, -half],
  ];
  return [0, 1, 2, 3].flatMap((quarter) =>
    arm.map(([x, y]): Point => {
      const [cos, sin] = [
        [1, 0],
        [0, 1],
        [-1, 0],
        [0, -1],
      ][quarter]! as [number, number];
      return [cos * x - sin * y, sin * x + cos * y];
    }),
  );
}

const ARROW: readonly Point[] = [
  [0, -1],
  [0.75, -0.1],
  [0.28, -0.1],
  [0.28, 0.9],
  [-0.28, 0.9],
  [-0.28, -0.1],
  [-0.75, -0.1],
];

/** Two lobes on the upper sides of a square that stands on its corner. */
const LOBE = 0.47;
const HEART: Form = union(
  polygon([
    [0, -0.35],
    [2 * LOBE * Math.SQRT1_2, -0.35 + 2 * LOBE * Math.SQRT1_2],
    [0, -0.35 + 4 * LOBE * Math.SQRT1_2],
    [-2 * LOBE * Math.SQRT1_2, -0.35 + 2 * LOBE * Math.SQRT1_2],
  ]),
  union(
    disc(LOBE, LOBE * Math.SQRT1_2, -0.35 + LOBE * Math.SQRT1_2),
    disc(LOBE, -LOBE * Math.SQRT1_2, -0.35 + LOBE * Math.SQRT1_2),
  ),
);

/** The classes, in the order of their labels. Areas are alike if the form allows it. */
export const FORMS = {
  disc: disc(0.78),
  ring: without(disc(0.95), disc(0.52)),
  square: polygon(radial(4, 1)),
  triangle: polygon(radial(3, 1)),
  star: polygon(radial(10, 1, 0.42)),
  cross: polygon(plus(0.92, 0.29)),
  crescent: without(disc(0.95), disc(0.8, 0.5)),
  heart: HEART,
  hexagon: polygon(radial(6, 0.9)),
  arrow: polygon(ARROW),
} as const satisfies Record<string, Form>;
