/** The style sheet of the page. Pages are printed in light colours. */
import { DARK, LIGHT, type Palette } from './palette.js';

const variables = ({ background, ink, muted, rule, accent, series }: Palette): string =>
  `--background:${background};--ink:${ink};--muted:${muted};--rule:${rule};--s0:${accent};` +
  series.map((colour, i) => `--s${i + 1}:${colour}`).join(';');

const PROSE = "Charter,'Bitstream Charter','Iowan Old Style',Georgia,serif";
const PLAIN = "system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',sans-serif";

export const STYLE = `
:root{color-scheme:light;--side:clamp(1rem,4vw,3rem);${variables(LIGHT)}}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;${variables(DARK)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2.5rem var(--side) 4rem;max-width:76rem;background:var(--background);color:var(--ink);
font:1.0625rem/1.55 ${PROSE};overflow-wrap:break-word}
h1{font-size:2.1rem;line-height:1.15;font-weight:600;margin:0 0 .6rem;letter-spacing:-.01em}
h2{font-size:1.35rem;line-height:1.25;font-weight:600;margin:3.2rem 0 .5rem}
h3{font:600 .875rem/1.35 ${PLAIN};margin:0 0 .3rem}
p{margin:0 0 .8rem;max-width:46rem}
a{color:var(--s0);text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--s0);outline-offset:2px}
code,pre{font:.8125rem/1.5 ui-monospace,'SF Mono',Menlo,Consolas,'Liberation Mono',monospace}
.lead{color:var(--muted)}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;margin:1.2rem 0 0;padding:.7rem 0;
border-block:1px solid var(--rule);font:.875rem/1.6 ${PLAIN}}
.verdicts{margin:1.2rem 0 0;max-width:52rem}
.verdicts dt{font-weight:600;border-top:1px solid var(--rule);padding-top:.7rem}
.verdicts dt span{color:var(--s0)}
.verdicts dd{margin:.1rem 0 .8rem}
.scroll{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font:.8125rem/1.4 ${PLAIN};font-variant-numeric:tabular-nums}
caption{text-align:left;font:1rem/1.5 ${PROSE};padding:0 0 .8rem;color:var(--muted)}
caption span{display:block;position:sticky;left:0;max-width:min(46rem,calc(100vw - 2*var(--side)))}
th,td{padding:.34rem 1rem .34rem 0;text-align:left;vertical-align:baseline;white-space:nowrap}
th{font-weight:600}
tbody th{font-weight:400}
thead th{border-block:1px solid var(--ink);border-top-width:2px;vertical-align:bottom;white-space:normal}
tbody tr:last-child>*{border-bottom:1px solid var(--ink)}
tbody tr:not(:last-child)>*{border-bottom:1px solid var(--rule)}
.number{text-align:right}
th button{all:unset;position:relative;cursor:pointer}
th button:focus-visible{outline:2px solid var(--s0);outline-offset:2px}
th button::after{position:absolute;right:-.9em;bottom:0;width:.8em;text-align:right;color:var(--s0)}
th[aria-sort=ascending] button::after{content:'↑'}
th[aria-sort=descending] button::after{content:'↓'}
details{margin:.6rem 0}
summary{cursor:pointer;font:.875rem/1.6 ${PLAIN};color:var(--muted)}
.terms{font:.8125rem/1.5 ${PLAIN};max-width:46rem}
.terms dt{font-weight:600;float:left;clear:left;margin-right:.5rem}
.terms dd{margin:0}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1.6rem 2rem;margin:1rem 0}
figure{margin:0;break-inside:avoid;max-width:26rem;min-width:0}
figure figcaption{font:600 .875rem/1.35 ${PLAIN};margin:0 0 .4rem;overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font-family:${PLAIN};font-variant-numeric:tabular-nums}
.previews{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,25.5rem),1fr));gap:1.6rem 2rem;align-items:start}
.previews figure{max-width:34rem}
.previews img{display:block;max-width:100%;height:auto;border-radius:2px}
pre{margin:0;overflow-x:auto;padding:.2rem 0}
.commands{padding-left:1.6rem}
footer{margin-top:4rem;padding-top:.8rem;border-top:1px solid var(--rule);color:var(--muted);font-size:.9375rem}
@page{size:landscape;margin:12mm}
@media print{
body{padding:0;max-width:none;font-size:10.5pt}
nav,summary{display:none}
.scroll{overflow:visible}
caption span{max-width:none}
th,td{white-space:normal;padding-right:.5rem}
table{font-size:7.5pt}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
h2{break-after:avoid}tr{break-inside:avoid}
.charts{grid-template-columns:repeat(3,1fr)}
details::details-content{content-visibility:visible;height:auto}
}
`;
