/* The stage: the job that one looks at, from the queue to its clip. */
const ClapperStage = (() => {
  const { h, put, watched, span, card } = ClapperElements, { words, listen, speak, poll, select } = ClapperState;
  const { button } = ClapperActions;

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
    speak(props.words);
    const part = (name) => element.querySelector(`[data-part=${name}]`);
    watched(watch, props, (value) => value && value.job && select(value.job, true));
    listen(({ state, lost, problem, unkept }) => {
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

  return { stage };
})();
