/* Tell that a clip is ready: by the title and the icon of the tab, and, where one wants it, by a notification and a sound. */
const ClapperDone = (() => {
  const { h } = ClapperElements, { words, listen, speak } = ClapperState;
  const STORE = "clapper-tells", ICON = "data:image/svg+xml,", AMBER = "%23E0A458";
  const wishes = { notify: false, sound: false };
  try { Object.assign(wishes, JSON.parse(localStorage.getItem(STORE) || "{}")); } catch { /* a browser that keeps nothing */ }
  const keep = () => { try { localStorage.setItem(STORE, JSON.stringify(wishes)); } catch { /* keeps nothing */ } };

  /* Tabs of one browser see the same end: one of them tells of it, and a look at any of them is a look. */
  const TOLD = "clapper-told", MOST = 50, POLITE = 1500; // jobs that are remembered; ms in which a tab in sight comes first
  /** @returns {Map<string, boolean>} whether somebody looked, by the jobs that were told of */
  const told = () => { try { return new Map(JSON.parse(localStorage.getItem(TOLD) || "[]")); } catch { return new Map(); } };
  const note = (jobs, seen) => {
    const all = [...new Map([...told(), ...jobs.map((id) => [id, seen])])].slice(-MOST);
    try { localStorage.setItem(TOLD, JSON.stringify(all)); } catch { /* keeps nothing */ }
  };
  const looked = () => {
    note([...unseen], true);
    unseen.clear();
    mark();
  };
  addEventListener("storage", ({ key, newValue }) => {
    if (key === STORE) Object.assign(wishes, JSON.parse(newValue || "{}")), boxes.forEach((show) => show());
    if (key !== TOLD) return;
    told().forEach((seen, id) => seen && unseen.delete(id));
    mark();
  });

  const unseen = new Set();
  let title = "", icons = null;
  const badge = () => `${ICON}<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='6' fill='%2312161B'/>`
    + `<path d='M6 13h20v11H6z' fill='none' stroke='${AMBER}' stroke-width='3'/><circle cx='24' cy='8' r='8' fill='${AMBER}'/></svg>`;
  const links = () => [...document.querySelectorAll("link[rel~=icon]")];
  const mark = () => {
    if (!unseen.size) {
      if (title) document.title = title;
      if (icons) { links().forEach((link) => link.remove()); document.head.append(...icons); }
      title = "";
      icons = null;
      return;
    }
    title ||= document.title;
    document.title = `(${unseen.size}) ${words.studio_ready} · ${title}`;
    if (icons) return;
    icons = links();
    icons.forEach((link) => link.remove());
    document.head.append(h("link", { rel: "icon", type: "image/svg+xml", href: badge() }));
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) looked();
  });

  const chime = () => {
    const sound = new AudioContext(), loud = sound.createGain();
    loud.gain.setValueAtTime(0.08, sound.currentTime);
    loud.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + 0.5);
    loud.connect(sound.destination);
    [660, 880].forEach((pitch, at) => {
      const tone = sound.createOscillator();
      tone.frequency.value = pitch;
      tone.connect(loud);
      tone.start(sound.currentTime + at * 0.15);
      tone.stop(sound.currentTime + 0.5);
    });
    setTimeout(() => sound.close(), 800);
  };

  const tell = async (job) => {
    if (document.hidden) await new Promise((done) => setTimeout(done, POLITE));
    const before = told().get(job.id);
    if (document.hidden && !before) {
      unseen.add(job.id);
      mark();
    }
    note([job.id], before || !document.hidden);
    if (before !== undefined) return;
    if (document.hidden) {
      if (wishes.notify && "Notification" in window && Notification.permission === "granted") {
        const note = new Notification(words.studio_ready, { body: job.mode_name, tag: job.id });
        note.onclick = () => { window.focus(); ClapperState.select(job.id, { show: true }); note.close(); };
      }
    }
    if (wishes.sound) try { chime(); } catch { /* no sound here */ }
  };

  /* A job that was live and is not any more: finished, or ended otherwise. */
  const live = new Map();
  const look = (state) => {
    const now = new Set(state.mine.map(({ id }) => id));
    for (const job of state.mine) live.set(job.id, job);
    for (const [id, job] of live) {
      if (now.has(id)) continue;
      live.delete(id);
      if (job.group && state.mine.some(({ group }) => group === job.group)) continue; // told once, with the last draft
      ClapperRequests.ask(`studio/state?job=${encodeURIComponent(id)}`)
        .then(({ ok, body }) => ok && body.job && [body.job, ...body.drafts].some(({ clip }) => clip) && tell(job)).catch(() => { /* the page says it anyway */ });
    }
  };

  const boxes = []; // each shows what is wished for
  const box = (name, label, ask) => {
    const input = h("input", { type: "checkbox", "data-tells": name, onchange: async () => {
      wishes[name] = input.checked && (!ask || await ask());
      input.checked = wishes[name];
      keep();
    } });
    const show = () => { input.checked = Boolean(wishes[name]); };
    boxes.push(show);
    show();
    return h("label", {}, input, h("span", {}, label));
  };
  const allowed = async () => "Notification" in window && await Notification.requestPermission() === "granted";

  /* The boxes in the sidebar. */
  const tells = (element, props) => {
    speak(props.words);
    element.querySelector("div").append(box("notify", words.studio_tell, allowed), box("sound", words.studio_tell_sound));
    listen(({ state }) => state && look(state));
  };

  return { tells };
})();
