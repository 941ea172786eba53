/**
 * A pre-training task: recover the clean image from one degraded in three independent parts. These are the resolved
 * numbers that `src/objectives` carries out; how a spec comes to them is in `cells.ts`. (DESIGN.md §1, PAPER.md §3–4)
 */

/** How the input grid is moved against the target grid. */
export type Geometry =
  | { kind: 'none' }
  | {
      kind: 'zoomed-in';
      /** Linear fraction of the field that the input shows: 160/224 unmasked, 224/288 masked. */
      fraction: number;
      /** All tokens against the whole field. */
      loss: 'field';
    }
  | {
      kind: 'zoomed-in';
      fraction: number;
      /** The weighted sum of PAPER.md §4.2. */
      loss: 'centre-border';
      centreWeight: number;
      borderWeight: number;
    }
  | {
      kind: 'zoomed-out';
      /** Linear fraction of the canvas that holds the content: 160/224. */
      fraction: number;
    }
  | {
      kind: 'distorted';
      /** Range of the strength m, drawn per image. */
      strength: [number, number];
      /** Range of each centre coordinate in [-1, 1]², drawn per image. */
      centre: [number, number];
    };

/** How the input's pixels are changed. */
export type Style =
  | { kind: 'preserved' }
  | {
      kind: 'blurred';
      /** Odd side of the random kernel, in pixels. */
      kernelSize: number;
      /** Standard deviation of a weight as a multiple of its mean 1/kernelSize². */
      relativeStd: number;
      /** True: 3 → 3 channels, as in the paper. False: one kernel for each channel alone. */
      mixChannels: boolean;
      /** True: each output channel's weights are divided by their sum, so that brightness is kept. */
      unitGain: boolean;
      /** True: the result is clipped to the pixel range [0, 1]. */
      clip: boolean;
    }
  | { kind: 'decolorized'; variant: 'luminance' }
  | { kind: 'decolorized'; variant: 'saturation'; saturation: number }
  | { kind: 'decolorized'; variant: 'random-mix'; normalizeMix: boolean };

/** How a target patch is normalised: per patch and channel (the paper), per patch (MAE), or ImageNet-normalised pixels. */
export type TargetNormalization = 'patch-channel' | 'patch' | 'none';

/** What pre-training recovers from what. */
export interface Task {
  /** Fraction of the input tokens removed, in [0, 1). */
  maskRatio: number;
  geometry: Geometry;
  style: Style;
  target: TargetNormalization;
}

export type Misalignment = Geometry['kind'];
export type StyleKind = Style['kind'];

/**
 * Whether the loss counts removed tokens alone. Once visible tokens are degraded too, by distortion or by a style
 * change, recovering them is part of the task and all tokens count (DESIGN.md §1). So they do in the `field` loss of a
 * masked zoom-in: its tokens lie elsewhere in the image than the input's, and none of them is the one removed.
 */
export function countsRemovedTokensOnly({ maskRatio, geometry, style }: Task): boolean {
  const sameTokens = geometry.kind !== 'zoomed-in' || geometry.loss === 'centre-border';
  return maskRatio > 0 && sameTokens && geometry.kind !== 'distorted' && style.kind === 'preserved';
}
