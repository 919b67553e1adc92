// Draws the diagrams of a page, in the colours that the page has when it is opened.

const chosen = document.body.dataset.theme;
const dark = chosen === "dark"
  || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);

mermaid.initialize({
  startOnLoad: false,
  securityLevel: "strict",
  theme: dark ? "dark" : "neutral",
  // The page's own: no font is fetched from anywhere.
  fontFamily: getComputedStyle(document.body).fontFamily,
  // A large one is scrolled instead of made too small to be read.
  flowchart: { useMaxWidth: false },
  sequence: { useMaxWidth: false },
  state: { useMaxWidth: false },
});
mermaid.run({ querySelector: "pre.mermaid" });
