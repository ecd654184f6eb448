/* What people put into the forms: kept in this tab at every change, there again after any reload, and sent to the server.
   Which fields there are is read from the page's own table (the property `kept` of a part of each form), never listed here. */
const ClapperForms = (() => {
  const { PATIENCE, post, key, insist } = ClapperRequests;
  const STORE = "clapper-forms", FRESH = 600_000, LEFT = 1500; // ms: a Generate may be sent again; before forms are left
  const SKIP = undefined; // an output that stays as it is
  const parts = () => (window.gradio_config || {}).components || [];
  const tables = {}, kinds = {}; // by name of the form; by id of the field
  const starts = {}, parted = {}; // what a field begins with, and its part of the page; by id
  let words = {};

  /* Whose page this is: a mark beside the sign-in, gone after signing out. What an account typed is for nobody else. */
  const who = () => (document.cookie.match(/(?:^|; )clapper_who=([^;]*)/) || [])[1] || "";
  let started = who();
  const nothing = () => ({ who: who(), forms: {}, uploads: {}, notes: {}, asked: {}, carried: {}, placed: {} });
  const load = () => {
    try {
      const found = JSON.parse(sessionStorage.getItem(STORE) || "null");
      if (found && found.forms && (!found.who || found.who === who())) return { ...nothing(), ...found };
      sessionStorage.removeItem(STORE);
    } catch { /* a browser that keeps nothing */ }
    return nothing();
  };
  /* A tab of somebody signed in that knows nothing yet goes on with what another device left. */
  const elsewhere = () => {
    if (!who() || sessionStorage.getItem(STORE)) return {};
    const request = new XMLHttpRequest();
    request.open("GET", new URL("studio/kept", document.baseURI), false); // Gradio builds the page right after this
    try { request.send(); return JSON.parse(request.responseText).forms || {}; } catch { return {}; }
  };
  const kept = load();
  try { kept.forms = { ...elsewhere(), ...kept.forms }; } catch { /* a browser that keeps nothing */ }
  /* Forms that changed here: what another tab left of the others stays. */
  const left = new Map(Object.entries(kept.forms).map(([name, form]) => [name, JSON.stringify(form)]));
  let leaving = 0;
  const leave = () => {
    clearTimeout(leaving);
    const changed = Object.entries(kept.forms).filter(([name, form]) => JSON.stringify(form) !== left.get(name));
    if (!started || who() !== started || !changed.length) return;
    changed.forEach(([name, form]) => left.set(name, JSON.stringify(form)));
    post("studio/kept", { forms: Object.fromEntries(changed) }).catch(() => changed.forEach(([name]) => left.delete(name)));
  };
  addEventListener("visibilitychange", () => (document.hidden ? leave() : settle()));
  addEventListener("online", () => leave());
  const save = () => {
    if (started && who() !== started) return void forget(true);
    kept.who = who();
    try { sessionStorage.setItem(STORE, JSON.stringify(kept)); } catch { /* a browser that keeps nothing */ }
    clearTimeout(leaving);
    if (started) leaving = setTimeout(leave, LEFT);
  };
  /* Forget all of it, also what stands in the page. */
  const forget = (reload) => {
    Object.assign(kept, nothing());
    try { sessionStorage.removeItem(STORE); } catch { /* a browser that keeps nothing */ }
    if (reload) location.reload();
  };
  /* Another tab may have signed out, or in. */
  const settle = () => {
    if (started && who() !== started) forget(true);
    started ||= who();
  };
  addEventListener("pageshow", ({ persisted }) => persisted && settle());

  /* Whether a value that was kept can stand in the field: another version of the page may offer others. */
  const fits = ({ props }, field, value) => {
    if (field.file) return Boolean(value && typeof value.path === "string");
    if (props.choices && !props.allow_custom_value) return props.choices.some((choice) => (Array.isArray(choice) ? choice[1] : choice) === value);
    if (typeof value === "number") return !(value < props.minimum || value > props.maximum);
    return value === null || typeof value === "string" || typeof value === "boolean";
  };

  /* Put what was kept into the configuration that Gradio is about to build the page from. */
  const begin = () => {
    const named = new Map(parts().map((part) => [part.props.elem_id, part]));
    for (const { props: { props } } of parts()) {
      if (!props || !props.kept) continue;
      const table = tables[props.kept.name] = props.kept, values = kept.forms[table.name] || {};
      words = { ...words, ...props.words };
      for (const field of table.fields) {
        const part = named.get(field.id);
        kinds[field.id] = part && part.type;
        if (part) [parted[field.id], starts[field.id]] = [part, part.props.value];
        if (part && field.name in values && fits(part, field, values[field.name])) part.props.value = values[field.name];
      }
      for (const { id, shown } of table.fields) {
        if (!shown) continue;
        const ruler = named.get(table.fields.find(({ name }) => name === shown[0]).id);
        named.get(id).props.visible = shown[1].includes(ruler.props.value);
      }
    }
    for (const id of Object.keys(kept.uploads)) note(id, "cut");
    kept.uploads = {};
  };

  const named = (name, values) => Object.fromEntries(tables[name].fields.map((field, at) => [field.name, values[at] ?? null]));
  /* What a part of the page put into a form counts at once, also while Gradio still tells of what stood there. */
  const TOLD = 3000; // ms that this may take
  const ahead = {}; // by form
  const place = (name, values, mark) => {
    kept.forms[name] = { ...kept.forms[name], ...values };
    ahead[name] = { values: { ...(ahead[name] || {}).values, ...values }, until: Date.now() + TOLD };
    kept.placed[name] = mark;
    save();
  };
  const caughtUp = (name, now) => {
    const { values, until } = ahead[name] || { values: {}, until: 0 };
    for (const [field, value] of Object.entries(values)) {
      if (Date.now() > until || JSON.stringify(now[field]) === JSON.stringify(value)) delete values[field];
    }
    return { ...now, ...values };
  };
  /* How the text of times was placed, if it still is that text. */
  const placed = (name, text) => (kept.placed[name] && kept.placed[name].text === text ? kept.placed[name] : null);
  const sends = (name, field) => Boolean(kept.uploads[(fileFields(name).find((one) => one.name === field) || {}).id]);

  const keep = (name, values) => {
    const now = caughtUp(name, named(name, values)), before = kept.forms[name] || {};
    for (const field of tables[name].fields) {
      if (!field.file || !now[field.name] || JSON.stringify(now[field.name]) === JSON.stringify(before[field.name])) continue;
      delete kept.uploads[field.id];
      unnote(field.id);
    }
    kept.forms[name] = now;
    save();
    document.dispatchEvent(new CustomEvent("clapper-form", { detail: name }));
    return kept.forms[name];
  };
  /* What is typed is kept at once: Gradio tells of it a moment later, which a page that is left does not live to see. */
  const READ = { textbox: ({ value }) => value, number: ({ value }) => value && Number(value), slider: ({ value }) => Number(value) };
  document.addEventListener("input", ({ target }) => {
    for (const { name, fields } of Object.values(tables)) for (const field of fields) {
      const read = READ[kinds[field.id]];
      if (!read || !target.closest || !target.closest(`[id="${field.id}"]`)) continue;
      kept.forms[name] = { ...kept.forms[name], [field.name]: read(target) };
      save();
      const box = field.counts && target.value.trim() && document.querySelector(`[id="${field.counts}"] input`);
      if (box && !box.checked) box.click(); // what is typed counts
    }
  }, true);
  const sent = (name, now) => Object.fromEntries(tables[name].fields.map((field) =>
    [field.name, field.file ? pathOf(now[field.name]) : now[field.name]]));
  const pathOf = (value) => (value && (value.cut ? { path: value.path, cut: value.cut } : value.path)) || null;

  /* What has to be sent again is said beside the files of the form. */
  const places = {}; // elements by form; the reasons are kept, until the file is there
  const fieldOf = (id) => Object.values(tables).flatMap(({ fields }) => fields).find((field) => field.id === id);
  const tell = () => Object.entries(places).forEach(([name, place]) => {
    const lines = tables[name].fields.filter(({ id }) => kept.notes[id])
      .map(({ id, label }) => Object.assign(document.createElement("p"), { textContent: `${label}: ${words[`studio_upload_${kept.notes[id]}`]}` }));
    place.replaceChildren(...lines);
  });
  const note = (id, reason) => { if (fieldOf(id)) { kept.notes[id] = reason; save(); tell(); } };
  const unnote = (id) => { delete kept.notes[id]; save(); tell(); };
  const notes = (element, name) => { places[name] = element.querySelector("[role=status]"); tell(); };

  /* An upload that a reload cuts off leaves its field's name behind. */
  const sending = (id, upload) => {
    unnote(id);
    kept.uploads[id] = true;
    save();
    return upload.then((sent) => {
      if (sent.unwanted) return sent; // another file is on its way, or none
      setTimeout(() => { delete kept.uploads[id]; save(); }, sent.path ? 2000 : 0); // the form has it a moment later, see keep
      return sent;
    });
  };

  /* What the forms have for files, and which of them are held. */
  const fileFields = (name) => (tables[name] ? tables[name].fields.filter(({ file }) => file) : []);
  const valueOf = (name, field) => (kept.forms[name] || {})[field] || null;

  const failure = (answer) => ({ rows: [], notes: [], asked: `${Date.now()}`, error: answer && answer.status === 401
    ? { code: "signed_out", title: words.studio_error_refused, text: words.studio_login, fix: "" }
    : answer ? { code: "internal_error", title: words.studio_error_refused, text: words.internal_error, fix: "" }
      : { code: "not_sent", title: words.studio_not_sent, text: words.studio_not_sent_text, fix: "" } });
  /* Empty the fields whose file the server does not have any more. */
  const files = (name, gone) => tables[name].fields.filter(({ file }) => file).map((field) => {
    if (!(gone || []).includes(field.name)) return SKIP;
    note(field.id, "gone");
    return null;
  });

  /* The card for what stands in the form: one question at a time, and only the last answer counts. */
  const looks = {}, shapes = {}; // by form; px of the clip that it asks for
  const look = async (name, values) => {
    const now = keep(name, values), before = looks[name], turn = looks[name] = { wanted: new AbortController() };
    if (before) before.wanted.abort();
    const body = { values: sent(name, now) };
    turn.done = Promise.resolve(before && Promise.race([before.done, new Promise((go) => setTimeout(go, 2000))]))
      .then(() => insist(() => post(`studio/forms/${name}/look`, body), { unwanted: turn.wanted.signal }));
    const answer = await turn.done;
    if (!answer || turn !== looks[name]) return [];
    if (answer.ok) shapes[name] = answer.body.card.shape;
    return answer.ok ? [answer.body.card, ...files(name, answer.body.gone)] : [failure(answer)];
  };

  /* What was asked for and is not on the stage yet; null: nothing. */
  const tellSent = (sent) => document.dispatchEvent(new CustomEvent("clapper-sent", { detail: sent }));

  /* Ask for a clip. The key makes it one clip, however often the request has to be sent, also by the next page. */
  const busy = new Set();
  const generate = async (name, values, resumed) => {
    document.dispatchEvent(new Event("clapper-settle")); // what is still being moved counts as it stands
    const now = keep(name, values), form = JSON.stringify(sent(name, now));
    const before = kept.asked[name];
    const again = before && before.form === form && Date.now() - before.at < FRESH;
    if (busy.has(name) || (resumed && !again)) return [];
    const asked = kept.asked[name] = again ? before : { key: key(), form, at: Date.now() };
    save();
    busy.add(name);
    tellSent({ ...shapes[name], job: "" });
    const body = { values: JSON.parse(form), key: asked.key };
    const answer = await insist(() => post(`studio/forms/${name}/generate`, body), { until: Date.now() + PATIENCE });
    busy.delete(name);
    tellSent(answer && answer.ok && answer.body.job ? { ...shapes[name], job: answer.body.job } : null);
    if (!answer || !answer.ok) return [SKIP, failure(answer)];
    delete kept.asked[name];
    save();
    const { job, card, drawn, gone } = answer.body;
    const typed = (field) => kept.forms[name][field] !== now[field]; // another seed, meanwhile
    const seeds = tables[name].fields.filter((field) => field.drawn).map((field) => field.name);
    const moved = JSON.stringify(sent(name, kept.forms[name])) !== form; // then its own look says what counts
    if (!moved && looks[name]) {
      looks[name].wanted.abort();
      looks[name] = { wanted: new AbortController(), done: Promise.resolve() };
    }
    return [job ? { job } : SKIP, moved && job ? SKIP : card, ...seeds.map((seed) => seed in drawn && !typed(seed) ? drawn[seed] : SKIP), ...files(name, gone)];
  };
  const resumes = (name) => Boolean(kept.asked[name]);

  /* Take what stands in one form along into another one, except where something else was chosen there. */
  const carry = (from, to, names) => names.map((name) => {
    const at = (form) => tables[form] && tables[form].fields.find((field) => field.name === name);
    const source = at(from), field = at(to), value = (kept.forms[from] || {})[name];
    if (from === to || !source || !field || value === undefined || !fits(parted[field.id], field, value)) return SKIP;
    const there = (kept.forms[to] || {})[name], brought = kept.carried[to] || {};
    if (there !== undefined && there !== (starts[field.id] ?? null) && there !== starts[field.id] && there !== brought[name]) return SKIP;
    kept.carried[to] = { ...brought, [name]: value };
    kept.forms[to] = { ...kept.forms[to], [name]: value };
    save();
    return value;
  });

  const filled = (fields, changes) => fields.map(({ name, shown }) => {
    if (!(name in changes)) return SKIP;
    const update = { __type__: "update", value: changes[name] };
    if (shown && shown[0] in changes) update.visible = shown[1].includes(changes[shown[0]]);
    return update;
  });
  const mend = async (name, values) => {
    const body = { values: sent(name, named(name, values)) };
    const answer = await insist(() => post(`studio/forms/${name}/mend`, body), { until: Date.now() + PATIENCE });
    return answer && answer.ok ? filled(tables[name].fields.filter(({ file }) => !file), answer.body.changes) : [];
  };

  /* What stands in a form, and what its files are before anybody sends one; then other values for it, among those of all forms. */
  const held = (name) => Object.fromEntries(tables[name].fields.map(({ id, name: field }) =>
    [field, (kept.forms[name] || {})[field] ?? starts[id] ?? null]));
  const empty = (name) => Object.fromEntries(tables[name].fields.filter(({ file }) => file).map((field) => [field.name, null]));
  const fill = (names, name, values) => names.flatMap((form) => filled(tables[form].fields, form === name ? values : {}));

  /* A file of the server as Gradio's own fields hold it. */
  const fileOf = ({ path, name }) => {
    const { root, api_prefix: prefix = "" } = window.gradio_config;
    const url = `${root}${prefix}/file=${path.split("/").map(encodeURIComponent).join("/")}`;
    return { path, url, orig_name: name, meta: { _type: "gradio.FileData" } };
  };

  /* A clip that was dropped: what it says of itself, then the fields that are ticked. */
  let dropped = null;
  const hidden = { __type__: "update", visible: false };
  const describe = async (name, file) => {
    keep(name, [file]);
    if (!file) return [SKIP, hidden, hidden];
    const answer = await insist(() => post("studio/dropped", { path: file.path }), { until: Date.now() + PATIENCE });
    if (!answer || !answer.ok) return [failure(answer).error.text, hidden, hidden];
    if (answer.body.gone) return [SKIP, hidden, hidden, ...files(name, tables[name].fields.map((field) => field.name))];
    dropped = answer.body;
    const { text, ticks } = dropped, shown = ticks.length > 0;
    const choices = { __type__: "update", choices: ticks, value: ticks.map(([, tick]) => tick), visible: shown };
    return [text, choices, { __type__: "update", visible: shown }];
  };
  const apply = (panel, ticks, show) => {
    const changes = dropped ? Object.assign({}, ...ticks.map((tick) => dropped.changes[tick] || {})) : {};
    const forms = Object.values(tables).filter(({ name }) => name !== panel);
    const updates = forms.flatMap(({ name, fields }) =>
      filled(fields.filter(({ file }) => !file), dropped && name === dropped.mode ? changes : {}));
    return dropped && dropped.mode ? [...updates, ...show(dropped.mode)] : [];
  };
  const said = (code) => words[code] || "";

  return { begin, forget, settle, said, sending, fileFields, valueOf, carry, look, generate, resumes, mend, describe, apply, fileOf, held, empty, fill, place, placed, sends, notes };
})();
