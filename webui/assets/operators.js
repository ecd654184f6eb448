/* The operators' page: everything on it comes from the server, which answers operators only. */
const ClapperOperators = (() => {
  const { ask, post } = ClapperRequests;
  const EVERY = 5000; // ms

  const node = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "onclick") made.addEventListener("click", value);
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };

  const begin = (element) => {
    const section = element.querySelector("section");
    let shown = false, timer = 0, mark = "";

    const field = (name, label, type) => node("label", {}, node("span", {}, label),
      node("input", { name, type, autocomplete: "off", ...(type === "number" ? { min: "0.01", step: "any" } : { maxlength: "300" }) }));
    const value = (name) => section.querySelector(`input[name=${name}]`).value;

    const build = (words) => {
      const button = (verb, body) => node("button",
        { type: "button", class: "cl-button", "data-verb": verb, onclick: () => act(verb, body()) }, words[verb]);
      const none = () => ({}), person = () => ({ who: value("who"), minutes: value("minutes"), reason: value("reason") });
      section.replaceChildren(
        node("h2", {}, words.title),
        node("p", { class: "cl-meta", "data-part": "line" }),
        node("p", { role: "status", "data-part": "told" }),
        node("div", { class: "cl-buttons" }, ...["pause", "drain", "resume"].map((verb) => button(verb, none))),
        node("h3", {}, words.health), node("ul", { class: "cl-checks", "data-part": "checks" }),
        node("h3", {}, words.queue), node("ul", { "data-part": "jobs" }),
        node("h3", {}, words.people),
        node("div", { class: "cl-fields" }, field("who", words.who, "text"), field("minutes", words.minutes, "number"), field("reason", words.reason, "text")),
        node("div", { class: "cl-buttons" }, ...["grant", "block", "unblock"].map((verb) => button(verb, person))),
        node("div", { "data-part": "graves", hidden: "" }, node("h3", {}, words.dead), node("ul", { "data-part": "dead" }),
          node("div", { class: "cl-buttons" }, node("button", { type: "button", class: "cl-button", "data-verb": "revive",
            onclick: () => act("revive", {}) }, words.revive_all))));
    };

    const part = (name) => section.querySelector(`[data-part=${name}]`);
    const line = (text, label, press) => node("li", {}, node("span", {}, text),
      node("button", { type: "button", class: "cl-button", "aria-label": `${label}: ${text}`, onclick: press }, label));

    const show = (view) => {
      const { words } = view;
      if (!section.childElementCount) build(words);
      section.hidden = false;
      part("line").textContent = view.line;
      if (view.told) part("told").textContent = view.told;
      const now = JSON.stringify([view.checks, view.jobs, view.dead]);
      if (now === mark) return; // a list made anew loses the focus
      mark = now;
      part("checks").replaceChildren(...view.checks.map((check) =>
        node("li", { "data-ok": String(check.ok) }, `${check.ok ? "✓" : "✗"} ${check.label}`)));
      part("jobs").replaceChildren(...(view.jobs.length ? view.jobs.map((job) =>
        line(`${job.short} · ${job.who} · ${job.mode_name} · ${job.state_name} · ${job.facts}`, words.cancel, () => act("cancel", { job: job.id })))
        : [node("li", { class: "cl-meta" }, words.empty)]));
      part("graves").hidden = !view.dead.length;
      part("dead").replaceChildren(...view.dead.map((item) =>
        line(`${item.short} · ${item.platform} · ${item.reason}`, words.revive, () => act("revive", { job: item.job }))));
    };

    const act = async (verb, body) => {
      const answer = await post(`studio/operators/${verb}`, body).catch(() => null);
      if (answer && answer.ok) return show(answer.body);
      const error = answer && answer.body.error;
      part("told").textContent = error ? `${error.title}: ${error.text}` : "…";
    };

    const look = async () => {
      clearTimeout(timer);
      if (!shown) return;
      const answer = document.hidden ? null : await ask("studio/operators").catch(() => null);
      if (answer && answer.ok) show(answer.body);
      if (shown) timer = setTimeout(look, EVERY);
    };

    /* `operator`: whether the server says that this visitor is one; asked again with every state. */
    return (operator) => {
      if (operator === shown) return;
      shown = operator;
      if (!shown) {
        section.hidden = true;
        section.replaceChildren();
        mark = "";
      }
      look();
    };
  };

  return { begin };
})();
