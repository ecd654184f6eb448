/* The stage: the job that one looks at, from the moment it is asked for to its clip. Its frame has the clip's shape
   all the time, so that nothing on the page moves when something is known. */
const ClapperStage = (() => {
  const { h, put, watched, span, card } = ClapperElements, { store, words, listen, speak, poll, select } = ClapperState;
  const { ask } = ClapperRequests, { button, ending } = ClapperActions, { player, tools } = ClapperPlayer;
  const { row, own } = ClapperDrafts;

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

  const download = (job) => job.clip && h("a", { class: "cl-button", href: job.clip.download, download: job.clip.name },
    words.studio_download);

  const MOMENT = 0.3; // s that each moment of a preview is seen
  const live = new Set(); // jobs that were seen while they were made
  const parents = {}; // views of them, by the job that came from them; null: there is none to see
  const parentOf = (job) => {
    const id = job.parent || store.parents[job.id];
    if (id && !(id in parents)) {
      parents[id] = null;
      ask(`studio/state?job=${encodeURIComponent(id)}`).then(({ ok, body }) => {
        if (ok && body.job && body.job.clip) { parents[id] = body.job; ClapperState.tell(); }
      }).catch(() => delete parents[id]);
    }
    return id ? parents[id] : null;
  };

  const times = (job) => [
    job.elapsed_s != null && `${words.studio_elapsed} ${span(job.elapsed_s)}`,
    job.ready_in_s != null && `${words.studio_ready_in} ${span(job.ready_in_s)}`,
  ].filter(Boolean).join(" · ");
  const progress = (job) => [bar(job.fraction), h("p", { class: "cl-meta cl-spread" },
    h("span", {}, [job.stage, job.step].filter(Boolean).join(" · ")), h("span", {}, times(job)))];

  const shape = (screen, { width, height }) => {
    screen.hidden = !(width && height);
    screen.style.aspectRatio = width && height ? `${width} / ${height}` : "";
  };
  /* Moments of the clip as it is becoming, one below the other in one picture, shown in turn and back again. A new
     picture takes the place of the one before once it is there; where it is in its turn stays. */
  const preview = (screen, { preview: shown }) => {
    const film = shown && screen.querySelector(".cl-preview");
    if (!film || film.dataset.src === shown.src) return;
    film.dataset.src = shown.src;
    const picture = new Image();
    picture.onload = () => {
      if (film.dataset.src !== shown.src) return; // a newer one is on its way
      film.style.backgroundImage = `url("${picture.src}")`;
      film.style.backgroundSize = `100% ${shown.moments * 100}%`;
      if (film.dataset.moments === String(shown.moments)) return;
      film.dataset.moments = shown.moments;
      film.style.backgroundPositionY = `${100 * Math.floor(shown.moments / 2) / Math.max(1, shown.moments - 1)}%`;
      film.style.animation = shown.moments > 1
        ? `cl-moments ${shown.moments * MOMENT}s steps(${shown.moments}, jump-none) infinite alternate` : "";
    };
    picture.src = shown.src;
  };

  const screenOf = (job) => {
    if (job.clip) return player(job, live.has(job.id));
    if (job.preview) return h("div", { class: "cl-preview", role: "img", "aria-label": words.studio_preview });
    return job.error && !job.calm ? card(job.error) : h("span", { class: "cl-clap", "aria-hidden": "true" });
  };

  /* What a model made of the prompt, as soon as it is known, and the two ways to have it otherwise. */
  const written = (job) => job.words && h("div", { class: "cl-words" }, h("p", { class: "cl-meta" }, words.studio_words),
    h("p", { class: "cl-prompt", dir: "auto" }, job.words), h("div", { class: "cl-buttons" },
      ...[["mine", {}], ["edit", { prompt: job.words }]].map(([which, change]) => h("button", { type: "button", class: "cl-button",
        "data-action": `words-${which}`, "data-job": job.id, onclick: () => ClapperReuse.reuse(job.id, change) }, words[`studio_words_${which}`]))));

  const buttons = (part, job, trigger) => put(part, [job.id, job.buttons, job.clip, job.ending && job.ending.action],
    job.ending ? ending(job) : [...own(job).slice(0, -1).map((view) => button(job.id, view, trigger)), download(job),
      ...own(job).slice(-1).map((view) => button(job.id, view, trigger))]);

  const show = (part, { job, drafts }, problem, trigger) => {
    if (job.live) live.add(job.id);
    const screen = part("player");
    shape(screen, job);
    put(part("head"), [job.id, job.headline, job.state],
      h("strong", {}, job.headline), h("span", { class: "cl-tag" }, job.mode_name));
    put(screen, [job.id, job.clip, job.error, Boolean(job.preview)], screenOf(job));
    preview(screen, job);
    const moving = job.live ? [job.fraction, job.stage, job.step, times(job)] : [];
    const parent = job.clip && parentOf(job);
    put(part("progress"), [job.id, moving, job.clip, parent && parent.id],
      job.live ? progress(job) : job.clip && tools(job, screen, parent));
    row(part("drafts"), drafts, job.id);
    put(part("error"), [job.id, problem], problem && problem.job === job.id && card(problem.error));
    put(part("facts"), [job.id, job.prompt, job.words, job.facts, job.charged, job.live],
      job.prompt && h("p", { class: "cl-prompt", dir: "auto" }, job.prompt), written(job),
      h("p", { class: "cl-meta" }, job.live ? job.facts : `${job.facts} · ${job.charged}`));
    buttons(part("buttons"), job, trigger);
    ClapperFeed.show(part("feed"), job);
    const left = job.ending && part("buttons").querySelector("[data-part=left]");
    if (left) left.textContent = span(job.ending.left_s);
  };

  /* What was just asked for: its frame is there before the server has answered. */
  const showSent = (part, sent) => {
    shape(part("player"), sent);
    put(part("head"), ["sent"], h("strong", {}, words.studio_busy));
    put(part("player"), ["sent"], h("span", { class: "cl-clap", "aria-hidden": "true" }));
    put(part("progress"), ["sent"], progress({ fraction: null }));
    /* as high as the job's own lines: what is below stays where it is, also when the answer comes late */
    put(part("facts"), ["sent"], ...["cl-prompt", "cl-meta"].map((line) => h("p", { class: line }, "\u00a0")));
    put(part("buttons"), ["sent"], h("span"));
    for (const name of ["error", "drafts", "feed"]) put(part(name), ["sent"]);
  };

  const leaving = new Set(); // that are being deleted: that they are gone is no news
  const stage = (element, props, trigger, watch, _events) => {
    speak(props.words);
    const part = (name) => element.querySelector(`[data-part=${name}]`);
    watched(watch, props, (value) => value && value.job && select(value.job, { show: true }));
    listen(({ state, lost, out, problem, unkept, sent, job: wanted }) => {
      if (unkept > 1) put(part("lost"), "unkept", homeless());
      else put(part("lost"), [lost, out], lost && h("p", { class: "cl-lost", role: "status" }, words.studio_lost),
        out && h("p", { class: "cl-lost", role: "status" }, words.studio_out, " ", h("a", { href: location.href }, words.studio_login_go)));
      if (!state) return;
      const { job, missing } = state;
      if (missing && leaving.has(wanted)) return void select("", { replace: true });
      part("empty").hidden = Boolean(job || sent || missing);
      part("job").hidden = !(job || sent);
      put(part("missing"), [missing], missing && !sent && card(missing));
      if (sent) return showSent(part, sent);
      if (!job) return;
      if (job.ending && job.ending.action === "delete") leaving.add(job.id);
      show(part, state, problem, trigger);
    });
    poll();
  };

  return { stage };
})();
