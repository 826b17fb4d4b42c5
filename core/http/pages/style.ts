/** A gate with its door ajar. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7"
  fill="#1f5fd6"/><path d="M8 26V14a8 8 0 0 1 16 0v12h-4V14a4 4 0 0 0-8 0v12z" fill="#fff"/></svg>`

/** Plain, of the system's own letters, light or dark as the browser asks. */
export const STYLE = `
:root { color-scheme: light dark; --line: #d5d9e0; --soft: #5b6472; --ground: #f4f5f7; --card: #fff; --ink: #16191f;
  --main: #1f5fd6; --main-ink: #fff; --bad: #b3261e; --good: #1a7f4b; }
@media (prefers-color-scheme: dark) {
  :root { --line: #363c47; --soft: #a2abb9; --ground: #101217; --card: #191c23; --ink: #e9ecf1;
    --main: #6d9dff; --main-ink: #0b1020; --bad: #ff8a80; --good: #6fd39b; }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { width: min(30rem, calc(100vw - 2rem)); margin: 8vh auto 4rem; padding: 1.75rem 2rem 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px }
.brand { margin: 0 0 1rem; color: var(--soft); font-weight: 600; letter-spacing: .02em }
h1 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.25 }
h2 { margin: 1.5rem 0 .5rem; font-size: 1.05rem }
p { margin: 0 0 .9rem } p.hint { margin: .4rem 0 .9rem } small, .hint { color: var(--soft); font-size: .9rem }
label { display: block; margin: .9rem 0 .3rem; font-weight: 600 }
input[type=text], input[type=email], input[type=password], input[type=url], select, textarea { width: 100%;
  padding: .55rem .7rem; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 8px; font: inherit }
input[inputmode=numeric] { letter-spacing: .3em; font-variant-numeric: tabular-nums }
button, .button { display: inline-block; margin: 1rem .5rem 0 0; padding: .55rem 1.1rem; border: 1px solid var(--line);
  border-radius: 8px; background: transparent; color: inherit; font: inherit; font-weight: 600; text-decoration: none; cursor: pointer }
button.main, .button.main { background: var(--main); border-color: var(--main); color: var(--main-ink) }
button:focus-visible, input:focus-visible, select:focus-visible, a:focus-visible { outline: 3px solid var(--main); outline-offset: 2px }
a { color: var(--main) }
ul.rows { list-style: none; margin: .5rem 0 0; padding: 0 }
ul.rows > li { padding: .8rem 0; border-top: 1px solid var(--line) }
ul.rows form { margin: 0 } ul.rows button { margin-top: .5rem }
form.line { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; justify-content: space-between }
form.line > input[type=text] { flex: 1 1 10rem; width: auto } form.line > button { margin: 0 }
.ways { display: flex; flex-wrap: wrap; gap: .6rem; margin: 0 } .ways > .button { margin: 0 }
@media (max-width: 30rem) { main { margin-top: 1rem; padding: 1.25rem } }
form.line > span { flex: 1 1 12rem } form.line > .ok { flex: 0 0 auto }
details { margin: .5rem 0 } summary { cursor: pointer; font-weight: 600 }
.choice { display: flex; gap: .6rem; align-items: baseline; font-weight: 400; margin: .35rem 0 }
.note, .error { padding: .7rem .9rem; border: 1px solid var(--line); border-radius: 8px }
.error { border-color: var(--bad); color: var(--bad) } .ok { color: var(--good) } .bad { color: var(--bad) }
code, pre { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere }
pre { white-space: pre-wrap; padding: .7rem .9rem; background: var(--ground); border: 1px solid var(--line); border-radius: 8px }
hr { border: 0; border-top: 1px solid var(--line); margin: 1.4rem 0 }
table { width: 100%; border-collapse: collapse } td, th { text-align: left; padding: .35rem .5rem .35rem 0; vertical-align: top }
`
