/* The card before Generate: what the request becomes, takes, costs and still needs. */
const ClapperPreflight = (() => {
  const { h, put, watched, card } = ClapperElements;

  const preflight = (element, props, trigger, watch, _events) => {
    watched(watch, props, (value) => {
      const go = document.getElementById(`go-${props.kept.name}`);
      if (go && value.price) go.dataset.price = value.price;
      else if (go) delete go.dataset.price;
      const list = element.querySelector("dl");
      put(list, value.rows, value.rows.map((row) => h("div", { class: row.tone }, h("dt", {}, row.label), h("dd", {}, row.value))));
      const fix = value.error && value.error.fix
        && h("button", { type: "button", class: "cl-button cl-fix", onclick: () => trigger("fix", {}) }, value.error.fix);
      put(element.querySelector("[data-part=notes]"), [value.notes, value.error, value.asked],
        value.notes.map((note) => h("p", { class: "cl-meta" }, note)),
        value.error && (value.asked || value.error.code !== "prompt_missing") && (value.asked || value.error.code !== "media_missing")
          ? card(value.error, fix) : value.error && h("p", { class: "cl-meta" }, value.error.text));
      if (value.asked && value.error) element.scrollIntoView({ block: "nearest" });
    });
    trigger("expand", {});
    if (ClapperForms.resumes(props.kept.name)) trigger("resume", {});
  };

  return { preflight };
})();
