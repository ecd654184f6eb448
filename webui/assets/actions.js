/* What can be done with a job: each button is one wish, however often it is pressed or its request is sent. */
const ClapperActions = (() => {
  const { PATIENCE, post, key, insist } = ClapperRequests, { h } = ClapperElements, { store, words, poll, select } = ClapperState;
  const SETTLE = 500; // ms: new buttons stay out of the way of a second click
  const ENDS = new Set(["cancel", "delete"]); // what can be taken back

  const lost = () => ({ title: words.studio_lost, text: "" });

  /* What makes a clip and is not answered yet is the same wish when it is pressed again, and is sent again by the next page. */
  const STORE = "clapper-presses", FRESH = 600_000; // ms
  let unanswered = {};
  try { unanswered = JSON.parse(sessionStorage.getItem(STORE) || "{}"); } catch { /* a browser that keeps nothing */ }
  const wish = (press, action) => {
    const before = unanswered[press];
    if (ENDS.has(action) || action === "undo") return key();
    unanswered[press] = before && Date.now() - before.at < FRESH ? before : { key: key(), at: Date.now() };
    keep();
    return unanswered[press].key;
  };
  const keep = () => { try { sessionStorage.setItem(STORE, JSON.stringify(unanswered)); } catch { /* keeps nothing */ } };
  setTimeout(() => Object.entries(unanswered).forEach(([press, { at }]) => { // once all of the script is there
    if (Date.now() - at < FRESH) void act(...press.split(" "));
  }));

  const busy = new Set(); // presses that are not answered yet
  /**
   * @param {string} job @param {string} action
   * @param {{now?: boolean}} options now: what ends a job cannot be taken back
   */
  const act = async (job, action, { now = false } = {}) => {
    const press = `${job} ${action}`;
    if (busy.has(press)) return;
    busy.add(press);
    mark(job, action, true);
    const body = { key: wish(press, action), later: ENDS.has(action) && !now };
    const answer = await insist(() => post(`studio/jobs/${job}/${action}`, body), { until: Date.now() + PATIENCE });
    busy.delete(press);
    if (answer) { delete unanswered[press]; keep(); }
    mark(job, action, false);
    if (answer && answer.ok) {
      store.problem = null;
      const made = answer.body.job;
      if (made && made !== job) store.parents[made] = job;
      if (ENDS.has(action) || action === "undo") document.dispatchEvent(new Event("clapper-history"));
      if (action === "delete" && now) select("", { show: true });
      else if (made !== job) settle(() => select(made, { show: true }));
      else poll();
    } else {
      store.problem = { job, error: (answer && answer.body.error) || lost() };
      poll();
    }
  };

  const mark = (job, action, pressed) => document.querySelectorAll(`[data-action="${action}"][data-job="${job}"]`)
    .forEach((node) => node.setAttribute("aria-busy", String(pressed)));

  /* What takes the place of a pressed button is not meant by the second click of an eager hand. */
  const settle = (change) => {
    document.documentElement.classList.add("cl-settling");
    change();
    setTimeout(() => document.documentElement.classList.remove("cl-settling"), SETTLE);
  };

  const button = (job, view, trigger) => h("button", {
    type: "button", class: view.primary ? "cl-button cl-primary" : "cl-button", "data-action": view.action, "data-job": job,
    "aria-busy": String(busy.has(`${job} ${view.action}`)),
    onclick: () => {
      if (view.action === "last_frame") { store.frame = job; trigger("use_frame", {}); }
      else if (view.action === "edit") ClapperReuse.reuse(job);
      else act(job, view.action);
    },
  }, h("span", {}, view.label), view.price && h("small", {}, ` · ${view.price}`));

  /* A cancel or delete that can be taken back for some seconds. The server does it, also if this page is closed. */
  const ending = (job) => h("div", { class: "cl-ending", role: "status" },
    h("span", {}, job.ending.text), h("span", { class: "cl-meta", "data-part": "left" }),
    h("button", { type: "button", class: "cl-button cl-primary", "data-action": "undo", "data-job": job.id,
      onclick: () => act(job.id, "undo") }, words.studio_undo),
    h("button", { type: "button", class: "cl-button", "data-action": "now", "data-job": job.id,
      onclick: () => act(job.id, job.ending.action, { now: true }) }, words.studio_end_now));

  /* The last frame of a clip, as the picture of the mode that goes on from it. */
  const takeFrame = async (mode) => {
    const job = store.frame;
    const answer = await insist(() => post(`studio/jobs/${job}/last_frame`), { until: Date.now() + PATIENCE });
    if (answer && answer.ok) return [ClapperForms.fileOf(answer.body), ...ClapperFrame.show(mode)];
    store.problem = { job, error: (answer && answer.body.error) || lost() };
    poll();
    return [];
  };

  return { act, button, ending, takeFrame };
})();
