/* Elements of the page, made and changed with care. Text from people is only ever set as text, never as markup. */
const ClapperElements = (() => {
  /**
   * Make an element. An attribute that begins with "on" is a listener; false and null leave it out.
   * @param {string} tag
   * @param {Object<string, any>} attributes
   * @param {...(Node | string | false | null | undefined)} children
   */
  const h = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value === true) node.setAttribute(key, "");
      else if (value !== false && value != null) node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child != null && child !== false));
    return node;
  };

  /* Put children into node, but only if what they show differs: keeps focus and playing videos. */
  const put = (node, key, ...children) => {
    const mark = JSON.stringify(key);
    if (node.dataset.shown === mark) return;
    node.dataset.shown = mark;
    const held = node.contains(document.activeElement) ? document.activeElement.dataset : null;
    node.replaceChildren(...children.flat().filter((child) => child != null && child !== false));
    if (held) refocus(node, held);
  };

  const ENDS = ["cancel", "delete", "undo", "now"];
  /* What was pressed may be gone: the next Tab goes on from the same button, or else from its card. */
  const refocus = (node, held) => {
    const of = (actions) => [...node.querySelectorAll("button, a")]
      .find(({ dataset }) => actions.includes(dataset.action) && dataset.job === held.job);
    const same = of([held.action]) || (ENDS.includes(held.action) && of(ENDS)); // a cancel becomes its undo
    const region = node.closest("section, .cl-section") || node;
    if (!same) region.tabIndex = -1;
    (same || region).focus({ preventScroll: true });
  };

  /* Put children into node; a focus that was in it goes on to next, or else stays at the place, or around it. */
  const swap = (node, children, next = null) => {
    const held = node.contains(document.activeElement);
    node.replaceChildren(...children);
    if (!held) return;
    let place = next || node;
    while (!place.checkVisibility()) place = place.parentElement;
    if (place !== next) place.tabIndex = -1;
    place.focus({ preventScroll: true });
  };

  /* Read props now and whenever they change. */
  const watched = (watch, props, use) => {
    watch("value", () => use(props.value));
    if (props.value) use(props.value);
  };

  /* A number with the mark of the reader's language, and as many decimals as it has, up to some. */
  const number = (value, most = 1, least = 0) =>
    value.toLocaleString(document.documentElement.lang || "en", { maximumFractionDigits: most, minimumFractionDigits: least });

  /* Seconds as people say them. */
  const span = (seconds) => {
    const whole = Math.max(1, Math.round(seconds));
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
    return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
  };

  /* A problem: what, why, and the click that mends it. */
  const card = (error, extra) => h("div", { class: "cl-error", role: "alert" },
    h("strong", {}, error.title), h("p", {}, error.text), extra);

  return { h, put, refocus, swap, watched, number, span, card };
})();
