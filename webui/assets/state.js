/* What the page knows of jobs, queue and quota: asked again while anything moves, told to everybody who listens. */
/**
 * @typedef {{action: string, label: string, primary: boolean, price: string}} ButtonView
 * @typedef {{code: string, title: string, text: string, fix: string}} ErrorView
 * @typedef {{src: string, poster: string, download: string, name: string, alt: string}} ClipView
 * @typedef {{id: string, mode: string, mode_name: string, state: string, state_name: string, live: boolean,
 *   created_ms: number, prompt: string, facts: string, headline: string, fraction: number | null, stage: string,
 *   step: string, ready_in_s: number | null, charged: string, clip: ClipView | null, error: ErrorView | null,
 *   preview: {src: string, moments: number} | null,
 *   group: string, group_number: number, group_size: number, group_label: string,
 *   buttons: ButtonView[], width: number, height: number, elapsed_s: number | null, calm: boolean,
 *   ending: {action: string, text: string, left_s: number} | null}} JobView as webui/views/jobs.py makes them
 * @typedef {{job: JobView | null, mine: JobView[], line: string, quota: {text: string, share: number}, model: string,
 *   account: string, kept: boolean, operator: boolean, missing: ErrorView | null, drafts: JobView[], newest: number}} StateView
 * @typedef {{job: string, state: StateView | null, lost: boolean, out: boolean, unkept: number, frame?: string,
 *   parents: Object<string, string>, sent: {width: number, height: number} | null,
 *   problem?: {job: string, error: ErrorView} | null}} Store
 */
const ClapperState = (() => {
  const { ask } = ClapperRequests, { WIDE } = ClapperFrame;
  /** @type {Store} */
  const store = { job: ClapperAddress.get("job"), state: null, lost: false, out: false, unkept: 0, parents: {}, sent: null };
  /** @type {Set<(store: Store) => void>} */
  const listeners = new Set();
  /** @type {Object<string, string>} */
  const words = {}; // each part of the page brings the words that it places
  let timer = 0, asking = false, again = false, failures = 0;

  const tell = () => listeners.forEach((listener) => listener(store));

  const HIDDEN = 20_000, HANGS = 20_000, CALM = 2; // ms, ms; requests that fail before it is said
  const moves = (job) => job.live || job.ending;
  const live = () => store.state && (store.state.mine.length || (store.state.job && moves(store.state.job)));

  const poll = async () => {
    again = asking; // what is asked now may not be what is wanted any more
    if (asking) return;
    clearTimeout(timer);
    asking = true;
    let wait = 8000;
    const wanted = store.job;
    try {
      const { ok, status, body } = await ask(`studio/state?job=${encodeURIComponent(wanted)}`, { signal: AbortSignal.timeout(HANGS) });
      ClapperForms.settle();
      store.out = status === 401; // the sign-in is over
      if (!ok && !store.out) throw new Error("state");
      failures = 0;
      store.lost = false;
      if (store.out) store.unkept = 0;
      else if (wanted !== store.job) again = true;
      else store.state = body;
      if (store.sent && store.state && store.state.job && store.state.job.id === store.sent.job) store.sent = null;
      if (!store.out) store.unkept = body.kept ? 0 : store.unkept + 1;
      if (!store.job && body.job) store.job = body.job.id;
      if (live()) wait = 1000;
      if (store.unkept === 1) wait = 0; // its answer brought a cookie: does the next request carry it?
    } catch {
      failures += 1;
      store.lost = failures >= CALM || !navigator.onLine; // one lost request is no lost connection
      wait = 2000;
    }
    asking = false;
    tell();
    if (again) wait = 0;
    // a GPU is borrowed in the name of a page that still asks, also from behind another tab
    if (!document.hidden || live()) timer = setTimeout(poll, document.hidden ? HIDDEN : wait);
  };
  document.addEventListener("visibilitychange", () => document.hidden || poll());
  addEventListener("online", poll);
  addEventListener("offline", poll);

  document.addEventListener("clapper-sent", ({ detail }) => {
    store.sent = detail;
    tell();
  });

  /**
   * Put a job on the stage, and into the address.
   * @param {string} job "" for the one that runs, or else the newest
   * @param {{show?: boolean, replace?: boolean}} options show: have it in sight; replace: Back does not lead here
   */
  const select = (job, { show = false, replace = false } = {}) => {
    store.job = job || "";
    ClapperAddress.set({ job: store.job }, { replace });
    poll();
    if (show && innerWidth < WIDE) {
      const stage = document.getElementById("stage");
      if (stage) stage.scrollIntoView({ behavior: calm() ? "auto" : "smooth", block: "start" });
    }
  };
  ClapperAddress.listen(() => {
    store.job = ClapperAddress.get("job");
    poll();
  });
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  const listen = (listener) => listeners.add(listener);
  const speak = (more) => Object.assign(words, more);
  return { store, words, listen, speak, tell, poll, select };
})();
