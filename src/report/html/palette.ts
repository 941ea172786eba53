/** The colours of the page, light and dark. A test computes that all text has a contrast of at least 4.5. */

export interface Palette {
  background: string;
  ink: string;
  muted: string;
  /** Hairlines; never text. */
  rule: string;
  /** Links, and the first series. */
  accent: string;
  /** The other series, which are also the colours of their labels. */
  series: readonly [string, string, string];
}

export const LIGHT: Palette = {
  background: '#fdfdfb',
  ink: '#1c1e21',
  muted: '#565b62',
  rule: '#d9dbd6',
  accent: '#0b5c8a',
  series: ['#a84b17', '#43702a', '#84398a'],
};

export const DARK: Palette = {
  background: '#15171a',
  ink: '#e6e6e3',
  muted: '#a6abb1',
  rule: '#363a40',
  accent: '#72b9e6',
  series: ['#e79a6b', '#9cc57a', '#d79adb'],
};
