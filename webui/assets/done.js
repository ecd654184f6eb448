/* Tell that a clip is ready: by the title and the icon of the tab, and, where one wants it, by a notification and a sound. */
const ClapperDone = (() => {
  const { h } = ClapperElements, { words, listen, speak } = ClapperState;
  const STORE = "clapper-tells", ICON = "data:image/svg+xml,", AMBER = "%23E0A458";
  const wishes = { notify: false, sound: false };
  try { Object.assign(wishes, JSON.parse(localStorage.getItem(STORE) || "{}")); } catch { /* a browser that keeps nothing */ }
  const keep = () => { try { localStorage.setItem(STORE, JSON.stringify(wishes)); } catch { /* keeps nothing */ } };

  let unseen = 0, title = "", icons = null;
  const badge = () => `${ICON}<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='6' fill='%2312161B'/>`
    + `<path d='M6 13h20v11H6z' fill='none' stroke='${AMBER}' stroke-width='3'/><circle cx='24' cy='8' r='8' fill='${AMBER}'/></svg>`;
  const links = () => [...document.querySelectorAll("link[rel~=icon]")];
  const mark = () => {
    if (!unseen) {
      if (title) document.title = title;
      if (icons) { links().forEach((link) => link.remove()); document.head.append(...icons); }
      title = "";
      icons = null;
      return;
    }
    title ||= document.title;
    document.title = `(${unseen}) ${words.studio_ready} · ${title}`;
    if (icons) return;
    icons = links();
    icons.forEach((link) => link.remove());
    document.head.append(h("link", { rel: "icon", type: "image/svg+xml", href: badge() }));
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    unseen = 0;
    mark();
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

  const tell = (job) => {
    if (document.hidden) {
      unseen += 1;
      mark();
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

  const box = (name, label, ask) => {
    const input = h("input", { type: "checkbox", "data-tells": name, onchange: async () => {
      wishes[name] = input.checked && (!ask || await ask());
      input.checked = wishes[name];
      keep();
    } });
    input.checked = Boolean(wishes[name]);
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
