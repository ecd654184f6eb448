/* Our own accessibility audit: names, labels, landmarks, headings, contrast of text. */
() => {
  const problems = [];
  const shown = (node) => {
    if (!node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) return false;
    const box = node.getBoundingClientRect();
    return box.width > 1 && box.height > 1;
  };
  const say = (what, node) => problems.push(`${what}: ${node.outerHTML.slice(0, 140)}`);
  const text = (node) => (node ? node.innerText || node.textContent || "" : "").trim();
  const nameOf = (node) =>
    node.getAttribute("aria-label") || node.title || node.alt || text(node)
    || (node.getAttribute("aria-labelledby") || "").split(" ").map((id) => text(document.getElementById(id))).join("")
    || [...(node.labels || [])].map(text).join("") || text(node.closest("label"))
    || [...node.querySelectorAll("img[alt],svg title,[aria-label]")].map((n) => n.alt || n.textContent || n.getAttribute("aria-label")).join("");

  document.querySelectorAll("button, a[href], input:not([type=hidden]):not([type=file]), textarea, select, video").forEach((node) => {
    if (shown(node) && !nameOf(node)) say("no name", node);
  });
  document.querySelectorAll("img").forEach((node) => { if (shown(node) && node.getAttribute("alt") === null) say("no alt", node); });
  if (document.querySelectorAll("main").length !== 1) problems.push("not one main landmark");
  if (!document.querySelector("[role=navigation], nav")) problems.push("no navigation landmark");
  if (!document.documentElement.lang) problems.push("no language");
  if (!document.title) problems.push("no title");
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one h1");
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id).filter(Boolean);
  ids.filter((id, index) => ids.indexOf(id) !== index && /^(mode|go|prompt|stage|queue|history)/.test(id))
    .forEach((id) => problems.push(`id twice: ${id}`));

  const parse = (color) => (color.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; })
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let up = node; up; up = up.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(up).backgroundColor);
      if (a > 0.95) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !node || node.closest("script, style, video") || !shown(node)) continue;
    const style = getComputedStyle(node);
    const one = light(parse(style.color)), two = light(ground(node));
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.5 && +style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(1)}`, node);
  }
  return problems;
}
