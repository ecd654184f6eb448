/* The settings of a clip, put into the form of its mode; what stood there can be taken back. */
const ClapperReuse = (() => {
  const { PATIENCE, post, insist } = ClapperRequests, { h, swap } = ClapperElements, { store, words, speak, poll } = ClapperState;
  let fill = () => {}, place = null, wanted = null;

  /* A line above the forms. Gradio's own event carries the values over to its fields. */
  const reused = (element, props, trigger, _events) => {
    speak(props.words);
    place = element.querySelector("[role=status]");
    fill = () => trigger("fill", {});
  };
  const tell = (text, ...buttons) => {
    swap(place, text ? [h("span", {}, text), ...buttons] : []);
    if (text) place.firstElementChild.scrollIntoView({ block: "nearest" });
  };
  const close = () => h("button", { type: "button", class: "cl-button", "data-action": "close", onclick: () => tell("") },
    words.studio_keys_close);

  let busy = false;
  /**
   * @param {string} job whose settings are wanted
   * @param {{prompt?: string} | null} instead in place of the prompt enhancer: what it wrote, or what was typed; null: as it was made
   */
  const reuse = async (job, instead = null) => {
    if (busy) return;
    busy = true;
    const answer = await insist(() => post(`studio/jobs/${job}/settings`), { until: Date.now() + PATIENCE });
    busy = false;
    if (!answer || !answer.ok) {
      store.problem = { job, error: (answer && answer.body.error) || { title: words.studio_lost, text: "" } };
      return void poll();
    }
    const { mode, values, files, gone } = answer.body;
    const before = ClapperForms.held(mode), from = ClapperFrame.current();
    const sent = Object.fromEntries(Object.entries(files).map(([role, file]) => [role, ClapperForms.fileOf(file)]));
    if (instead) Object.assign(values, { enhance: "off" }, instead.prompt ? { prompt: instead.prompt, style: "" } : {}); // its words are in them
    wanted = { mode, values: { ...ClapperForms.empty(mode), ...values, ...sent } };
    fill();
    tell([words.gallery_reused, gone.length && `${words.gallery_reused_gone} ${gone.join(", ")}`].filter(Boolean).join(" "),
      h("button", { type: "button", class: "cl-button cl-primary", "data-action": "take-back", onclick: () => {
        wanted = { mode, values: before, back: from };
        fill();
        tell("");
      } }, words.studio_undo), close());
  };

  /* What Gradio writes into the fields of all forms. */
  const refill = (modes) => {
    const { mode, values, back } = wanted;
    return [...ClapperForms.fill(modes, mode, values), ...ClapperFrame.show(back || mode)];
  };

  return { reused, reuse, refill };
})();
