const { launch, openView } = require("/work/main/tests/view/browser.cjs");
const runs=require("/work/main/tests/view/runs.json");
(async()=>{const {browser,close}=await launch("/usr/bin/chromium");
const view=await openView(browser,{});
await view.result(runs.fused); await view.frame.waitForSelector("#banner strong");
for (const [n,a] of [["half","[a](b(c)".repeat(25000)],["half sp","[a](b(c) ".repeat(22000)],["plain brackets","(b(c)".repeat(40000)],["ticks","`a``b```".repeat(25000)],["ticks spaced","`a` `b` ".repeat(25000)],["ticks 5k","`a` `b` ".repeat(2500)],["half 5k","[a](b(c)".repeat(2500)]]) {
 const css = process.argv[2];
 if (css) await view.frame.evaluate((css)=>{const e=document.querySelectorAll('*');const s=new CSSStyleSheet();s.replaceSync(css);document.adoptedStyleSheets=[s];},css);
 await view.frame.evaluate(()=>{window.t0=performance.now();window.drawn=new Promise(d=>new MutationObserver((_,o)=>{o.disconnect();const t1=performance.now();void document.body.offsetHeight;d([t1-window.t0,performance.now()-t1])}).observe(document.getElementById("answer"),{childList:true}))});
 await view.result({...runs.fused,answer:a}); console.log(n,(await view.frame.evaluate(()=>window.drawn)).map(Math.round), await view.frame.evaluate(()=>document.querySelectorAll('#answer code').length));
}
await close();})();
