/**
 * The ops of src/ops in float64, written for clarity from their definitions, independently of the code that they check.
 */
import type { Values } from '../support/arrays.js';

/** x [rows, inputs] · weight [inputs, outputs] + bias. */
export function linear(x: Values, weight: Values, bias: Values | null, rows: number, inputs: number): Float64Array {
  const outputs = weight.length / inputs;
  const y = new Float64Array(rows * outputs);
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outputs; o++) {
      let sum = bias ? bias[o]! : 0;
      for (let i = 0; i < inputs; i++) sum += x[r * inputs + i]! * weight[i * outputs + o]!;
      y[r * outputs + o] = sum;
    }
  }
  return y;
}

/** erf by its Maclaurin series below 3 and by its continued fraction above; both exact to about 1e-15 there. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  let value: number;
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 120; n++) {
      term *= -(z * z) / n;
      sum += term / (2 * n + 1);
    }
    value = (2 / Math.sqrt(Math.PI)) * sum;
  } else {
    let fraction = 0;
    for (let n = 60; n >= 1; n--) fraction = n / 2 / (z + fraction);
    value = 1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction);
  }
  return x < 0 ? -value : value;
}

export const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));

export function layerNorm(x: Values, scale: Values, shift: Values, epsilon: number): Float64Array {
  const dim = scale.length;
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += dim) {
    let mean = 0;
    for (let i = 0; i < dim; i++) mean += x[start + i]! / dim;
    let variance = 0;
    for (let i = 0; i < dim; i++) variance += (x[start + i]! - mean) ** 2 / dim;
    for (let i = 0; i < dim; i++) {
      y[start + i] = ((x[start + i]! - mean) / Math.sqrt(variance + epsilon)) * scale[i]! + shift[i]!;
    }
  }
  return y;
}

export function softmax(x: readonly number[]): number[] {
  const top = Math.max(...x);
  const exponentials = x.map((value) => Math.exp(value - top));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/** qkv [batch, tokens, 3·dim] → [batch, tokens, dim]. */
export function attention(qkv: Values, batch: number, tokens: number, heads: number): Float64Array {
  const width = qkv.length / batch / tokens;
  const dim = width / 3;
  const size = dim / heads;
  const at = (b: number, token: number, part: number, head: number, i: number): number =>
    qkv[(b * tokens + token) * width + part * dim + head * size + i]!;
  const y = new Float64Array(batch * tokens * dim);
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      for (let t = 0; t < tokens; t++) {
        const scores = Array.from({ length: tokens }, (_, s) => {
          let score = 0;
          for (let i = 0; i < size; i++) score += at(b, t, 0, head, i) * at(b, s, 1, head, i);
          return score / Math.sqrt(size);
        });
        softmax(scores).forEach((weight, s) => {
          for (let i = 0; i < size; i++) y[(b * tokens + t) * dim + head * size + i]! += weight * at(b, s, 2, head, i);
        });
      }
    }
  }
  return y;
}

/** For attention: the gradient of qkv, and the logarithms of the softmax's sums, [batch, heads, tokens]. */
export function attentionGradient(
  qkv: Values,
  dy: Values,
  batch: number,
  tokens: number,
  heads: number,
): { dqkv: Float64Array; logSums: Float64Array } {
  const dim = qkv.length / batch / tokens / 3;
  const size = dim / heads;
  const scale = 1 / Math.sqrt(size);
  const dqkv = new Float64Array(qkv.length);
  const logSums = new Float64Array(batch * heads * tokens);
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      const place = (token: number, part: number): number => (b * tokens + token) * 3 * dim + part * dim + head * size;
      const range = Array.from({ length: tokens }, (_, token) => token);
      const dotAt = (x: Values, i: number, z: Values, j: number): number => {
        let sum = 0;
        for (let f = 0; f < size; f++) sum += x[i + f]! * z[j + f]!;
        return sum;
      };
      const add = (to: number, factor: number, x: Values, from: number): void => {
        for (let f = 0; f < size; f++) dqkv[to + f]! += factor * x[from + f]!;
      };
      for (const t of range) {
        const scores = range.map((s) => scale * dotAt(qkv, place(t, 0), qkv, place(s, 1)));
        const weights = softmax(scores);
        const top = Math.max(...scores);
        logSums[(b * heads + head) * tokens + t] =
          top + Math.log(scores.reduce((sum, x) => sum + Math.exp(x - top), 0));
        const own = (b * tokens + t) * dim + head * size;
        const dWeights = range.map((s) => dotAt(dy, own, qkv, place(s, 2)));
        const along = dWeights.reduce((sum, dWeight, s) => sum + dWeight * weights[s]!, 0);
        for (const s of range) {
          const dScore = scale * weights[s]! * (dWeights[s]! - along);
          add(place(t, 0), dScore, qkv, place(s, 1));
          add(place(s, 1), dScore, qkv, place(t, 0));
          add(place(s, 2), weights[s]!, dy, own);
        }
      }
    }
  }
  return { dqkv, logSums };
}

/** Mean over values, weighted mean over tokens. */
export function squaredError(prediction: Values, target: Values, weights: Values): number {
  const values = prediction.length / weights.length;
  let sum = 0;
  let total = 0;
  for (let t = 0; t < weights.length; t++) {
    total += weights[t]!;
    for (let i = t * values; i < (t + 1) * values; i++) {
      sum += (weights[t]! * (prediction[i]! - target[i]!) ** 2) / values;
    }
  }
  return sum / total;
}

export function crossEntropy(logits: Values, target: Values, classes: number): number {
  let sum = 0;
  for (let start = 0; start < logits.length; start += classes) {
    const row = Array.from({ length: classes }, (_, i) => logits[start + i]!);
    const top = Math.max(...row);
    const logSum = top + Math.log(row.reduce((total, x) => total + Math.exp(x - top), 0));
    row.forEach((x, i) => (sum -= target[start + i]! * (x - logSum)));
  }
  return sum / (logits.length / classes);
}

/** R·X·Cᵀ for images [batch, height, width, channels]; one matrix for all, or one an image. */
export function resample(
  images: Values,
  [batch, height, width, channels]: readonly [number, number, number, number],
  rows: Values,
  columns: Values,
  [outHeight, outWidth]: readonly [number, number],
): Float64Array {
  const rowsOf = rows.length === outHeight * height ? 0 : outHeight * height;
  const columnsOf = columns.length === outWidth * width ? 0 : outWidth * width;
  const y = new Float64Array(batch * outHeight * outWidth * channels);
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < outHeight; i++)
      for (let j = 0; j < outWidth; j++)
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let h = 0; h < height; h++)
            for (let w = 0; w < width; w++)
              sum +=
                rows[b * rowsOf + i * height + h]! *
                columns[b * columnsOf + j * width + w]! *
                images[((b * height + h) * width + w) * channels + c]!;
          y[((b * outHeight + i) * outWidth + j) * channels + c] = sum;
        }
  return y;
}
