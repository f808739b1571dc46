// The page by which the engine posts a form on: with script it is gone at once; without, people see it and press its button.

/** Dresses the engine's page as one of ours. Its script stays as it is, for the content policy knows it by its hash. */
export const dressContinuePage = (html: string, stylesheet: string): string =>
  html
    .replace('<html>', '<html lang="en" dir="ltr">')
    .replace(
      '<title>Submitting Callback</title>',
      `<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Continue · Authy2</title>\n<link rel="stylesheet" href="${stylesheet}">`,
    )
    .replace('<body>', '<body>\n<div class="card">\n<main>\n<h1>One more click</h1>\n<p class="lede">Press the button to go on.</p>')
    .replace(/<noscript>[\s\S]*<\/noscript>/, '<button class="button primary" type="submit">Continue</button>')
    .replace('</body>', '</main>\n</div>\n</body>')

/** Whether it is that page. */
export const isContinuePage = (body: unknown): body is string => typeof body === 'string' && body.includes('<title>Submitting Callback</title>')
