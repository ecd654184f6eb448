/* The gallery: one's finished jobs, the newest first, in pages that follow as one scrolls. New ones come in at the top,
   those that are gone leave; nothing else moves. Tiles out of sight are neither laid out nor hold their pictures. */
const ClapperGallery = (() => {
  const { PATIENCE, ask, post, insist } = ClapperRequests, { h, span, swap } = ClapperElements;
  const { store, words, listen, speak, select } = ClapperState;
  const FILTERS = ["mode", "shape", "preset"], PAUSE = 300, UNDO = 9500; // ms: from the last key to the search; in which a delete can be taken back

  /* When a clip was made, in the reader's zone and language. */
  const date = (ms) => new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
    dateStyle: "medium", timeStyle: "short" }).format(new Date(ms));

  /* Pictures come as they are scrolled to, and go again: memory stays flat however many there are. */
  const sight = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
    const picture = target.querySelector("img");
    if (!picture) return;
    if (isIntersecting) picture.src = picture.dataset.src;
    else picture.removeAttribute("src");
  }), { rootMargin: "600px 0px" });

  const history = (element, props) => {
    speak(props.words);
    const part = (name) => element.querySelector(`[data-part=${name}]`);
    const grid = element.querySelector("ul"), end = part("end"), tools = part("tools"), many = part("many");
    /** @type {Map<string, {job: any, node: HTMLElement}>} */
    const tiles = new Map();
    const chosen = new Set();
    let before = null, asking = null, choosing = false, last = "", seen = "", sure = false, stale = false, newest = null;

    /* What is looked for. */
    const search = h("input", { type: "search", maxlength: 200, dir: "auto", autocomplete: "off", placeholder: words.gallery_search,
      "aria-label": words.gallery_search, oninput: () => { clearTimeout(typing); typing = setTimeout(again, PAUSE); } });
    let typing = 0;
    const lists = FILTERS.map((name) => h("select", { name, "aria-label": words[`gallery_${name}`], onchange: () => again() },
      h("option", { value: "" }, `${words[`gallery_${name}`]}: ${words.gallery_any}`),
      ...props.filters[name].map(([label, value]) => h("option", { value }, label))));
    const starred = h("button", { type: "button", class: "cl-button", "aria-pressed": "false", "data-action": "starred",
      onclick: () => { starred.setAttribute("aria-pressed", String(!only())); again(); } }, "★ ", words.gallery_starred);
    const only = () => starred.getAttribute("aria-pressed") === "true";
    const read = () => {
      search.value = ClapperAddress.get("q");
      starred.setAttribute("aria-pressed", String(ClapperAddress.get("starred") === "1"));
      lists.forEach((list) => { list.value = ClapperAddress.get(`in_${list.name}`); if (list.selectedIndex < 0) list.value = ""; });
    };
    const write = () => ClapperAddress.set({ q: search.value.trim(), starred: only() ? "1" : "",
      ...Object.fromEntries(lists.map(({ name, value }) => [`in_${name}`, value])) }, { replace: true });
    ClapperAddress.listen(() => { read(); again(); });
    const wanted = () => {
      const query = new URLSearchParams(lists.filter(({ value }) => value).map(({ name, value }) => [name, value]));
      if (search.value.trim()) query.set("q", search.value.trim());
      if (only()) query.set("starred", "1");
      return query;
    };

    /* Many at once. */
    const count = h("span", { role: "status" });
    const choose = h("button", { type: "button", class: "cl-button", "aria-pressed": "false", "data-action": "choose",
      onclick: () => choice(!choosing) }, words.gallery_choose);
    const all = h("a", { class: "cl-button", "data-action": "all", download: "clapper.zip" }, words.gallery_download_all);
    const remove = h("button", { type: "button", class: "cl-button", "data-action": "delete-many", onclick: () => discard() });
    const save = h("form", { method: "post", action: "studio/gallery.zip" }, h("input", { type: "hidden", name: "jobs" }),
      h("button", { type: "submit", class: "cl-button", "data-action": "zip" }, words.gallery_download));
    save.addEventListener("submit", () => { save.querySelector("input").value = [...chosen].join(); });
    const favour = h("button", { type: "button", class: "cl-button", "data-action": "star-many",
      onclick: () => star([...chosen], [...chosen].some((id) => !tiles.get(id).job.starred)) }, "★ ", words.gallery_star);
    tools.append(search, ...lists, starred, choose, all);
    many.append(count, h("button", { type: "button", class: "cl-button", "data-action": "choose-all",
      onclick: () => { tiles.forEach((_, id) => chosen.add(id)); tell(); } }, words.gallery_choose_all), favour, save, remove);
    element.addEventListener("keydown", ({ key }) => key === "Escape" && choosing && choice(false));

    const tell = () => {
      sure = false;
      remove.textContent = words.gallery_delete;
      many.hidden = !choosing;
      count.textContent = `${chosen.size} ${words.gallery_chosen}`;
      many.querySelectorAll("button:not([data-action=choose-all])").forEach((button) => { button.disabled = !chosen.size; });
      save.querySelector("button").disabled = ![...chosen].some((id) => tiles.get(id).job.clip);
      all.hidden = before == null && ![...tiles.values()].some(({ job }) => job.clip); // nothing to download
      tiles.forEach(({ node }, id) => mark(node, id));
    };
    const mark = (node, id) => {
      const shot = node.querySelector(".cl-shot");
      if (choosing) shot.setAttribute("aria-pressed", String(chosen.has(id)));
      else shot.removeAttribute("aria-pressed");
      shot.setAttribute("aria-current", String(id === store.job));
    };
    const choice = (on) => {
      if (!on && many.contains(document.activeElement)) choose.focus(); // they are hidden
      choosing = on;
      chosen.clear();
      last = "";
      choose.setAttribute("aria-pressed", String(on));
      choose.textContent = on ? words.gallery_choose_end : words.gallery_choose;
      tell();
    };
    /* A press opens or chooses; with Shift everything from the last one on. */
    const press = (id, event) => {
      if (!choosing && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
        select(id);
        document.getElementById("stage").scrollIntoView({ block: "start" });
        return;
      }
      event.preventDefault();
      if (!choosing) choice(true);
      const order = [...tiles.keys()], from = event.shiftKey && last ? order.indexOf(last) : order.indexOf(id);
      const range = order.slice(Math.min(from, order.indexOf(id)), Math.max(from, order.indexOf(id)) + 1);
      const on = event.shiftKey || !chosen.has(id);
      range.forEach((one) => (on ? chosen.add(one) : chosen.delete(one)));
      last = id;
      tell();
    };

    const change = (verb, jobs) => insist(() => post(`studio/gallery/${verb}`, { jobs }), { until: Date.now() + PATIENCE });
    const star = async (jobs, on) => {
      const answer = await change(on ? "star" : "unstar", jobs);
      if (!answer || !answer.ok) return;
      answer.body.jobs.forEach((id) => { const tile = tiles.get(id); if (tile) { tile.job.starred = on; show(tile.job); } });
    };
    const discard = async () => {
      if (!sure) {
        sure = true;
        remove.textContent = words.gallery_delete_sure;
        return;
      }
      const answer = await change("delete", [...chosen]);
      if (!answer || !answer.ok) return;
      const gone = answer.body.jobs;
      gone.forEach(drop);
      sorted();
      choice(false);
      const back = h("button", { type: "button", class: "cl-button cl-primary", "data-action": "undo-many", onclick: async () => {
        clearTimeout(away);
        await change("undo", gone);
        swap(undo, [], choose);
        again();
      } }, words.studio_undo);
      undo.replaceChildren(h("span", {}, `${gone.length} ${words.gallery_deleted}`), back);
      back.focus();
      clearTimeout(away);
      away = setTimeout(() => swap(undo, [], choose), UNDO);
    };
    const undo = h("div", { class: "cl-tools", role: "status" });
    let away = 0;
    many.after(undo);

    /* One tile. */
    const made = (job) => {
      const label = `${words.studio_open}: ${job.mode_name}, ${job.prompt || job.facts}`;
      return h("li", { class: job.clip ? null : "cl-ended" },
        h("button", { type: "button", class: "cl-shot", "data-job": job.id, "aria-label": label, title: job.problem || null,
          onclick: (event) => press(job.id, event) },
        job.clip ? h("img", { alt: "", "data-src": job.clip.poster, decoding: "async" }) : h("span", { class: "cl-none" }, job.state_name),
        h("span", { class: "cl-caption" }, h("b", {}, job.mode_name), h("span", { dir: "auto" }, job.prompt || job.facts),
          h("span", {}, [job.seconds && span(job.seconds), date(job.created_ms)].filter(Boolean).join(" · ")))),
        h("button", { type: "button", class: "cl-star", "aria-pressed": String(job.starred), "data-star": job.id,
          "aria-label": `${words.gallery_star}: ${job.prompt || job.mode_name}`, onclick: () => star([job.id], !tiles.get(job.id).job.starred) },
        job.starred ? "★" : "☆"), ClapperDrafts.finish(job));
    };
    const show = (job) => {
      const known = tiles.get(job.id);
      if (known) {
        known.job = job;
        const button = known.node.querySelector(".cl-star");
        button.setAttribute("aria-pressed", String(job.starred));
        button.textContent = job.starred ? "★" : "☆";
        return known.node;
      }
      const node = made(job);
      tiles.set(job.id, { job, node });
      mark(node, job.id);
      sight.observe(node);
      return node;
    };
    const drop = (id) => {
      const tile = tiles.get(id);
      if (!tile) return;
      const next = tile.node.contains(document.activeElement) && (tile.node.nextElementSibling || tile.node.previousElementSibling);
      sight.unobserve(tile.node);
      tile.node.remove();
      tiles.delete(id);
      chosen.delete(id);
      if (next) next.querySelector(".cl-shot")?.focus({ preventScroll: true }); // it had the focus
    };
    const note = (text, press) => end.replaceChildren(...(text ? [press
      ? h("button", { type: "button", class: "cl-button", onclick: press }, text) : h("p", { class: "cl-meta" }, text)] : []));

    /* Ask for a page; a later question makes an earlier one worth nothing. */
    const page = async (from) => {
      const turn = asking = new AbortController(), query = wanted();
      if (from != null) query.set("before", from);
      const answer = await ask(`studio/history?${query}`, { signal: turn.signal }).catch(() => null);
      if (turn !== asking) return null;
      asking = null;
      if (stale) setTimeout(refresh);
      stale = false;
      if (answer && answer.ok) return answer.body;
      note(words.gallery_lost, () => (from == null ? again() : more()));
      return null;
    };
    const empty = () => note(tiles.size ? "" : [...wanted()].length ? words.gallery_none : words.studio_history_empty);
    const again = async () => {
      write();
      all.href = `studio/gallery.zip?${wanted()}`;
      const body = await page(null);
      if (!body) return;
      [...tiles.keys()].forEach(drop);
      before = body.before;
      grid.replaceChildren(...body.items.map(show));
      sorted();
      empty();
      tell();
      reach();
    };
    const more = async () => {
      if (asking || before == null) return;
      const body = await page(before);
      if (!body) return;
      before = body.before;
      grid.append(...body.items.filter(({ id }) => !tiles.has(id)).map(show));
      sorted();
      empty();
      tell();
      reach();
    };
    /* Only the first page is read again: what is new goes to the top, what is gone leaves, the rest stays where it is. */
    const refresh = async () => {
      if (asking) return void (stale = true); // after the answer that is on its way
      const body = await page(null);
      if (!body) return;
      const fresh = !tiles.size;
      const least = body.items.length ? body.items[body.items.length - 1].number : -1, there = new Set(body.items.map(({ id }) => id));
      [...tiles].forEach(([id, { job }]) => { if (job.number >= least && !there.has(id)) drop(id); });
      if (body.before == null) [...tiles.keys()].forEach((id) => { if (!there.has(id)) drop(id); });
      body.items.forEach((job) => { if (!tiles.has(job.id)) grid.prepend(show(job)); else show(job); });
      sorted();
      if (fresh) before = body.before;
      empty();
      tell();
      reach();
    };
    /* The newest first; nodes that stand right are not touched. */
    const sorted = () => {
      const order = [...tiles.entries()].sort(([, one], [, other]) => other.job.number - one.job.number);
      tiles.clear();
      order.forEach(([id, tile]) => tiles.set(id, tile));
      ClapperDrafts.arrange(grid, [...tiles.values()]);
    };
    const near = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && more(),
      { rootMargin: "800px 0px" });
    const reach = () => { near.unobserve(end); near.observe(end); }; // tells anew whether the end is in sight
    near.observe(end);

    document.addEventListener("clapper-history", () => refresh());
    const looked = new Set(); // finished jobs that the first page was read again for
    listen(({ state }) => {
      if (!state) return;
      tiles.forEach(({ node }, id) => node.querySelector(".cl-shot").setAttribute("aria-current", String(id === store.job)));
      const live = state.mine.map(({ id }) => id).join();
      const job = state.job && !state.job.live ? state.job.id : ""; // may have ended between two looks
      const absent = job && !looked.has(job) && !tiles.has(job);
      if (absent) looked.add(job);
      const elsewhere = newest !== null && newest !== state.newest; // by another tab or a program, perhaps over by now
      newest = state.newest;
      if (live === seen && !absent && !elsewhere) return;
      seen = live;
      refresh();
    });
    read();
    tell();
    again();
  };

  return { history, date };
})();
