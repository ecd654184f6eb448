/* What the page knows of jobs, queue and quota: asked again while anything moves, told to everybody who listens. */
/**
 * @typedef {{action: string, label: string, primary: boolean}} ButtonView
 * @typedef {{code: string, title: string, text: string, fix: string}} ErrorView
 * @typedef {{src: string, poster: string, download: string, name: string, alt: string}} ClipView
 * @typedef {{id: string, mode: string, mode_name: string, state: string, state_name: string, live: boolean,
 *   created_ms: number, prompt: string, facts: string, headline: string, fraction: number | null, stage: string,
 *   step: string, ready_in_s: number | null, charged: string, clip: ClipView | null, error: ErrorView | null,
 *   buttons: ButtonView[]}} JobView as webui/views/jobs.py makes them
 * @typedef {{job: JobView | null, mine: JobView[], line: string, quota: {text: string, share: number}, model: string,
 *   account: string, kept: boolean, operator: boolean}} StateView
 * @typedef {{job: string, state: StateView | null, lost: boolean, unkept: number, frame?: string,
 *   problem?: {job: string, error: ErrorView} | null}} Store
 */
const ClapperState = (() => {
  const { ask } = ClapperRequests, { WIDE } = ClapperFrame;
  /** @type {Store} */
  const store = { job: new URLSearchParams(location.search).get("job") || "", state: null, lost: false, unkept: 0 };
  /** @type {Set<(store: Store) => void>} */
  const listeners = new Set();
  /** @type {Object<string, string>} */
  const words = {}; // each part of the page brings the words that it places
  let timer = 0, asking = false;

  const tell = () => listeners.forEach((listener) => listener(store));

  const HIDDEN = 20_000; // ms
  const live = () => store.state && (store.state.mine.length || (store.state.job && store.state.job.live));

  const poll = async () => {
    if (asking) return;
    clearTimeout(timer);
    asking = true;
    let wait = 8000;
    try {
      const { ok, body } = await ask(`studio/state?job=${encodeURIComponent(store.job)}`);
      if (!ok) throw new Error("state");
      store.lost = false;
      store.state = body;
      store.unkept = body.kept ? 0 : store.unkept + 1;
      if (!store.job && body.job) store.job = body.job.id;
      if (live()) wait = 1000;
      if (store.unkept === 1) wait = 0; // its answer brought a cookie: does the next request carry it?
    } catch {
      store.lost = true;
      wait = 2000;
    }
    asking = false;
    tell();
    // a GPU is borrowed in the name of a page that still asks, also from behind another tab
    if (!document.hidden || live()) timer = setTimeout(poll, document.hidden ? HIDDEN : wait);
  };
  document.addEventListener("visibilitychange", () => document.hidden || poll());
  addEventListener("online", poll);

  /* Put a job on the stage. */
  const select = (job, show) => {
    store.job = job || "";
    poll();
    if (show && innerWidth < WIDE) {
      const stage = document.getElementById("stage");
      if (stage) stage.scrollIntoView({ behavior: calm() ? "auto" : "smooth", block: "start" });
    }
  };
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  const listen = (listener) => listeners.add(listener);
  const speak = (more) => Object.assign(words, more);
  return { store, words, listen, speak, poll, select };
})();
