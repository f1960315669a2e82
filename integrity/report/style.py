"""How a page looks: on a screen by day and by night, on a phone, and on paper.

One sheet, inline, nothing loaded: fonts are the reader's own. The colours of letters are told apart
by lightness too, and each has a pattern in `calendar`.
"""

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;
  --wash:#f5f6f8;--valid:#14653a;--undetermined:#7a4d00;--invalid:#a4161a;--P:#7fb894;
  --E:#cfe5d6;--S:#b7d9d6;--G:#f1cf7d;--M:#f2a9a2;--X:#c9353a;--U:#b8bfd6;--N:#eceff2;--on:#15181c;
  --hatch:#15181c}
@media screen and (prefers-color-scheme:dark){
:root{--ground:#14171b;--ink:#e4e7eb;--soft:#a3abb6;--line:#343b45;--wash:#1c2127;
  --valid:#7fd6a0;--undetermined:#f0c36a;--invalid:#ff9a92;--P:#2f7a50;--E:#24463a;--S:#1f5357;--G:#8a6a1c;
  --M:#8c3a35;--X:#d64a4a;--U:#4d5675;--N:#23292f;--on:#fff;--hatch:#0b0d0f}
}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:66rem;background:var(--ground);
  color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;
  overflow-wrap:anywhere}
h1{font-size:1.1rem;font-weight:600;letter-spacing:.01em;margin:0;color:var(--soft)}
h2{font-size:1.35rem;line-height:1.3;margin:1.5rem 0 .75rem}
time{white-space:nowrap}
h3{font-size:1.2rem;line-height:1.35;margin:2.25rem 0 .6rem;padding-top:1.1rem;
  border-top:1px solid var(--line)}
h4{font-size:1rem;margin:1.75rem 0 .5rem}
h5{font-size:1rem;margin:0 0 .5rem}
p,ul,dl,pre{margin:.6rem 0}
p,li,dd{max-width:48rem}
a{color:inherit}
code,pre{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{background:var(--wash);border:1px solid var(--line);border-radius:4px;padding:.7rem .9rem;
  overflow-x:auto;white-space:pre;overflow-wrap:normal}
.soft{color:var(--soft)}
.verdict{border-left:.4rem solid;padding:.3rem 0 .3rem 1.1rem;margin:1rem 0 1.75rem}
.verdict p{margin:.2rem 0;color:var(--ink)}
.verdict .word{font-size:2rem;line-height:1.2;font-weight:700;letter-spacing:.02em;color:inherit}
.valid{color:var(--valid)}
.undetermined{color:var(--undetermined)}
.invalid{color:var(--invalid)}
.periods{display:grid;grid-template-columns:minmax(0,17rem) 1fr;gap:1rem 2.5rem}
.periods h4{margin:.25rem 0;color:var(--soft);font-weight:600}
.periods p,.periods ul{margin:.25rem 0}
.periods ul{padding-left:1.1rem}
dl>div{display:grid;grid-template-columns:11rem 1fr;gap:0 1rem;padding:.22rem 0}
dt{color:var(--soft)}
dd{margin:0;min-width:0}
nav{margin-top:1.5rem}
nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1.3rem;
  font-size:.92rem}
.wide{overflow-x:auto;max-width:100%;margin:.75rem 0}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;
  overflow-wrap:normal;min-width:40rem}
caption{text-align:left;color:var(--soft);padding:0 0 .4rem}
th,td{text-align:left;vertical-align:top;padding:.32rem .9rem .32rem 0;
  border-bottom:1px solid var(--line);font-weight:400}
thead th{color:var(--soft);font-weight:600;white-space:nowrap}
.n{text-align:right}
td code,th code{overflow-wrap:anywhere}
article{border-left:3px solid;padding:.1rem 0 .1rem 1rem;margin:1.1rem 0}
article>*{color:var(--ink)}
article h5 span{font-weight:400}
figure{margin:.75rem 0}
.calendar{display:block;height:auto;min-width:40rem}
.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;font-size:.9rem}
.legend svg,.blank{width:18px;height:14px;vertical-align:-2px;margin-right:.5rem;
  outline:1px solid var(--line)}
.blank{display:inline-block}
.defs{position:absolute}
svg text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
  fill:var(--ink)}
svg .t{fill:var(--soft);font-size:10px}
svg .l{text-anchor:middle;font-weight:700;fill:var(--on);paint-order:stroke;stroke:var(--halo);
  stroke-width:3px}
svg .m{font-weight:700}
.k{stroke:var(--ground);stroke-width:1;fill:none}
:root{--halo:#fffc}
@media screen and (prefers-color-scheme:dark){
:root{--halo:#000c}
}
.sP,.sE,.sS,.sG,.sM,.sX,.sU,.sN{stroke-width:14;fill:none}
.sP{stroke:var(--P)}
.sS{stroke:var(--S)}
.sN{stroke:var(--N)}
.sE{stroke:url(#pE)}
.sG{stroke:url(#pG)}
.sM{stroke:url(#pM)}
.sX{stroke:url(#pX)}
.sU{stroke:url(#pU)}
.fP{fill:var(--P)}
.fS{fill:var(--S)}
.fN{fill:var(--N)}
.fE{fill:url(#pE)}
.fG{fill:url(#pG)}
.fM{fill:url(#pM)}
.fX{fill:url(#pX)}
.fU{fill:url(#pU)}
.gE{fill:var(--E)}
.gG{fill:var(--G)}
.gM{fill:var(--M)}
.gX{fill:var(--X)}
.gU{fill:var(--U)}
.iX,.iM,.iG{stroke:var(--hatch);stroke-width:1;fill:none}
.iG{stroke-width:.7}
.iU,.iE{fill:var(--hatch)}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);
  font-size:.9rem}
:focus-visible{outline:2px solid var(--ink);outline-offset:2px}
@media (max-width:36rem){
body{padding:1.25rem 1rem 3rem}
dl>div,.periods{grid-template-columns:1fr}
.verdict .word{font-size:1.6rem}
}
@media print{
:root{color-scheme:light}
body{max-width:none;padding:0;font-size:10pt}
nav{display:none}
.wide,pre{overflow:visible}
pre{white-space:pre-wrap}
h2,h3,h4,h5{break-after:avoid}
article,tr,.verdict,figure{break-inside:avoid}
.calendar{max-width:100%;min-width:0}
table{font-size:8pt}
.second{break-before:page}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
@page{margin:16mm 14mm}
"""
