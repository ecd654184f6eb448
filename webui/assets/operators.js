/* The operators' page: everything on it comes from the server, which answers operators only. This script comes to nobody else. */
const ClapperOperators = (() => {
  const { ask, post, key } = ClapperRequests, { h } = ClapperElements;
  const EVERY = 5000, LOGS = 2000, SVG = "http://www.w3.org/2000/svg"; // ms, ms
  const SIDE = 320, EDGE = 40, BAND = 1.2, TICKS = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000]; // px, px; off by a fifth; s

  const when = (ms) => new Intl.DateTimeFormat(document.documentElement.lang || undefined, { dateStyle: "short", timeStyle: "short" })
    .format(new Date(ms));

  /* What runs were expected to take against what they took, both in seconds on logarithmic axes. */
  const draw = (tag, attributes, ...children) => {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const plot = ({ runs, runs_line: line, words }) => {
    const all = runs.flatMap((run) => [run.expected_s, run.took_s]).map((value) => Math.max(value, 0.01));
    const low = Math.log(Math.min(...all) / 1.6), high = Math.log(Math.max(...all) * 1.6);
    const at = (seconds) => EDGE + ((Math.log(Math.max(seconds, 0.01)) - low) / (high - low)) * (SIDE - 2 * EDGE);
    const least = Math.exp(low), most = Math.exp(high);
    const dot = (took, expected) => `${at(took).toFixed(1)},${(SIDE - at(expected)).toFixed(1)}`;
    const band = [dot(least, least), dot(least, least * BAND), dot(most / BAND, most), dot(most, most), dot(most, most / BAND), dot(least * BAND, least)];
    const ticks = TICKS.filter((tick) => tick > least && tick < most).flatMap((tick) => [
      draw("text", { x: at(tick), y: SIDE - EDGE + 16, "text-anchor": "middle" }, String(tick)),
      draw("text", { x: EDGE - 6, y: SIDE - at(tick) + 4, "text-anchor": "end" }, String(tick))]);
    return draw("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", "aria-label": line, class: "cl-plot" },
      draw("polygon", { points: band.join(" "), class: "cl-plot-band" }),
      draw("rect", { x: EDGE, y: EDGE, width: SIDE - 2 * EDGE, height: SIDE - 2 * EDGE, class: "cl-plot-frame" }), ...ticks,
      draw("text", { x: SIDE / 2, y: SIDE - 6, "text-anchor": "middle" }, words.runs_took),
      draw("text", { x: 12, y: SIDE / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${SIDE / 2})` }, words.runs_expected),
      ...runs.map((run) => draw("circle", { cx: at(run.took_s), cy: SIDE - at(run.expected_s), r: 4 },
        draw("title", {}, `${run.label}: ${run.expected_s.toFixed(1)} → ${run.took_s.toFixed(1)} s`))));
  };

  const begin = (element) => {
    const section = element.querySelector("section");
    let shown = false, timer = 0, scopes = [], following = 0, listed = 100; // waiting jobs
    const marks = {}, prompts = {};

    const part = (name) => section.querySelector(`[data-part=${name}]`);
    const value = (name) => section.querySelector(`input[name=${name}]`).value;
    const numbers = { type: "number", min: "0.01", step: "any" };
    const field = (name, label, kind) => h("label", {}, h("span", {}, label), h("input", { name, autocomplete: "off", type: "text", maxlength: "300", ...kind }));
    /* A list made anew loses the focus: only what shows something else is. */
    const put = (name, now, ...children) => {
      const mark = JSON.stringify(now);
      if (marks[name] === mark) return;
      marks[name] = mark;
      ClapperElements.put(part(name), now, ...children);
    };
    const button = (verb, label, body, more) => h("button", { type: "button", class: "cl-button", "data-verb": verb,
      onclick: ({ currentTarget, detail }) => detail < 2 && act(verb, body(), currentTarget), ...more }, label);
    const line = (text, job, ...buttons) => h("li", { "data-job": job }, h("span", { dir: "auto" }, text), ...buttons);
    const named = (verb, label, text, body) => button(verb, label, () => body, { "aria-label": `${label}: ${text}`, "data-action": verb, "data-job": body.job || body.token });

    const build = (words) => {
      const none = () => ({}), person = () => ({ who: value("who"), minutes: value("minutes"), reason: value("reason") });
      const token = () => ({ name: value("token_name"), minutes: value("token_minutes"), days: value("token_days"),
        scopes: scopes.filter((scope) => section.querySelector(`input[name=scope_${scope}]`).checked) });
      const logs = h("details", { ontoggle: ({ target }) => { following = target.open ? setTimeout(follow) : clearTimeout(following); } },
        h("summary", {}, words.logs), h("pre", { "data-part": "lines", tabindex: "0", role: "region", "aria-label": words.logs }));
      section.replaceChildren(
        h("h2", {}, words.title), h("p", { class: "cl-meta", "data-part": "line" }), h("p", { role: "status", "data-part": "told" }),
        h("div", { class: "cl-buttons" }, ...["pause", "drain", "resume"].map((verb) => button(verb, words[verb], none))),
        h("h3", {}, words.health), h("ul", { class: "cl-checks", "data-part": "checks" }),
        h("h3", {}, words.queue), h("ul", { "data-part": "jobs" }),
        h("h3", {}, words.people),
        h("div", { class: "cl-fields" }, field("who", words.who), field("minutes", words.minutes, numbers), field("reason", words.reason)),
        h("div", { class: "cl-buttons" }, ...["quota", "grant", "block", "unblock"].map((verb) => button(verb, words[verb], person))),
        h("h3", {}, words.tokens), h("ul", { "data-part": "tokens" }), h("div", { "data-part": "issued" }),
        h("div", { class: "cl-fields" }, field("token_name", words.token_name), field("token_minutes", words.token_minutes, numbers), field("token_days", words.token_days, numbers)),
        h("fieldset", { class: "cl-scopes" }, h("legend", {}, words.scopes), ...scopes.map((scope) => h("label", {},
          h("input", { type: "checkbox", name: `scope_${scope}`, checked: true }), h("span", {}, scope)))),
        h("div", { class: "cl-buttons" }, button("issue_token", words.issue_token, token)),
        h("h3", {}, words.runs), h("p", { class: "cl-meta", "data-part": "runs-line" }), h("div", { "data-part": "runs" }),
        h("div", { "data-part": "graves", hidden: true }, h("h3", {}, words.dead), h("ul", { "data-part": "dead" }),
          h("div", { class: "cl-buttons" }, button("revive", words.revive_all, none))),
        h("details", {}, h("summary", {}, words.styles), h("ul", { "data-part": "styles" }), h("p", { class: "cl-meta" }, words.styles_hint),
          h("textarea", { name: "styles", rows: 12, spellcheck: "false", autocomplete: "off", "aria-label": words.styles }),
          h("div", { class: "cl-buttons" }, button("show_styles", words.show_styles, none),
            button("keep_styles", words.keep_styles, () => ({ styles: section.querySelector("textarea").value })))),
        h("details", {}, h("summary", {}, words.audit), h("ul", { class: "cl-audit", "data-part": "audit", tabindex: "0", "aria-label": words.audit })), logs);
    };

    const facts = (check) => Object.entries(check.facts).map(([name, fact]) => `${name} ${fact}`).join(", ");
    const job = (words) => (one) => {
      const text = `${one.short} · ${one.who} · ${one.mode_name} · ${one.state_name} · ${one.facts}`, known = one.id in prompts;
      return line(known ? `${text} · “\u2068${prompts[one.id]}\u2069”` : text, one.id,
        !known && named("look", words.look, text, { job: one.id }), named("cancel", words.cancel, text, { job: one.id }));
    };
    const token = (words) => (one) => {
      const text = [one.prefix, one.name, one.scopes, one.minutes != null && `${one.minutes} min`, one.state,
        one.used_ms && `${words.used} ${when(one.used_ms)}`, one.ends_ms && `${words.ends} ${when(one.ends_ms)}`].filter(Boolean).join(" · ");
      return line(text, one.prefix, one.works && named("revoke_token", words.revoke_token, text, { token: one.prefix }));
    };
    const show = (view) => {
      const { words } = view;
      scopes = view.scopes;
      if (!section.childElementCount) build(words);
      section.hidden = false;
      Object.assign(prompts, view.prompts);
      part("line").textContent = view.line;
      if (view.told) part("told").textContent = view.told;
      put("checks", view.checks, ...view.checks.map((check) => h("li", { "data-ok": String(check.ok), title: facts(check) },
        `${check.ok ? "✓" : "✗"} ${check.label}`, facts(check) && h("small", {}, ` ${facts(check)}`))));
      const more = !!view.more && h("li", {}, h("button", { type: "button", class: "cl-button", "data-action": "more", onclick: () => { listed *= 3; look(); } }, view.more));
      put("jobs", [view.jobs, prompts, view.more], view.jobs.length ? [...view.jobs.map(job(words)), more] : [h("li", { class: "cl-meta" }, words.empty)]);
      put("tokens", view.tokens, view.tokens.map(token(words)));
      if (view.issued) put("issued", view.issued, h("p", {}, view.issued.text), h("code", {}, view.issued.token),
        h("button", { type: "button", class: "cl-button", onclick: () => navigator.clipboard.writeText(view.issued.token) }, words.copy));
      part("runs-line").textContent = view.runs_line;
      put("runs", view.runs, view.runs.length > 0 && plot(view));
      put("styles", view.styles, view.styles.map((name) => line(name, name, named("remove_style", words.remove_style, name, { style: name, job: name }))));
      if (view.toml != null) section.querySelector("textarea").value = view.toml;
      part("graves").hidden = !view.dead.length;
      put("dead", view.dead, view.dead.map((item) => line(`${item.short} · ${item.platform} · ${item.reason}`, item.job,
        named("revive", words.revive, item.short, { job: item.job }))));
      put("audit", view.audit, view.audit.map((entry) => h("li", {}, h("span", { class: "cl-meta" }, when(entry.at_ms)), h("span", { dir: "auto" }, entry.text))));
    };

    /* Each press is one wish: nothing else is sent before it is answered, and the server knows it by its key. */
    let busy = false;
    const act = async (verb, body, pressed) => {
      if (busy) return;
      busy = true;
      pressed.setAttribute("aria-busy", "true");
      const answer = await post(`studio/operators/${verb}?jobs=${listed}`, { ...body, key: key() }).catch(() => null);
      busy = false;
      pressed.removeAttribute("aria-busy");
      if (answer && answer.ok && answer.body.toml != null) document.dispatchEvent(new Event("clapper-styles"));
      if (answer && answer.ok) return show(answer.body);
      const error = answer && answer.body.error;
      part("told").textContent = error ? `${error.title}: ${error.text}` : ClapperState.words.studio_lost;
    };

    const look = async () => {
      clearTimeout(timer);
      if (!shown) return;
      const answer = document.hidden || busy ? null : await ask(`studio/operators?jobs=${listed}`).catch(() => null);
      if (answer && answer.ok && !busy) show(answer.body);
      if (shown) timer = setTimeout(look, EVERY);
    };
    const follow = async () => {
      const answer = document.hidden ? null : await ask("studio/operators/logs").catch(() => null), lines = part("lines");
      if (lines && answer && answer.ok) {
        const below = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40; // who reads further up stays there
        lines.textContent = answer.body.lines.join("\n");
        if (below) lines.scrollTop = lines.scrollHeight;
      }
      if (lines && lines.closest("details").open) following = setTimeout(follow, LOGS);
    };

    /* `operator`: whether the server says that this visitor is one; asked again with every state. */
    return (operator) => {
      if (operator === shown) return;
      shown = operator;
      if (!shown) {
        section.hidden = true;
        section.replaceChildren();
        for (const known of [marks, prompts]) Object.keys(known).forEach((name) => delete known[name]);
      }
      look();
    };
  };

  return { begin };
})();
