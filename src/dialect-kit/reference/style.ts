/** The look of the pages. No font, picture or script from anywhere. */
export const STYLE = `:root {
  color-scheme: light dark;
  --paper: #fff; --raised: #f6f7f9; --ink: #1b1f24; --quiet: #5c6672; --line: #dfe3e8; --link: #0b5cad;
  --code: #f1f3f5; --panel: #16191d; --panel-ink: #e6e9ed; --panel-quiet: #9aa4af; --warn: #a3320b;
  --get: #0a6b3d; --post: #0b4f9e; --delete: #a3261b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #101316; --raised: #181c20; --ink: #e4e8ec; --quiet: #9aa4af; --line: #2b3138; --link: #7db8f5;
    --code: #20252b; --panel: #0a0c0e; --warn: #f0a37c; --get: #6fd3a0; --post: #86bdf8; --delete: #f29389;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 4.5rem; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { background: var(--code); border-radius: 4px; padding: .1em .35em; font-size: .875em; overflow-wrap: anywhere; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; z-index: 3; background: var(--paper); padding: .5rem; }
header { position: sticky; top: 0; z-index: 2; display: flex; justify-content: space-between; align-items: center;
  gap: 1rem; height: 3.5rem; padding: 0 1.5rem; background: var(--paper); border-bottom: 1px solid var(--line); }
.brand { color: var(--ink); font-weight: 650; font-size: 1.1rem; }
.brand span { color: var(--quiet); font-weight: 400; }
.columns { display: grid; grid-template-columns: 18rem minmax(0, 1fr); max-width: 100rem; margin: 0 auto; }
nav { position: sticky; top: 3.5rem; height: calc(100vh - 3.5rem); overflow-y: auto; padding: 1.5rem 1rem 3rem 1.5rem;
  border-right: 1px solid var(--line); font-size: .9rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .2rem .5rem; border-radius: 5px; color: var(--ink); }
nav a:hover { background: var(--raised); text-decoration: none; }
.pages > li > a { font-weight: 600; padding-block: .35rem; }
nav a[aria-current] { background: var(--raised); color: var(--link); }
.contents { margin: .25rem 0 1rem .5rem !important; border-left: 1px solid var(--line); padding-left: .4rem !important; }
.contents .tag { color: var(--quiet); font-size: .8rem; font-weight: 600; margin-top: .5rem; }
.contents li li a { display: flex; gap: .5rem; align-items: baseline; line-height: 1.35; }
main { padding: 2rem 2.5rem 6rem; min-width: 0; }
h1 { font-size: 2rem; line-height: 1.2; margin: .5rem 0 .75rem; letter-spacing: -.015em; }
h2 { font-size: 1.45rem; margin: 3.5rem 0 1rem; padding-bottom: .4rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.15rem; margin: 0 0 .4rem; }
h3 a { color: inherit; }
h4 { font-size: .95rem; margin: 1.5rem 0 .5rem; }
p, main > ol { max-width: 44rem; }
.lead { font-size: 1.15rem; color: var(--quiet); margin-top: 0; }
.quiet { color: var(--quiet); font-size: .875rem; font-weight: 400; }
article { display: grid; grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); gap: 2.5rem; padding: 1.75rem 0;
  border-bottom: 1px solid var(--line); }
article:last-child { border-bottom: 0; }
article.over h3 { color: var(--quiet); }
.shown { position: sticky; top: 5rem; align-self: start; min-width: 0; }
.route { margin: 0 0 .75rem; }
.method { font: 700 .7rem/1 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .03em; flex: none; }
.route .method { font-size: .8rem; }
.get { color: var(--get); } .post { color: var(--post); } .delete { color: var(--delete); }
nav .method { min-width: 2.3rem; font-size: .62rem; }
.badge { border: 1px solid var(--line); border-radius: 999px; padding: .1rem .6rem; font-size: .75rem; color: var(--quiet);
  white-space: nowrap; }
.required { color: var(--warn); font-size: .75rem; white-space: nowrap; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; line-height: 1.45; }
th { text-align: left; font-weight: 600; color: var(--quiet); font-size: .78rem; }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { width: 1%; min-width: 8rem; }
td:first-child code { white-space: nowrap; }
td .required, td:first-child .quiet { display: block; padding-left: .3rem; }
td:nth-child(2) { min-width: 6rem; color: var(--quiet); }
td { overflow-wrap: break-word; }
.wide td:nth-child(2) { min-width: 16rem; color: inherit; }
.form td { color: var(--quiet); background: var(--raised); padding-left: .5rem; }
${[1, 2, 3, 4, 5, 6].map(depth => `td.depth-${depth} { padding-left: ${depth * 1.1}rem; }`).join('\n')}
summary { cursor: pointer; font-weight: 600; font-size: .95rem; padding: .35rem 0; }
details.answer { margin-top: 1.25rem; }
.note { border: 1px solid var(--line); border-radius: 8px; padding: .35rem .9rem; background: var(--raised); font-size: .9rem; }
pre { margin: 0; padding: 1rem 1.1rem; background: var(--panel); color: var(--panel-ink); border-radius: 8px;
  overflow-x: auto; font-size: .82rem; line-height: 1.55; }
pre code { background: none; padding: 0; font-size: inherit; user-select: all; overflow-wrap: normal; }
main > pre, section > pre { max-width: 52rem; margin: .75rem 0; }
.example { border: 0; margin: 0; padding: 0; min-width: 0; background: var(--panel); border-radius: 8px; }
.example legend { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.example input { position: absolute; opacity: 0; }
.example label { display: inline-block; padding: .55rem .2rem .4rem; margin-left: 1rem; cursor: pointer; font-size: .8rem;
  color: var(--panel-quiet); border-bottom: 2px solid transparent; }
.example input:checked + label { color: var(--panel-ink); border-color: currentColor; }
.example input:focus-visible + label { outline: 2px solid var(--panel-ink); }
.example > div { display: none; border-top: 1px solid #2b3138; }
.pick-curl:checked ~ .text-curl, .pick-javascript:checked ~ .text-javascript,
.pick-python:checked ~ .text-python { display: block; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; list-style: none;
  padding: 0; margin: 1.5rem 0; }
.cards a { display: flex; flex-direction: column; gap: .35rem; height: 100%; padding: 1rem 1.15rem; color: var(--ink);
  border: 1px solid var(--line); border-radius: 10px; }
.cards a:hover { border-color: var(--link); text-decoration: none; }
.cards strong { color: var(--link); }
.cards span { font-size: .9rem; line-height: 1.45; }
.cards span.quiet { margin-top: auto; }
@media (max-width: 75rem) { article { grid-template-columns: minmax(0, 1fr); gap: 1.25rem; } .shown { position: static; } }
@media (max-width: 52rem) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  nav { position: static; height: auto; padding: .75rem 1rem; border-right: 0; border-bottom: 1px solid var(--line); }
  nav .contents { display: none; }
  .pages { display: flex; flex-wrap: wrap; }
  main { padding: 1.25rem 1.25rem 4rem; }
  header { padding: 0 1.25rem; }
}
@media print { header, nav { display: none; } .columns { display: block; } }
`
