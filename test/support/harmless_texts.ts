/** Texts in which nothing is to be found, as models write them; each some kilobytes. */
export const HARMLESS_TEXTS: readonly (readonly [why: string, text: string])[] = [
  [
    'English',
    'The committee met on Tuesday, 14 March 2026, and agreed (after a long debate) that the well-known bridge isn’t safe. "We’ll close it," said the mayor; costs rose by 12.5% to $1,250,000. See section 3.4/b for the details - or ask us!\n\n',
  ],
  [
    'German',
    'Die Donaudampfschifffahrtsgesellschaft kündigte am 14.03.2026 an, dass sämtliche Grundstücksverkehrsgenehmigungszuständigkeiten überprüft würden; „größere“ Änderungen folgen z. B. im Herbst.\n',
  ],
  [
    'Chinese',
    '我们每天都在学习新的东西，并且希望能够帮助别人。2026年的计划包括三个部分：研究、开发和测试。请访问网站了解更多！\n',
  ],
  [
    'Japanese',
    '今日はとても良い天気ですね。明日の会議は10時から始まりますので、資料を準備してください。「ありがとう」と言いました。\n',
  ],
  ['Arabic', 'اللغة العربية جميلة، والسلام عليكم ورحمة الله. العدد ١٢٣ في السطر الثاني؛ شكرا لكم.\n'],
  ['Persian', 'می\u200cخواهم کتاب\u200cها را ببینم. سال ۱۴۰۵ خانه\u200cها را می\u200cسازند.\n'],
  ['Hindi', 'हिन्दी में लिखना आसान है, क्योंकि सब लोग पढ़ सकते हैं।\n'],
  ['Khmer', 'ភាសា\u200bខ្មែរ\u200bគឺ\u200bជា\u200bភាសា\u200bផ្លូវការ។ \n'],
  ['emoji', 'Nice 🎉 work ❤️ team 👩‍👩‍👧 – 100% 👍🏽, see you 😀😀 there! 🇩🇪\n'],
  [
    'Markdown',
    '## Results\n\n| model | score | note |\n|---|---:|:--|\n| **alpha-2** | 91.5 | see [the page](https://docs.example.org/guide/start.html#top) |\n\n- `npm run build` - *fast*\n1. ~~old~~ __new__\n\n> Quote -- with dashes ---\n\n```ts\nconst a = 1\n```\n',
  ],
  [
    'TypeScript',
    "import { readFile } from 'node:fs/promises'\n\nexport async function loadAll(paths: readonly string[]): Promise<Map<string, Buffer>> {\n  const loaded = new Map<string, Buffer>()\n  for (const path of paths) loaded.set(path, await readFile(path))\n  return loaded // never empty?.length === 0\n}\n",
  ],
  [
    'Python',
    'def mean(values: list[float]) -> float:\n    """Give the mean; raises on an empty list."""\n    if not values:\n        raise ValueError(f"no values: {values!r}")\n    return sum(values) / len(values)  # O(n)\n\n@app.route("/health")\n',
  ],
  [
    'JSON',
    '{"id":17,"name":"alpha-two","tags":["a","b_c"],"ratio":0.125,"at":"2026-03-14T09:26:53Z","nested":{"is_ok":true,"none":null}}\n',
  ],
  [
    'JSON in JSON',
    '{\\"path\\":\\"src/a.ts\\",\\"text\\":\\"line one\\\\nline two\\\\tand \\\\u00e9 more\\",\\"lines\\":[1,20]}\\n',
  ],
  ['escaped Chinese', '\\u6211\\u4eec\\u6bcf\\u5929\\u90fd\\u5728\\u5b66\\u4e60\\uff0c\\u8bf7\\u7b49\\u3002'],
  [
    'YAML',
    'services:\n  web:\n    image: registry.example/app:1.2.3\n    ports: ["8080:80"]\n    environment:\n      LOG_LEVEL: debug\n',
  ],
  [
    'SQL',
    "SELECT u.id, COUNT(*) AS n FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE u.created_at >= '2026-01-01' GROUP BY u.id HAVING COUNT(*) > 3;\n",
  ],
  [
    'minified code',
    '!function(e,t){"use strict";var n=t.a||{},r=0;for(;r<e.length;r++)n[e[r]]=(n[e[r]]||0)+1;return n}([1,2,3],{a:null});var x=y?z.w(1e3):[],q=/[a-z]+\\d/gi.test(s);',
  ],
  [
    'a shell session',
    '$ git log --oneline | head -3\ne923b40 Read fields of entries\n$ curl -s http://localhost:8080/v1/models | jq .data[0].id\n$ chmod 0644 ./a.sh && ls -la /usr/local/bin\n',
  ],
  [
    'a log',
    '2026-11-22T09:11:05.123Z INFO [main] GET /v1/models 200 12ms id=7f3a-22\n\tat run (src/a.ts:12:5)\n',
  ],
  ['CSV', 'id;name;price\n1;Ann Lee;12.50\n2;Bob Day;3.00\n'],
  ['mathematics', 'f(x) = sin²(x) + 2·x₁ ≤ ∞, \\frac{a}{b} \\cdot \\sqrt{2} and $$\\sum_{i=0}^{n} x_i^2$$\n'],
].map(([why = '', text = '']) => [why, text.repeat(Math.ceil(3_000 / text.length))] as const)
