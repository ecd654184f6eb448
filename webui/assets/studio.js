/* The moving parts of the page. Text from people is only ever set as text, never as markup. */
window.Clapper = (() => {
  const { ask, post, insist } = ClapperRequests, { WIDE } = ClapperFrame;
  const store = { job: new URLSearchParams(location.search).get("job") || "", state: null, lost: false, unkept: 0 };
  const listeners = new Set();
  let timer = 0, asking = false, words = {};

  const h = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value === true) node.setAttribute(key, "");
      else if (value !== false && value != null) node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child != null && child !== false));
    return node;
  };

  /* Put children into node, but only if what they show differs: keeps focus and playing videos. */
  const put = (node, key, ...children) => {
    const mark = JSON.stringify(key);
    if (node.dataset.shown === mark) return;
    node.dataset.shown = mark;
    const held = node.contains(document.activeElement) ? document.activeElement.dataset : null;
    node.replaceChildren(...children.flat().filter((child) => child != null && child !== false));
    if (held) refocus(node, held);
  };

  /* What was pressed may be gone: the next Tab goes on from the same button, or else from its card. */
  const refocus = (node, held) => {
    const same = [...node.querySelectorAll("button, a")]
      .find(({ dataset }) => dataset.action === held.action && dataset.job === held.job);
    const region = node.closest("section, .cl-section") || node;
    if (!same) region.tabIndex = -1;
    (same || region).focus({ preventScroll: true });
  };

  const span = (seconds) => {
    const whole = Math.max(1, Math.round(seconds));
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
    return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
  };

  const tell = () => listeners.forEach((listener) => listener(store));

  const HIDDEN = 20_000; // ms
  const live = () => store.state && (store.state.mine.length || (store.state.job && store.state.job.live));

  const poll = async () => {
    if (asking) return;
    clearTimeout(timer);
    asking = true;
    let wait = 8000;
    try {
      const { ok, body } = await ask(`studio/state?job=${encodeURIComponent(store.job)}`);
      if (!ok) throw new Error("state");
      store.lost = false;
      store.state = body;
      store.unkept = body.kept ? 0 : store.unkept + 1;
      if (!store.job && body.job) store.job = body.job.id;
      if (live()) wait = 1000;
      if (store.unkept === 1) wait = 0; // its answer brought a cookie: does the next request carry it?
    } catch {
      store.lost = true;
      wait = 2000;
    }
    asking = false;
    tell();
    // a GPU is borrowed in the name of a page that still asks, also from behind another tab
    if (!document.hidden || live()) timer = setTimeout(poll, document.hidden ? HIDDEN : wait);
  };
  document.addEventListener("visibilitychange", () => document.hidden || poll());
  addEventListener("online", poll);

  const select = (job, show) => {
    store.job = job || "";
    poll();
    if (show && innerWidth < WIDE) {
      const stage = document.getElementById("stage");
      if (stage) stage.scrollIntoView({ behavior: calm() ? "auto" : "smooth", block: "start" });
    }
  };
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  const act = async (job, action) => {
    const { ok, body } = await post(`studio/jobs/${job}/${action}`).catch(() => ({ ok: false, body: {} }));
    if (ok) {
      store.problem = null;
      if (action === "delete") document.dispatchEvent(new Event("clapper-history"));
      select(body.job, true);
    } else {
      store.problem = { job, error: body.error || { title: words.studio_lost, text: "" } };
      poll();
    }
  };

  const watched = (watch, props, use) => {
    watch("value", () => use(props.value));
    if (props.value) use(props.value);
  };

  const button = (job, view, trigger) => {
    let sure = false;
    const node = h("button", {
      type: "button", class: view.primary ? "cl-button cl-primary" : "cl-button", "data-action": view.action,
      onclick: () => {
        if (view.action === "delete" && !sure) {
          sure = true;
          node.textContent = words.studio_delete_sure;
          setTimeout(() => { sure = false; node.textContent = view.label; }, 4000);
        } else if (view.action === "last_frame") { store.frame = job; trigger("use_frame", {}); }
        else if (view.action === "reuse") trigger("reuse", { job });
        else act(job, view.action);
      },
    }, view.label);
    return node;
  };

  const card = (error, extra) => h("div", { class: "cl-error", role: "alert" },
    h("strong", {}, error.title), h("p", {}, error.text), extra);

  /* No cookie comes back, so nothing that is made here could be shown: in a tab of its own it could. */
  const homeless = () => {
    const framed = window.self !== window.top;
    return card({ title: words.studio_unkept, text: framed ? words.studio_unkept_frame : words.studio_unkept_cookies },
      framed && h("a", { class: "cl-button cl-fix", href: location.href, target: "_blank", rel: "noopener" },
        words.studio_unkept_tab));
  };

  const bar = (fraction) => {
    const known = fraction != null;
    const attributes = { class: "cl-bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100,
      "aria-label": words.studio_now };
    if (known) attributes["aria-valuenow"] = Math.round(fraction * 100);
    const fill = h("span", { class: known ? "cl-fill" : "cl-fill cl-unknown" });
    if (known) fill.style.width = `${Math.round(fraction * 1000) / 10}%`;
    return h("div", attributes, fill);
  };

  const player = (job) => h("figure", { class: "cl-player" },
    h("video", { src: job.clip.src, poster: job.clip.poster, controls: true, playsinline: true, preload: "metadata",
      loop: true, "aria-label": job.clip.alt }));
  const download = (job) => job.clip && h("a", { class: "cl-button", href: job.clip.download, download: job.clip.name },
    words.studio_download);

  const stage = (element, props, trigger, watch, _events) => {
    words = { ...words, ...props.words };
    const part = (name) => element.querySelector(`[data-part=${name}]`);
    watched(watch, props, (value) => value && value.job && select(value.job, true));
    listeners.add(({ state, lost, problem, unkept }) => {
      if (unkept > 1) put(part("lost"), "unkept", homeless());
      else put(part("lost"), lost, lost && h("p", { class: "cl-lost", role: "status" }, words.studio_lost));
      if (!state) return;
      const job = state.job;
      part("empty").hidden = Boolean(job);
      part("job").hidden = !job;
      if (!job) return;
      put(part("head"), [job.id, job.headline, job.state],
        h("strong", {}, job.headline), h("span", { class: "cl-tag" }, job.mode_name));
      const moving = job.live ? [job.fraction, job.stage, job.step, job.ready_in_s && Math.round(job.ready_in_s)] : [];
      put(part("progress"), [job.id, moving], job.live && bar(job.fraction),
        job.live && h("p", { class: "cl-meta cl-spread" },
          h("span", {}, [job.stage, job.step].filter(Boolean).join(" · ")),
          h("span", {}, job.ready_in_s != null && `${words.studio_ready_in} ${span(job.ready_in_s)}`)));
      put(part("player"), [job.id, job.clip], job.clip && player(job));
      put(part("error"), [job.id, job.error, problem],
        job.error && card(job.error), problem && problem.job === job.id && card(problem.error));
      put(part("facts"), [job.id, job.prompt, job.facts, job.charged, job.live],
        job.prompt && h("p", { class: "cl-prompt" }, job.prompt),
        h("p", { class: "cl-meta" }, job.live ? job.facts : `${job.facts} · ${job.charged}`));
      put(part("buttons"), [job.id, job.buttons],
        job.buttons.slice(0, -1).map((view) => button(job.id, view, trigger)), download(job),
        job.buttons.slice(-1).map((view) => button(job.id, view, trigger)));
    });
    poll();
  };

  const queue = (element, props) => {
    words = { ...words, ...props.words };
    const list = element.querySelector("ul"), line = element.querySelector("p");
    listeners.add(({ state }) => {
      if (!state) return;
      line.textContent = state.line;
      put(list, state.mine.map((job) => [job.id, job.headline]),
        state.mine.length ? state.mine.map((job) => h("li", {},
          h("button", { type: "button", class: "cl-link", "data-job": job.id, onclick: () => select(job.id, true) },
            h("span", { class: "cl-tag" }, job.mode_name), h("span", {}, job.headline)),
          h("span", { class: "cl-meta" }),
          h("button", { type: "button", class: "cl-button", "data-action": "cancel", "data-job": job.id,
            "aria-label": `${words.cancel_label}: ${job.mode_name}`, onclick: () => act(job.id, "cancel") },
          words.cancel_label)))
          : h("li", { class: "cl-meta" }, words.studio_queue_empty));
      list.querySelectorAll(".cl-link + .cl-meta").forEach((time, at) => {
        const left = state.mine[at].ready_in_s; // in place: a list made anew each second loses the focus
        time.textContent = left == null ? "" : span(left);
      });
    });
  };

  const history = (element, props) => {
    words = { ...words, ...props.words };
    const grid = element.querySelector("ul"), more = element.querySelector("button");
    let live = "", before = null, turn = 0;
    const looked = new Set(); // finished jobs that the list was read again for
    const item = (job) => h("li", {}, h("button", { type: "button", class: "cl-shot", "data-job": job.id,
      "aria-current": String(job.id === store.job),
      "aria-label": `${words.studio_open}: ${job.mode_name}, ${job.prompt || job.facts}`,
      onclick: () => { select(job.id, false); document.getElementById("stage").scrollIntoView({ block: "start" }); } },
    job.clip ? h("img", { src: job.clip.poster, alt: "", loading: "lazy" }) : h("span", { class: "cl-none" }, job.state_name),
    h("span", { class: "cl-caption" }, h("b", {}, job.mode_name), h("span", {}, job.prompt || job.facts))));
    const load = async (older) => {
      const mine = turn += 1;
      const { ok, body } = await ask(`studio/history${older ? `?before=${before}` : ""}`).catch(() => ({ ok: false }));
      if (mine !== turn) return; // a later question was answered first
      if (!ok) return void (live = null);
      before = body.before;
      more.hidden = before == null;
      const items = body.items.map(item);
      if (older) return grid.append(...items);
      const held = grid.contains(document.activeElement) ? document.activeElement.dataset : null;
      grid.replaceChildren(...(items.length ? items : [h("li", { class: "cl-meta" }, words.studio_history_empty)]));
      if (held) refocus(grid, held);
    };
    more.addEventListener("click", () => load(true));
    document.addEventListener("clapper-history", () => load(false));
    listeners.add(({ state }) => {
      if (!state) return;
      grid.querySelectorAll("[data-job]").forEach((shot) =>
        shot.setAttribute("aria-current", String(shot.dataset.job === store.job)));
      const now = state.mine.map((job) => job.id).join();
      const job = state.job && !state.job.live ? state.job.id : ""; // may have ended between two looks
      const absent = job && !looked.has(job) && !grid.querySelector(`[data-job="${job}"]`);
      if (absent) looked.add(job);
      if (now === live && !absent && grid.childElementCount) return;
      live = now;
      load(false);
    });
  };

  const side = (element) => {
    const [model, line, quota] = element.querySelectorAll("dd");
    const meter = element.querySelector("meter");
    listeners.add(({ state }) => {
      if (!state) return;
      model.textContent = state.model;
      line.textContent = state.line;
      quota.textContent = state.quota.text;
      meter.value = state.quota.share;
    });
  };

  /* Who is signed in; what went wrong there is told once. */
  const account = (element) => {
    const name = element.querySelector("span"), link = element.querySelector("a");
    const address = new URL(location.href);
    let problem = address.searchParams.get("sign_in") || "", known = null;
    if (problem) {
      address.searchParams.delete("sign_in");
      window.history.replaceState(null, "", address);
    }
    if (window.self !== window.top) link.target = "_blank"; // providers refuse to be framed
    listeners.add(async ({ state }) => {
      if (!state || state.account === known) return;
      known = state.account;
      const { ok, body } = await ask(`studio/account?sign_in=${encodeURIComponent(problem)}`).catch(() => ({ ok: false }));
      if (!ok) return;
      problem = "";
      name.textContent = body.text;
      link.textContent = body.link.label;
      link.href = body.link.href;
      link.hidden = false;
      put(element.querySelector("[data-part=problem]"), body.problem, body.problem && card(body.problem));
      document.dispatchEvent(new Event("clapper-history"));
    });
  };

  const operators = (element) => {
    const tellWhether = ClapperOperators.begin(element);
    listeners.add(({ state }) => { if (state) tellWhether(state.operator); });
  };

  const preflight = (element, props, trigger, watch, _events) => {
    watched(watch, props, (value) => {
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

  /* The last frame of a clip, as the picture of the mode that goes on from it. */
  const takeFrame = async (mode) => {
    const job = store.frame;
    const answer = await insist(() => post(`studio/jobs/${job}/last_frame`), { until: Date.now() + 60_000 });
    if (answer && answer.ok) return [ClapperForms.fileOf(answer.body), ...ClapperFrame.show(mode)];
    store.problem = { job, error: (answer && answer.body.error) || { title: words.studio_lost, text: "" } };
    poll();
    return [];
  };

  ClapperForms.begin();
  ClapperFrame.begin();
  const { look, generate, mend, describe, notes, forget } = ClapperForms, { show, tidy } = ClapperFrame;
  const apply = (panel, ticks) => ClapperForms.apply(panel, ticks, show);
  return { stage, queue, history, side, account, operators, preflight, show, tidy: () => tidy(words.studio_modes),
    look, generate, mend, describe, apply, notes, takeFrame, forget };
})();
