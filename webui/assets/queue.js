/* The list of one's own jobs that wait or run. */
const ClapperQueue = (() => {
  const { h, put, span } = ClapperElements, { words, listen, speak, select } = ClapperState, { act } = ClapperActions;

  const queue = (element, props) => {
    speak(props.words);
    const list = element.querySelector("ul"), line = element.querySelector("p");
    listen(({ state }) => {
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

  return { queue };
})();
