/* The page around the forms: which mode is shown, the drawer, and what Gradio leaves out. */
const ClapperFrame = (() => {
  const WIDE = 1024; // px, as in studio.css
  const PATIENCE = 5000; // ms after which the page is shown as it is

  const wide = () => innerWidth >= WIDE;

  const mark = (mode) => {
    document.querySelectorAll("[id^=mode-]").forEach((node) => {
      const active = node.id === `mode-${mode}`;
      node.classList.toggle("cl-active", active);
      if (active) node.setAttribute("aria-current", "page");
      else node.removeAttribute("aria-current");
    });
    const bar = document.querySelector("#bar p"), button = document.getElementById(`mode-${mode}`);
    if (bar && button) { // below the width of a sidebar, the bar says it
      const name = bar.querySelector("span") || bar.appendChild(document.createElement("span"));
      name.textContent = ` · ${button.textContent.trim()}`;
    }
    try { localStorage.setItem("clapper-mode", mode); } catch { /* private window */ }
  };

  let current = "", started = "", returning = false;
  /* Show a mode, from its beginning; Back leads to the one before. */
  const show = (mode) => {
    if (!returning) ClapperAddress.set({ mode });
    returning = false;
    if (mode !== current) scrollTo(0, 0);
    current = mode;
    mark(mode);
    return [{ __type__: "update", selected: mode }, { __type__: "update", open: wide() }];
  };

  /* The same for one who chose it: what stands in the form that is left goes along. */
  const go = (mode, names) => {
    const from = returning ? mode : current;
    return [...show(mode), ...ClapperForms.carry(from, mode, names)];
  };
  ClapperAddress.listen(() => {
    const mode = ClapperAddress.get("mode") || started, button = document.getElementById(`mode-${mode}`);
    if (mode === current || !button) return;
    returning = true;
    button.click();
  });

  const remembered = (modes) => {
    const wanted = new URLSearchParams(location.search).get("mode");
    let last = null;
    try { last = localStorage.getItem("clapper-mode"); } catch { /* private window */ }
    return [wanted, last].find((mode) => modes.includes(mode)) || modes[0];
  };

  const once = (id, use) => {
    const found = () => document.getElementById(id) && (use(), true);
    if (found()) return;
    const watcher = new MutationObserver(() => found() && watcher.disconnect());
    watcher.observe(document, { childList: true, subtree: true });
  };

  /* Show the page once Gradio has put together what is in sight: until then the frame of the first paint stands there. */
  const reveal = (mode, until = performance.now() + PATIENCE) => {
    const go = document.getElementById(`go-${mode}`), drawer = document.querySelector(".sidebar");
    const built = go && go.checkVisibility() && drawer && (drawer.classList.contains("open") || !wide());
    if (!built && performance.now() < until) return void requestAnimationFrame(() => reveal(mode, until));
    requestAnimationFrame(() => requestAnimationFrame(() => document.documentElement.classList.add("cl-built"))); // after its layout
  };

  /* The page is built in the mode of its address, or the last one of this browser. Gradio's load event
     would be the other place to say so; it stays away if any part of the page fails to arrive. */
  const begin = () => {
    const parts = (window.gradio_config || {}).components || [];
    const named = (part) => String(part.props.elem_id || "");
    const tabs = parts.find((part) => named(part) === "modes");
    if (!tabs) return void document.documentElement.classList.add("cl-built"); // nobody is logged in
    const prefix = "mode-";
    const mode = remembered(parts.map(named).filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length)));
    tabs.props.selected = current = started = mode;
    for (const part of parts) if (part.type === "sidebar") part.props.open = wide();
    once(prefix + mode, () => mark(mode));
    reveal(mode);
  };
  /* What Gradio leaves out: the drawer's button says whether it is open. */
  const tidy = (label) => {
    const drawer = document.querySelector(".sidebar");
    const toggle = drawer && drawer.querySelector(".toggle-button");
    if (!toggle) return setTimeout(tidy, 100, label);
    drawer.setAttribute("role", "navigation");
    drawer.setAttribute("aria-label", label || "Modes");
    const content = drawer.querySelector(".sidebar-content"), open = () => drawer.classList.contains("open");
    const say = () => {
      if (!open() && content.contains(document.activeElement)) toggle.focus();
      toggle.setAttribute("aria-expanded", String(open()));
      content.inert = !open(); // what is out of sight cannot be reached with Tab either
    };
    new MutationObserver(say).observe(drawer, { attributes: true, attributeFilter: ["class"] });
    const wide = matchMedia(`(min-width: ${WIDE}px)`); // a turned tablet, a resized window
    wide.addEventListener("change", () => open() !== wide.matches && toggle.click());
    drawer.addEventListener("keydown", ({ key }) => key === "Escape" && open() && !wide.matches && toggle.click());
    new MutationObserver(group).observe(document.body,
      { childList: true, subtree: true, attributes: true, attributeFilter: ["name"] });
    group();
    return say();
  };

  /* Gradio names each radio differently, again at each change: one group is one stop for Tab, and arrows move in it. */
  const group = () => document.querySelectorAll("fieldset:has(input[type=radio])").forEach((set) => {
    const radios = set.querySelectorAll("input[type=radio]");
    radios.forEach((radio) => { if (radio.name !== radios[0].name) radio.name = radios[0].name; });
    if (set.getAttribute("role")) return;
    set.setAttribute("role", "radiogroup");
    set.setAttribute("aria-label", set.querySelector(":scope > span").textContent.trim());
  });

  return { WIDE, begin, show, go, tidy, current: () => current };
})();
