/* Files that are pasted, dropped anywhere, or added by hand: the server says which mode and field they ask for. Examples, too. */
/**
 * @typedef {{mode: string, label: string, roles: string[], moved: Object<string, string>}} Way as webui/page/file_placement.py makes it
 */
const ClapperPlacement = (() => {
  const { PATIENCE, post, insist } = ClapperRequests, { h, swap } = ClapperElements, { said, fileFields, valueOf } = ClapperForms;
  let told = null, picker = null, overlay = null;

  const say = (...children) => { if (told) swap(told, children); };
  const line = (text) => h("p", {}, text);

  /* Go to the mode as by its button, so that what is typed goes along, and fill its fields. */
  const use = (way, files, from) => {
    const held = Object.entries(way.moved).map(([role, to]) => [to, valueOf(from, role)]);
    if (way.mode !== ClapperFrame.current()) document.getElementById(`mode-${way.mode}`).click();
    const ids = Object.fromEntries(fileFields(way.mode).map(({ name, id }) => [name, id]));
    for (const [role, value] of held) if (value) ClapperFiles.give(ids[role], value);
    way.roles.forEach((role, at) => ClapperFiles.give(ids[role], files[at]));
    reveal(way.mode, ids[way.roles[0]]);
  };
  /* What is folded away unfolds, and the field comes in sight. */
  const reveal = (mode, id, tries = 20) => {
    const node = document.getElementById(id);
    if (node && node.checkVisibility()) return void node.scrollIntoView({ block: "nearest" });
    const fold = node ? node.closest(".cl-more") : document.querySelector(`.tabitem:has([id="go-${mode}"]) .cl-more:not(:has(input))`);
    const head = tries % 5 === 0 && fold && fold.querySelector(":scope > .label-wrap:not(.open)");
    if (head) head.click();
    if (tries) setTimeout(reveal, 100, mode, id, tries - 1);
  };

  const choose = (ways, files, from, notes) => {
    const buttons = ways.map((way) => h("button", { type: "button", class: "cl-button", onclick: () => { say(); use(way, files, from); } }, way.label));
    const none = h("button", { type: "button", class: "cl-button", onclick: () => { say(); picker.focus(); } }, said("studio_files_none"));
    say(...notes, h("div", { class: "cl-card", role: "group", "aria-label": said("studio_files_which") },
      line(said("studio_files_which")), h("div", { class: "cl-buttons" }, ...buttons, none)));
    buttons[0].focus();
  };

  /**
   * Ask where the files go, and put them there.
   * @param {File[]} files
   */
  const place = async (files) => {
    if (!files.length) return;
    const from = ClapperFrame.current();
    const body = {
      files: files.map(({ name, type, size }) => ({ name, type, size })),
      held: fileFields(from).map(({ name }) => name).filter((name) => valueOf(from, name)),
    };
    const answer = await insist(() => post(`studio/forms/${from}/place`, body), { until: Date.now() + PATIENCE });
    if (!answer || !answer.ok) return void say(line(said(answer && answer.status === 400 ? "studio_files_together" : "studio_not_sent_text")));
    const { taken, ways, refused } = answer.body, notes = refused.map(line), usable = taken.map((number) => files[number]);
    say(...notes);
    if (ways.length === 1) use(ways[0], usable, from);
    else if (ways.length > 1) choose(ways, usable, from, notes);
  };

  /* Write into the prompt as if it was typed. */
  const promptField = () => document.querySelector(`[id="prompt-${ClapperFrame.current()}"] textarea`);
  const write = (text) => {
    const prompt = promptField();
    if (!prompt) return false;
    prompt.focus();
    prompt.setRangeText(text, prompt.selectionStart, prompt.selectionEnd, "end");
    prompt.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  };

  /* An example for the mode that is open, where nothing stands yet: what was typed or sent stays. */
  const example = async () => {
    const mode = ClapperFrame.current(), empty = fileFields(mode).filter(({ name }) => !valueOf(mode, name));
    const answer = await insist(() => post(`studio/forms/${mode}/example`, { roles: empty.map(({ name }) => name) }), { until: Date.now() + PATIENCE });
    if (!answer || !answer.ok) return void say(line(said("studio_not_sent_text")));
    if (mode !== ClapperFrame.current()) return;
    say();
    for (const { name, id } of empty) if (answer.body.files[name]) ClapperFiles.give(id, ClapperForms.fileOf(answer.body.files[name]));
    const prompt = promptField();
    if (prompt && !prompt.value.trim()) write(answer.body.prompt);
  };

  const typing = (target) => target.closest && target.closest("textarea, input:not([type=file]):not([type=checkbox]):not([type=radio]):not([type=range]), [contenteditable=true]");
  addEventListener("paste", (event) => {
    const data = event.clipboardData, field = typing(event.target);
    if (!data || document.querySelector("dialog[open]") || document.getElementById("add-files") === null) return;
    const files = [...data.files], text = data.getData("text/plain");
    if (files.length && !(field && text)) {
      event.preventDefault();
      const at = event.target.closest && event.target.closest(".cl-file");
      if (at && files.length === 1) ClapperFiles.give(at.dataset.field, files[0]);
      else void place(files);
    } else if (text && !field) {
      if (write(text)) event.preventDefault();
    }
  });

  /* Something is dragged over the page: all of it is a place to drop it, and a field that is under it is marked. */
  let own = false; // what is dragged is of the page itself
  addEventListener("dragstart", () => { own = true; });
  addEventListener("dragend", () => { own = false; });
  const carries = (event) => !own && event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  const hover = (on, target) => {
    document.documentElement.classList.toggle("cl-dropping", on);
    document.querySelectorAll(".cl-file[data-over]").forEach((node) => delete node.dataset.over);
    const field = on && target && target.closest && target.closest(".cl-file");
    if (field) field.dataset.over = "";
    if (on && !overlay) document.body.append(overlay = h("div", { class: "cl-dropzone", "aria-hidden": "true" }, line(said("studio_files_drop"))));
  };
  for (const kind of ["dragenter", "dragover"]) addEventListener(kind, (event) => {
    if (!carries(event) || !document.getElementById("add-files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    hover(true, event.target);
  });
  addEventListener("dragleave", (event) => event.relatedTarget || hover(false));
  addEventListener("drop", (event) => {
    hover(false);
    const files = carries(event) ? [...event.dataTransfer.files] : [];
    if (!files.length || !document.getElementById("add-files")) return;
    event.preventDefault();
    const at = event.target.closest && event.target.closest(".cl-file");
    if (at && files.length === 1) ClapperFiles.give(at.dataset.field, files[0]);
    else void place(files);
  });

  /* The way without a mouse: the same by a dialog. */
  const addFiles = (element) => {
    picker = h("input", { type: "file", multiple: true, accept: "image/*,audio/*,video/*", "aria-label": said("studio_files_add"),
      onchange: () => { void place([...picker.files]); picker.value = ""; } });
    told = h("div", { role: "status", class: "cl-notes" });
    const tries = h("button", { type: "button", class: "cl-button", onclick: () => void example() }, said("studio_files_example"));
    element.replaceChildren(h("div", { class: "cl-adding" }, h("label", { class: "cl-choose cl-add" }, picker, h("span", {}, said("studio_files_add")),
      h("small", { class: "cl-meta" }, said("studio_files_hint"))), tries), told);
  };

  return { addFiles, place };
})();
