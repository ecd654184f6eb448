/* What the keyboard does, and the sheet that says so. Single keys can be turned off, for those who speak to their browser. */
const ClapperShortcuts = (() => {
  const { h } = ClapperElements, { words, speak } = ClapperState;
  const STORE = "clapper-keys";
  let single = true;
  try { single = localStorage.getItem(STORE) !== "off"; } catch { /* a browser that keeps nothing */ }
  addEventListener("storage", ({ key, newValue }) => { // in another tab
    if (key !== STORE) return;
    single = newValue !== "off";
    if (box) box.checked = single;
  });

  const press = (selector) => {
    const node = [...document.querySelectorAll(selector)].find((found) => found.checkVisibility());
    if (node) node.click();
    return Boolean(node);
  };
  const video = () => document.querySelector("#stage video");
  const play = () => {
    const film = video();
    if (film) void (film.paused ? film.play() : film.pause());
    return Boolean(film);
  };
  const KEYS = [ // key, words, what it does; in the order of the sheet
    ["?", "studio_keys_help", () => open()],
    ["k", "studio_keys_play", play],
    [",", "studio_frame_back", () => press("#stage [data-tool=back]")],
    [".", "studio_frame_forward", () => press("#stage [data-tool=forward]")],
    ["l", "studio_loop", () => press("#stage [data-tool=loop]")],
    ["b", "studio_compare", () => press("#stage [data-tool=compare]")],
    ["g", "studio_keys_prompt", () => {
      const field = [...document.querySelectorAll("[id^=prompt-] textarea")].find((found) => found.checkVisibility());
      if (field) field.focus();
      return Boolean(field);
    }],
  ];
  const modes = () => [...document.querySelectorAll("[id^=mode-]")];

  /* Gradio takes the Tab that leaves a list of choices for a letter, and opens the list again for good. */
  addEventListener("keydown", (event) => {
    if (event.key === "Tab" && event.target.role === "combobox") event.stopPropagation();
  }, { capture: true });

  const TICKED = ":is([type=checkbox], [type=radio])"; // takes no letters, and keeps the focus once it was clicked
  const FIELDS = `input:not(${TICKED}), textarea, select, video, [contenteditable=true], dialog[open]`;
  const typing = (target) => target.closest && target.closest(FIELDS);
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return void (press("[id^=go-]") && event.preventDefault());
    if (!single || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const found = KEYS.find(([key]) => key === event.key), mode = modes()[Number(event.key) - 1];
    if (found ? found[2]() : mode && (mode.click(), true)) event.preventDefault();
  });

  let sheet = null, box = null;
  const row = (key, text) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, text));
  const build = () => {
    box = h("input", { type: "checkbox", onchange: () => {
      single = box.checked;
      try { localStorage.setItem(STORE, single ? "on" : "off"); } catch { /* keeps nothing */ }
    } });
    box.checked = single;
    return h("dialog", { class: "cl-keys", "aria-label": words.studio_keys },
      h("h2", {}, words.studio_keys), h("dl", {}, row("Ctrl + Enter", words.studio_keys_generate),
        row(`1 … ${modes().length}`, words.studio_modes_keys), ...KEYS.map(([key, word]) => row(key, words[word]))),
      h("label", {}, box, h("span", {}, words.studio_keys_single)),
      h("form", { method: "dialog" }, h("button", { class: "cl-button" }, words.studio_keys_close)));
  };
  const open = () => {
    if (!sheet) document.body.append(sheet = build());
    if (!sheet.open) sheet.showModal();
    return true;
  };

  /* The button that opens the sheet. */
  const shortcuts = (element, props) => {
    speak(props.words);
    element.querySelector("button").addEventListener("click", open);
  };

  return { shortcuts };
})();
