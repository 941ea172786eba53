import { escapeMarkup, markup, trusted } from '../../../src/report/html/markup.js';

describe('a markup template', () => {
  test('escapes what is put into text and into attributes', () => {
    const evil = `<script>alert("1")</script> & 'x'`;
    expect(markup`<p title="${evil}">${evil}</p>`.text).not.toMatch(/<script|title="[^"]*"[^>]|'/);
    expect(markup`<p>${evil}</p>`.text).toBe(
      '<p>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;</p>',
    );
  });

  test('takes markup as it is, joins lists, and leaves nothing for null and false', () => {
    expect(markup`<ul>${[markup`<li>${'a<b'}</li>`, '&', null, false, 0]}</ul>`.text).toBe(
      '<ul><li>a&lt;b</li>&amp;0</ul>',
    );
    expect(markup`${trusted('<b>')}`.text).toBe('<b>');
  });
});

test('control characters are escaped; line ends and tabs stay', () => {
  expect(escapeMarkup('a\0b\x1bc\td\ne')).toBe('a\\u0000b\\u001bc\td\ne');
});
