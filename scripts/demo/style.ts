// The demo's style sheet: light and dark, from phone width up.
export const style = `
:root { color-scheme: light dark; --text: #1c2024; --quiet: #5a6169; --back: #f5f6f8; --card: #fff; --line: #d5d9df; --accent: #2f4bd8; --on-accent: #fff; --alert: #b3261e; --notice: #1a6b3c; }
@media (prefers-color-scheme: dark) {
  :root { --text: #eceef1; --quiet: #a9b0b9; --back: #15171a; --card: #1f2226; --line: #3b4148; --accent: #a9b6ff; --on-accent: #10184a; --alert: #ffb4ab; --notice: #8fdcab; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 4vh auto; padding: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
h1 { margin: 0 0 1rem; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 1.75rem 0 .5rem; font-size: 1.15rem; }
.quiet { color: var(--quiet); }
.notice, .alert { padding: .6rem .8rem; border: 1px solid; border-left-width: .35rem; border-radius: .4rem; }
.notice { color: var(--notice); }
.alert { color: var(--alert); }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; }
button { min-height: 2.75rem; padding: .5rem 1.1rem; border: 1px solid var(--line); border-radius: .5rem; background: none; color: inherit; font: inherit; cursor: pointer; }
button.primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 600; }
button:disabled { color: var(--quiet); cursor: not-allowed; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
td { font-family: ui-monospace, monospace; font-size: .9rem; overflow-wrap: anywhere; }
tbody th { font-weight: 500; }
`
