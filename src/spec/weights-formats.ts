/** Whose names and layout the tensors of a file of weights have: `model.weights.format`. */
export const WEIGHTS_FORMATS = ['vitmim', 'timm', 'mae', 'hf'] as const;

export type WeightsFormat = (typeof WEIGHTS_FORMATS)[number];
