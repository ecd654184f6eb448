/* The list of one's own jobs that wait or run. */
const ClapperQueue = (() => {
  const { h, put, span } = ClapperElements, { words, listen, speak, select } = ClapperState, { act } = ClapperActions;

  /* Cancel, or take that back. */
  const end = (job) => {
    const action = job.ending ? "undo" : "cancel", label = job.ending ? words.studio_undo : words.cancel_label;
    return h("button", { type: "button", class: "cl-button", "data-action": action, "data-job": job.id,
      "aria-label": `${label}: ${job.mode_name}`, onclick: () => act(job.id, action) }, label);
  };

  /* What a job was given, small. */
  const given = (job) => job.inputs.length > 0 && h("span", { class: "cl-given" }, ...job.inputs.map(({ src, label }) =>
    (src ? h("img", { src, alt: label, title: label }) : h("span", { role: "img", "aria-label": label, title: label }, "♪"))));

  /* Drafts that were asked for together are one line: they end together. */
  const rows = (jobs) => jobs.filter((job, at) => !job.group || jobs.findIndex(({ group }) => group === job.group) === at);

  const queue = (element, props) => {
    speak(props.words);
    const list = element.querySelector("ul"), line = element.querySelector("p");
    listen(({ state }) => {
      if (!state) return;
      const mine = rows(state.mine);
      line.textContent = state.line;
      put(list, mine.map((job) => [job.id, job.headline, job.ending && job.ending.action]),
        mine.length ? mine.map((job) => h("li", {},
          h("button", { type: "button", class: "cl-link", "data-job": job.id, onclick: () => select(job.id, { show: true }) },
            h("span", { class: "cl-tag" }, job.group ? `${job.mode_name} ×${job.group_size}` : job.mode_name), given(job), h("span", { class: "cl-clip", dir: "auto" }, job.prompt || job.facts),
            h("span", {}, job.ending ? job.ending.text : job.headline)),
          h("span", { class: "cl-meta" }),
          end(job)))
          : h("li", { class: "cl-meta" }, words.studio_queue_empty));
      list.querySelectorAll(".cl-link + .cl-meta").forEach((time, at) => {
        const left = mine[at].ready_in_s; // in place: a list made anew each second loses the focus
        time.textContent = left == null ? "" : span(left);
      });
    });
  };

  return { queue };
})();
