/** Faults that no answer of a command may have, for any input. */

const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** @returns what is wrong with an answer; none: nothing. */
export function faultsOf({ code, text }: { code: number; text: string }, allowed: readonly number[]): string[] {
  return [
    ...(allowed.includes(code) ? [] : [`exit code ${code}, not ${allowed.join(' or ')}:\n${text.slice(0, 1500)}`]),
    ...(/a bug, please report it|^ {4}at .*\(/m.test(text) ? [`a stack trace:\n${text.slice(0, 1500)}`] : []),
    ...(UNSEEN.test(text) ? [`a control character: ${JSON.stringify(UNSEEN.exec(text)?.[0])}`] : []),
    ...(code === 2 && text.trim() === '' ? ['exit code 2 without a message'] : []),
  ];
}
