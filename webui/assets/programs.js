/* What stands in the form in sight as a program would ask for it: written by the server when the part is opened, and again after a change. */
window.ClapperPrograms = (() => {
  const typed = () => {
    try { return JSON.parse(sessionStorage.getItem("clapper-forms") || "{}").forms || {}; } catch { return {}; }
  };
  const mode = () => {
    const node = document.querySelector(".cl-mode[aria-current=page], .cl-mode [aria-current=page]");
    const named = node && node.closest("[id^=mode-]");
    return named ? named.id.slice(5) : "t2v";
  };
  const sample = ({ label, text }, words) => {
    const part = document.createElement("section"), title = document.createElement("h4");
    const code = document.createElement("pre"), copy = document.createElement("button");
    title.textContent = label;
    code.textContent = text;
    code.tabIndex = 0;
    copy.type = "button";
    copy.textContent = words.copy;
    copy.setAttribute("aria-label", `${words.copy}: ${label}`);
    copy.onclick = async () => {
      await navigator.clipboard.writeText(text);
      copy.textContent = words.copied;
    };
    part.append(title, copy, code);
    return part;
  };
  const panel = (element, { words }) => {
    const details = element.querySelector("details"), place = element.querySelector("[data-part=samples]");
    let asked = 0;
    const write = async () => {
      if (!details.open) return;
      const name = mode(), turn = ++asked;
      const answer = await fetch(`studio/forms/${name}/samples`, {
        method: "POST", headers: { "X-Clapper": "1", "Content-Type": "application/json" },
        body: JSON.stringify({ values: typed()[name] || {} }),
      }).then((got) => got.json()).catch(() => null);
      if (turn !== asked || !answer) return;
      if (answer.error) place.textContent = answer.error.text;
      else place.replaceChildren(...answer.samples.map((one) => sample(one, words)));
    };
    let soon = 0;
    const later = () => { clearTimeout(soon); soon = setTimeout(write, 400); };
    details.addEventListener("toggle", write);
    for (const kind of ["input", "change", "click"]) document.addEventListener(kind, ({ target }) => {
      if (details.open && !element.contains(target)) later();
    });
  };
  return { panel };
})();
