/* What the clip on the stage was made from, and the clips that were made from it: a press goes there. */
const ClapperLineage = (() => {
  const { ask } = ClapperRequests, { h, put } = ClapperElements, { store, words, listen, speak, select } = ClapperState;

  const link = (job) => h("li", {}, h("button", { type: "button", class: "cl-relative", "data-job": job.id,
    "aria-label": `${job.made_by || job.mode_name}: ${job.prompt || job.state_name}`,
    onclick: () => select(job.id, { show: true }) },
  job.clip ? h("img", { alt: "", src: job.clip.poster, loading: "lazy" }) : h("span", { class: "cl-none" }, job.state_name),
  h("span", {}, job.made_by || job.mode_name)));
  const row = (title, jobs) => jobs.length && [h("h2", {}, title), h("ul", {}, ...jobs.map(link))];

  const lineage = (element, props) => {
    speak(props.words);
    const place = element.querySelector("section");
    let asked = "", shown = "";
    listen(async ({ state }) => {
      const job = state && state.job;
      const now = job ? JSON.stringify([job.id, job.state, state.mine.map(({ id }) => id)]) : "";
      if (now === asked) return; // a child appears as it is asked for, and again as it is ready
      asked = now;
      if (!job || job.id !== shown) place.hidden = true;
      if (!job) return;
      const answer = await ask(`studio/jobs/${job.id}/lineage`).catch(() => null);
      if (asked !== now) return;
      if (!answer || !answer.ok) { asked = ""; return; }
      const { parent, children } = answer.body;
      shown = job.id;
      place.hidden = !parent && !children.length;
      const around = [parent ? [parent] : [], children];
      put(place, [store.job, around.map((jobs) => jobs.map(({ id, clip, state_name: name }) => [id, clip, name]))],
        row(words.gallery_from, around[0]), row(words.gallery_children, around[1]));
    });
  };

  return { lineage };
})();
