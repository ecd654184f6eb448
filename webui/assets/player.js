/* The finished clip: by single frames, at other speeds, again and again, and beside the clip that it came from. */
const ClapperPlayer = (() => {
  const { h, number } = ClapperElements, { words } = ClapperState;
  const SPEEDS = [0.25, 0.5, 1, 2], STORE = "clapper-player";
  const wishes = { loop: true, speed: 1 }; // of this reader, for every clip
  try { Object.assign(wishes, JSON.parse(localStorage.getItem(STORE) || "{}")); } catch { /* a browser that keeps nothing */ }
  if (!SPEEDS.includes(wishes.speed)) wishes.speed = 1;
  const keep = () => { try { localStorage.setItem(STORE, JSON.stringify(wishes)); } catch { /* keeps nothing */ } };
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  const film = (job, attributes) => {
    const video = h("video", { src: job.clip.src, poster: job.clip.poster, controls: true, playsinline: true,
      preload: "metadata", "aria-label": job.clip.alt, ...attributes });
    video.loop = Boolean(wishes.loop);
    video.defaultPlaybackRate = video.playbackRate = wishes.speed;
    return video;
  };

  /**
   * @param {JobView} job @param {boolean} fresh it was made while one looked: then it starts, without its sound
   */
  const player = (job, fresh) => {
    const video = film(job);
    if (fresh && !calm()) {
      video.muted = true;
      video.autoplay = true;
    }
    return video;
  };

  const step = (video, fps, by) => {
    video.pause();
    const length = Number.isFinite(video.duration) ? video.duration : Infinity;
    video.currentTime = Math.min(Math.max(0, video.currentTime + by / fps), Math.max(0, length - 0.5 / fps));
  };
  const videoOf = (element) => element.querySelector("video");

  /* Buttons under the clip; `screen` is where it is shown. */
  const tools = (job, screen, parent) => {
    const loop = h("button", { type: "button", class: "cl-tool", "data-tool": "loop", "aria-pressed": String(Boolean(wishes.loop)),
      "aria-label": words.studio_loop, title: words.studio_loop, onclick: () => {
        wishes.loop = !wishes.loop;
        keep();
        loop.setAttribute("aria-pressed", String(wishes.loop));
        screen.querySelectorAll("video").forEach((video) => { video.loop = wishes.loop; });
      } }, "⟳");
    const speed = h("select", { class: "cl-tool", "data-tool": "speed", "aria-label": words.studio_speed, onchange: () => {
      wishes.speed = Number(speed.value);
      keep();
      screen.querySelectorAll("video").forEach((video) => { video.playbackRate = wishes.speed; });
    } }, ...SPEEDS.map((rate) => h("option", { value: rate, selected: rate === wishes.speed }, `${number(rate, 2)}×`)));
    const frame = (by, sign, label) => h("button", { type: "button", class: "cl-tool", "data-tool": by < 0 ? "back" : "forward",
      "aria-label": label, title: label, onclick: () => step(videoOf(screen), job.fps || 24, by) }, sign);
    return h("div", { class: "cl-tools" }, frame(-1, "⟨", words.studio_frame_back), frame(1, "⟩", words.studio_frame_forward),
      loop, speed, parent && compare(job, parent, screen));
  };

  /* Both at the same moment; pressing shows the other one. */
  const compare = (job, parent, screen) => {
    let other = null;
    const button = h("button", { type: "button", class: "cl-tool", "data-tool": "compare", "aria-pressed": "false",
      title: words.studio_compare, onclick: () => {
        const video = videoOf(screen);
        if (!other) {
          other = film(parent, { "data-film": "parent", controls: false });
          other.muted = true;
          screen.append(other);
          for (const kind of ["play", "pause", "seeking", "ratechange"]) video.addEventListener(kind, () => follow(video, other));
        }
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        other.hidden = !shown;
        follow(video, other);
      } }, words.studio_compare);
    return button;
  };
  const follow = (video, other) => {
    if (Math.abs(other.currentTime - video.currentTime) > 0.05) other.currentTime = video.currentTime;
    other.playbackRate = video.playbackRate;
    if (video.paused || other.hidden) other.pause();
    else other.play().catch(() => { /* the browser waits for a click */ });
  };

  return { player, tools, step, videoOf };
})();
