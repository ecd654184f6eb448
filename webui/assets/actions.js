/* What can be done with a job. */
const ClapperActions = (() => {
  const { post, insist } = ClapperRequests, { h } = ClapperElements, { store, words, poll, select } = ClapperState;

  const lost = () => ({ title: words.studio_lost, text: "" });
  const act = async (job, action) => {
    const { ok, body } = await post(`studio/jobs/${job}/${action}`).catch(() => ({ ok: false, body: {} }));
    if (ok) {
      store.problem = null;
      if (action === "delete") document.dispatchEvent(new Event("clapper-history"));
      select(body.job, true);
    } else {
      store.problem = { job, error: body.error || lost() };
      poll();
    }
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

  /* The last frame of a clip, as the picture of the mode that goes on from it. */
  const takeFrame = async (mode) => {
    const job = store.frame;
    const answer = await insist(() => post(`studio/jobs/${job}/last_frame`), { until: Date.now() + 60_000 });
    if (answer && answer.ok) return [ClapperForms.fileOf(answer.body), ...ClapperFrame.show(mode)];
    store.problem = { job, error: (answer && answer.body.error) || lost() };
    poll();
    return [];
  };

  return { act, button, takeFrame };
})();
