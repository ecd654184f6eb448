/* The pictures of a clip on a line of its length: dragged, or moved by keys, they say when each is reached. Where they
   stand is the text of the field for times, so what is typed there moves them, too. */
const ClapperTimeline = (() => {
  const { h, number } = ClapperElements, { said } = ClapperForms;
  const { write, even, cents, look, assign, among } = ClapperTimes;
  const STEP = 0.1, STRIDE = 1; // s: an arrow; Page up and down
  const WIDE = 48, SETTLED = 400; // px of a picture; ms after the last key
  const fills = {}; // what Gradio writes into the fields next, by form

  const timeline = (element, props, trigger, _events) => {
    /** @type {Line} */
    const line = props.line, root = element.firstElementChild, nodes = new Map();
    let stops = [], length = 0, settling = 0, dragged = null;
    const track = h("div", { class: "cl-track", role: "group", "aria-label": said("studio_times"), dir: "ltr" });
    const picker = h("input", { type: "file", multiple: true, accept: props.accept, "aria-label": said("studio_times_add"),
      onchange: () => { void ClapperPlacement.place([...picker.files]); picker.value = ""; } });
    const count = h("small", { class: "cl-meta" });
    const add = h("label", { class: "cl-choose cl-add" }, picker, h("span", {}, said("studio_times_add")), count);
    const spread = h("button", { type: "button", class: "cl-button", onclick: () => set(even(stops.length, length), "") }, said("studio_times_even"));
    const fit = h("button", { type: "button", class: "cl-button cl-fix", onclick: () => {
      const most = Math.max(length, ...stops.map(({ at }) => at));
      set(stops.map(({ at }) => at * length / most));
    } }, said("studio_times_fit"));
    const hint = h("p", { class: "cl-meta", id: `hint-times-${line.form}` }, said("studio_times_hint"));
    root.className = "cl-timeline";
    root.append(h("h2", {}, said("studio_times")), track, hint, h("div", { class: "cl-adding" }, add, spread, fit));

    /**
     * Write where the pictures stand into the form.
     * @param {{text?: string, shares?: number[] | null}} what text: of the times, "" for none; shares: of the length, null where somebody typed them
     */
    const commit = ({ text = write(stops), shares = stops.map(({ at }) => (length ? at / length : 0)) } = {}) => {
      clearTimeout(settling);
      settling = 0;
      const held = ClapperForms.held(line.form), before = new Set([...look(line).stops, ...stops].map(({ role }) => role));
      stops = assign(line, stops);
      const files = Object.fromEntries(stops.map(({ role, file }) => [role, file])), values = { [line.times]: text };
      for (const role of new Set([...before, ...Object.keys(files)])) if ((files[role] || null) !== (held[role] || null)) values[role] = files[role] || null;
      fills[line.form] = values;
      ClapperForms.place(line.form, values, text && shares ? { text, shares } : null);
      trigger("fill", {});
    };
    const set = (times, text) => {
      stops = stops.map((stop, at) => ({ ...stop, at: times[at] }));
      commit(text === undefined ? {} : { text });
      draw();
    };

    const move = (stop, to) => {
      ClapperTimes.move(stops, stop, to, length);
      draw();
    };
    const remove = (stop) => {
      const at = stops.indexOf(stop), next = stops[at + 1] || stops[at - 1], { text } = look(line);
      stops = stops.filter((other) => other !== stop);
      commit(text && stops.length ? {} : { text: "" });
      if (!text) stops = look(line).stops; // those that stay are spread evenly
      draw();
      (next ? nodes.get(next.key) : picker).focus();
    };
    const STEPS = { ArrowRight: STEP, ArrowUp: STEP, ArrowLeft: -STEP, ArrowDown: -STEP, PageUp: STRIDE, PageDown: -STRIDE };
    const press = (event, stop) => {
      const { key } = event, by = STEPS[key], to = { Home: 0, End: length }[key];
      if (event.ctrlKey || event.metaKey || event.altKey || !(by || to !== undefined || key === "Delete" || key === "Backspace")) return;
      event.preventDefault();
      if (!by && to === undefined) return void remove(stop);
      move(stop, by ? stop.at + (event.shiftKey ? Math.sign(by) * STRIDE : by) : to);
      clearTimeout(settling);
      settling = setTimeout(commit, SETTLED);
    };
    const drag = (event, stop, node) => {
      if (event.button) return;
      const start = stop.at, scale = length / Math.max(1, track.clientWidth - WIDE);
      const follow = ({ clientX }) => {
        if (!dragged && Math.abs(clientX - event.clientX) < 4) return; // a trembling hand
        dragged = stop;
        move(stop, start + (clientX - event.clientX) * scale);
      };
      const end = () => {
        node.removeEventListener("pointermove", follow);
        if (!dragged) return;
        dragged = null;
        commit();
        draw();
      };
      event.preventDefault();
      node.focus();
      node.setPointerCapture(event.pointerId);
      node.addEventListener("pointermove", follow);
      node.addEventListener("lostpointercapture", end, { once: true });
    };

    const make = (key) => {
      const stopOf = () => stops.find((stop) => stop.key === key);
      const node = h("div", { class: "cl-stop", role: "slider", tabindex: "0", "aria-valuemin": "0", "aria-describedby": hint.id,
        onkeydown: (event) => press(event, stopOf()), onpointerdown: (event) => drag(event, stopOf(), node), onblur: () => settling && commit() },
      h("img", { alt: "", draggable: "false", onerror: ({ target }) => { target.hidden = true; } }), h("span", {}));
      nodes.set(key, node);
      return node;
    };
    /* Pictures that would lie upon each other stand in a second row. */
    const places = () => {
      const room = Math.max(0, (track.clientWidth || 300) - WIDE), ends = [-WIDE, -WIDE];
      return stops.map(({ at }) => {
        const left = length ? Math.min(1, at / length) * room : 0, row = left >= ends[0] || ends[0] <= ends[1] ? 0 : 1;
        ends[row] = left + WIDE;
        return { left, row };
      });
    };
    const draw = () => {
      const keys = new Set(stops.map(({ key }) => key)), at = places(), focused = document.activeElement;
      for (const [key, node] of nodes) if (!keys.has(key)) { node.remove(); nodes.delete(key); }
      stops.forEach((stop, turn) => {
        const node = nodes.get(stop.key) || make(stop.key), [picture, time] = node.children;
        if (picture.getAttribute("src") !== stop.file.url) picture.src = stop.file.url;
        node.style.left = `${at[turn].left}px`;
        node.dataset.row = at[turn].row;
        node.dataset.late = String(stop.at > length);
        time.textContent = `${number(stop.at, 2)} s`;
        const name = stop.file.orig_name ? `: ${stop.file.orig_name}` : "";
        node.setAttribute("aria-label", `${said("studio_times_picture")} ${turn + 1} / ${stops.length}${name}`);
        for (const [what, value] of [["max", length], ["now", stop.at], ["text", time.textContent]]) node.setAttribute(`aria-value${what}`, value);
        if (!dragged && track.children[turn] !== node) track.insertBefore(node, track.children[turn] || null); // a moved node loses its pointer
        else if (!node.isConnected) track.append(node);
      });
      if (focused !== document.activeElement && track.contains(focused)) focused.focus();
      track.dataset.rows = String(1 + Math.max(0, ...at.map(({ row }) => row)));
      root.dataset.full = String(stops.length > 0);
      count.textContent = `${stops.length} / ${line.roles.length}`;
      picker.disabled = stops.length >= line.roles.length;
      spread.hidden = stops.length < 2;
      fit.hidden = !stops.some((stop) => stop.at > length);
    };

    /* The form has changed. Times that were placed here go along with its length, and all of them with a picture that came or
       went; else what was typed stays as it is. */
    const adapt = () => {
      const now = look(line), placed = ClapperForms.placed(line.form, now.text), before = stops, was = length;
      const known = new Map(before.map(({ key, at }) => [key, at]));
      length = now.length || was;
      if (dragged || settling) {
        stops = among(now.stops, known, length).sort((a, b) => a.at - b.at).map((stop) => (dragged && dragged.key === stop.key ? Object.assign(dragged, stop) : stop));
      } else if (placed && now.fits && was && was !== length) {
        stops = now.stops.map((stop, at) => ({ ...stop, at: cents(placed.shares[at] * length) }));
        commit({ shares: placed.shares });
      } else if (now.times && now.times.length && !now.fits && before.length === now.times.length && now.stops.length !== before.length) {
        stops = among(now.stops, known, length);
        commit(stops.length ? { shares: placed ? undefined : null } : { text: "" });
      } else {
        ({ stops } = now);
      }
      draw();
    };
    document.addEventListener("clapper-form", ({ detail }) => detail === line.form && adapt());
    document.addEventListener("clapper-settle", () => settling && commit());
    new ResizeObserver(draw).observe(track);
    adapt();
  };

  /* What Gradio writes into the fields, in the order of the form. */
  const timed = (form) => ClapperForms.fill([form], form, fills[form] || {});

  return { timeline, timed };
})();
