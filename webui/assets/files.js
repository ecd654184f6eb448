/* The field for one file: choose, drop, paste, the camera or a recording; then what was sent, to look at or to take out. */
/**
 * @typedef {{kind: "image" | "audio" | "video", accept: string, parts: boolean}} FileOffer as webui/page/components.py makes it
 * @typedef {{path: string, url: string, orig_name: string}} FileValue what a form holds of a file that the server has
 */
const ClapperFiles = (() => {
  const { upload } = ClapperRequests, { h } = ClapperElements, { said, fileOf } = ClapperForms;
  const fields = {}; // what takes a file, by id of the field
  const waiting = {}; // what came before its field was there, by id

  /**
   * Put a file, or what another field holds, into a field; also one that is not shown yet.
   * @param {string} id
   * @param {File | FileValue} what
   */
  const give = (id, what) => {
    if (fields[id]) fields[id](what);
    else waiting[id] = what;
  };

  const shown = (offer, value, id, changed) => {
    const { kind } = offer, { url, orig_name: name } = value;
    const failed = () => media.parentElement.replaceWith(h("p", { class: "cl-meta" }, said("studio_file_unseen")));
    const media = kind === "image" ? h("img", { src: url, alt: name || "", onerror: failed })
      : h(kind, { src: url, controls: true, preload: "metadata", "aria-label": name || said("studio_file_sent"), onerror: failed,
        ...(kind === "video" ? { playsinline: true } : {}) });
    const around = h("div", { class: "cl-media-box" }, media);
    return id ? [around, ClapperParts.editor(offer, value, media, id, changed)] : [around];
  };

  /* A recording from the microphone, where the browser has one; a second press ends it, or the longest that is taken. */
  const LONGEST = 60_000; // ms
  const recorder = (take, fail) => {
    if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia || !window.MediaRecorder) return null;
    let tape = null, opening = false;
    const label = h("span", {}, said("studio_file_record"));
    const button = h("button", { type: "button", class: "cl-button", "aria-pressed": "false", onclick: () => {
      if (tape) tape.stop();
      else if (!opening) void start();
    } }, label);
    const start = async () => {
      opening = true;
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => null);
      opening = false;
      if (!stream) return void fail(said("studio_file_no_microphone"));
      const parts = [], began = Date.now();
      tape = new MediaRecorder(stream);
      const clock = setInterval(() => {
        label.textContent = `${said("studio_file_stop")} · ${Math.round((Date.now() - began) / 1000)} s`;
        if (Date.now() - began > LONGEST || !button.isConnected) tape.stop();
      }, 250);
      tape.ondataavailable = ({ data }) => parts.push(data);
      tape.onstop = () => {
        const type = (tape.mimeType || "audio/webm").split(";")[0];
        clearInterval(clock);
        stream.getTracks().forEach((track) => track.stop());
        tape = null;
        button.setAttribute("aria-pressed", "false");
        label.textContent = said("studio_file_record");
        take(new File(parts, `recording.${type.split("/")[1]}`, { type }));
      };
      button.setAttribute("aria-pressed", "true");
      label.textContent = said("studio_file_stop");
      tape.start();
    };
    return button;
  };

  const file = (element, props, trigger, watch) => {
    const { offer, field: id, label } = props, root = element.firstElementChild;
    const picker = h("input", { type: "file", accept: offer.accept, "aria-label": `${label}: ${said("studio_file_choose")}`,
      onchange: () => { if (picker.files.length) take(picker.files[0]); picker.value = ""; } });
    const chosen = h("span", {}), where = h("div", { class: "cl-file-shown" }), told = h("p", { class: "cl-meta", role: "status" });
    const out = h("button", { type: "button", class: "cl-button", "aria-label": `${label}: ${said("studio_file_remove")}`,
      onclick: () => { set(null); picker.focus(); } }, said("studio_file_remove"));
    const camera = offer.kind !== "audio" && h("button", { type: "button", class: "cl-button cl-touch", onclick: () => {
      picker.setAttribute("capture", "environment"); // the dialog opens with the camera
      picker.click();
      picker.removeAttribute("capture");
    } }, said(`studio_file_camera_${offer.kind}`));
    const record = offer.kind === "audio" && recorder((sound) => void take(sound), (text) => say(text, true));
    const ways = h("div", { class: "cl-buttons" }, camera, record, out);
    root.className = "cl-file";
    root.dataset.field = id;
    root.append(h("span", { class: "cl-file-name" }, label), where, h("label", { class: "cl-choose" }, picker, chosen), ways, told);

    let sends = 0, wanted = new AbortController();
    const leave = () => { sends += 1; wanted.abort(); root.removeAttribute("aria-busy"); }; // what is still being sent
    const say = (text, bad) => { told.textContent = text; told.classList.toggle("cl-bad", Boolean(bad)); };
    const draw = () => {
      const value = props.value && props.value.path ? props.value : null;
      root.dataset.full = String(Boolean(value));
      chosen.textContent = said(value ? "studio_file_replace" : `studio_file_drop_${offer.kind}`);
      out.hidden = !value;
      if (where.dataset.path === (value ? value.path : "")) return;
      where.dataset.path = value ? value.path : "";
      where.replaceChildren(...(value ? shown(offer, value, offer.parts && id, (more) => set({ ...props.value, ...more })) : []));
    };
    const set = (value) => {
      leave();
      props.value = value;
      say("");
      draw();
    };
    const take = async (what) => {
      if (!(what instanceof File)) return void set(what);
      leave();
      const turn = sends, { signal } = wanted = new AbortController();
      root.setAttribute("aria-busy", "true");
      say(said("studio_file_sending"));
      const sent = await ClapperForms.sending(id, upload(what, (share) => {
        if (turn === sends) say(`${said("studio_file_sending")} ${Math.round(share * 100)} %`);
      }, signal));
      if (turn !== sends) return; // another file, meanwhile
      root.removeAttribute("aria-busy");
      if (sent.path) set(fileOf({ path: sent.path, name: what.name }));
      else say(sent.text || said("internal_error"), true);
    };
    fields[id] = take;
    watch("value", () => { leave(); draw(); });
    draw();
    if (waiting[id]) { const what = waiting[id]; delete waiting[id]; void take(what); }
  };

  return { file, give };
})();
