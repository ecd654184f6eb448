/* Drafts that were asked for together, as one row: a press looks at one, its button finishes it, Again makes as many others. */
const ClapperDrafts = (() => {
  const { h, put } = ClapperElements, { words, select } = ClapperState, { button } = ClapperActions;
  const SHARED = new Set(["again", "quality"]); // what the row has for all of them, or for each
  const view = (job, action) => job.buttons.find((one) => one.action === action);

  const shot = (job, current) => h("button", { type: "button", class: "cl-relative", "data-job": job.id, "data-action": "draft",
    "aria-current": String(job.id === current), "aria-label": `${job.group_label}: ${job.headline}`, onclick: () => select(job.id) },
  job.clip ? h("img", { alt: "", src: job.clip.poster }) : h("span", { class: "cl-none", "data-part": "far" }, job.state_name),
  h("span", { class: "cl-number" }, String(job.group_number)));

  /* What is there for all of them: others like them, or, while one is made, an end to it. */
  const shared = (drafts, current) => {
    const again = drafts.find((job) => view(job, "again")), live = drafts.find((job) => job.live);
    if (!live) return again && button(again.id, view(again, "again"));
    return live.id !== current && view(live, "cancel") && button(live.id, view(live, "cancel"));
  };

  /** @param {HTMLElement} place @param {JobView[]} drafts of the job on the stage @param {string} current its id */
  const row = (place, drafts, current) => {
    put(place, [current, drafts.map((job) => [job.id, job.state, job.clip, job.buttons])], drafts.length > 0 && h("section",
      { class: "cl-drafts", "aria-label": words.studio_drafts },
      h("ul", {}, ...drafts.map((job) => h("li", {}, shot(job, current),
        view(job, "quality") && button(job.id, view(job, "quality"))))), shared(drafts, current)));
    drafts.forEach((job) => { // in place: a row made anew each second loses the focus
      const far = job.live && place.querySelector(`[data-job="${job.id}"] [data-part=far]`);
      if (far) far.textContent = job.fraction == null ? job.state_name : `${Math.round(job.fraction * 100)} %`;
    });
  };

  /* What is left for the job itself. */
  const own = (job) => (job.group ? job.buttons.filter(({ action }) => !SHARED.has(action)) : job.buttons);

  /* Let nodes be the children of a place, in this order; those that stand right are not touched. */
  const order = (place, nodes) => {
    let at = place.firstElementChild;
    nodes.forEach((node) => { if (node === at) at = at.nextElementSibling; else place.insertBefore(node, at); });
  };

  /**
   * Put the tiles of the gallery where they belong: drafts that were asked for together into one row.
   * @param {HTMLElement} grid @param {{job: any, node: HTMLElement}[]} tiles the newest first
   */
  const arrange = (grid, tiles) => {
    const rows = new Map(), shown = [];
    for (const tile of tiles) {
      const { group } = tile.job;
      if (!group) { shown.push(tile.node); continue; }
      if (!rows.has(group)) {
        const known = grid.querySelector(`:scope > [data-group="${group}"]`);
        rows.set(group, { node: known || h("li", { class: "cl-row", "data-group": group }, h("ul", {}), h("div", { class: "cl-buttons" })), tiles: [] });
        shown.push(rows.get(group).node);
      }
      rows.get(group).tiles.push(tile);
    }
    order(grid, shown);
    rows.forEach(({ node, tiles: drafts }) => {
      drafts.sort((one, other) => one.job.group_number - other.job.group_number);
      order(node.firstElementChild, drafts.map((draft) => draft.node));
      const jobs = drafts.map(({ job }) => job), again = jobs.find((job) => view(job, "again"));
      put(node.lastElementChild, again ? [again.id, again.buttons] : [], again && button(again.id, view(again, "again")));
    });
    grid.querySelectorAll(":scope > [data-group]").forEach((row_) => rows.has(row_.dataset.group) || row_.remove());
  };
  const finish = (job) => Boolean(job.group) && view(job, "quality") && button(job.id, view(job, "quality"));

  return { row, own, arrange, finish };
})();
