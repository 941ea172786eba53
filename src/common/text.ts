/** Words in sentences. */

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Whether a text contains a line break or any other control character. */
export const hasControl = (text: string): boolean => CONTROL.test(text);

/** With a capital letter, for the beginning of a sentence. */
export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
