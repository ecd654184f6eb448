/* What is open stands in the address: the mode, the clip, and what other parts of the page name. Back goes back. */
const ClapperAddress = (() => {
  const listeners = new Set();

  /** @param {string} name @returns {string} what the address says of it, "" where nothing */
  const get = (name) => new URLSearchParams(location.search).get(name) || "";

  /**
   * Write values into the address; "" takes one out of it.
   * @param {Object<string, string>} values
   * @param {{replace?: boolean}} options replace: Back does not come back to what stood there
   */
  const set = (values, { replace = false } = {}) => {
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(values)) {
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    if (address.href === location.href) return;
    window.history[replace ? "replaceState" : "pushState"](window.history.state, "", address);
  };

  /* Be told when somebody goes back or forward. */
  const listen = (listener) => listeners.add(listener);
  addEventListener("popstate", () => listeners.forEach((listener) => listener()));

  /* Where one had scrolled to, after a reload: the page is as long as it was only once its parts are filled. */
  const PLACE = "clapper-scroll", PATIENCE = 5000; // ms
  addEventListener("pagehide", () => {
    try { sessionStorage.setItem(PLACE, JSON.stringify({ at: scrollY, of: location.search })); } catch { /* keeps nothing */ }
  });
  const resume = () => {
    let place = null;
    try { place = JSON.parse(sessionStorage.getItem(PLACE) || "null"); sessionStorage.removeItem(PLACE); } catch { /* keeps nothing */ }
    if (!place || !(place.at > 0) || place.of !== location.search) return;
    const end = new AbortController(), until = performance.now() + PATIENCE;
    for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(kind, () => end.abort(), { signal: end.signal });
    const step = () => {
      if (end.signal.aborted || performance.now() > until) return;
      scrollTo(0, place.at);
      if (Math.abs(scrollY - place.at) > 1) setTimeout(step, 100);
    };
    step();
  };
  resume();

  return { get, set, listen };
})();
