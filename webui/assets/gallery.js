/* The gallery: all of one's jobs, the newest first. */
const ClapperGallery = (() => {
  const { ask } = ClapperRequests, { h, refocus } = ClapperElements;
  const { store, words, listen, speak, select } = ClapperState;

  const history = (element, props) => {
    speak(props.words);
    const grid = element.querySelector("ul"), more = element.querySelector("button");
    let live = "", before = null, turn = 0;
    const looked = new Set(); // finished jobs that the list was read again for
    const item = (job) => h("li", {}, h("button", { type: "button", class: "cl-shot", "data-job": job.id,
      "aria-current": String(job.id === store.job),
      "aria-label": `${words.studio_open}: ${job.mode_name}, ${job.prompt || job.facts}`,
      onclick: () => { select(job.id); document.getElementById("stage").scrollIntoView({ block: "start" }); } },
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
    listen(({ state }) => {
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

  return { history };
})();
