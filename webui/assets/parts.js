/* The part of a file that is used: a box of the clip's shape in a picture or film, a start and an end in a sound or film.
   The server cuts where it decodes; here it is only chosen, by dragging, or by sliders for the keyboard. */
/**
 * @typedef {{shape: string, size: number, x: number, y: number, start: number, end: number | null}} Part what the sliders say
 * @typedef {{start_s: number, end_s: number | null, left: number, top: number, width: number, height: number}} Cut core/domain/media_cut.py
 */
const ClapperParts = (() => {
  const { h, number } = ClapperElements, { said, valueOf } = ClapperForms;
  const SHAPES = ["16:9", "3:2", "4:3", "1:1", "3:4", "2:3", "9:16"], LEAST = 0.1; // s
  const WHOLE = { shape: "", size: 1, x: 0.5, y: 0.5, start: 0, end: null };
  const share = (number) => Math.round(Math.min(1, Math.max(0, number)) * 10000) / 10000;

  /** The box of a part in a picture of width × height, in shares of it. */
  const box = ({ shape, size, x, y }, width, height) => {
    const [across, down] = shape ? shape.split(":").map(Number) : [width, height], ratio = across / down * height / width;
    const wide = Math.min(1, ratio) * size, high = Math.min(1, 1 / ratio) * size;
    return { left: share(x * (1 - wide)), top: share(y * (1 - high)), width: share(wide), height: share(high) };
  };

  /**
   * The sliders for a file, folded away until they are wanted.
   * @param {{kind: string}} offer
   * @param {{part?: Part}} value what the form holds of the file
   * @param {HTMLElement} media the picture, sound or film as it is shown
   * @param {string} id of the field
   * @param {(more: {part: Part, cut: Cut}) => void} changed
   */
  const editor = (offer, value, media, id, changed) => {
    const form = id.slice(id.lastIndexOf("-") + 1), chosen = valueOf(form, "aspect");
    const part = { ...WHOLE, ...value.part }, rows = [], frame = h("div", { class: "cl-part-box", hidden: true });
    const size = () => [media.naturalWidth || media.videoWidth || 0, media.naturalHeight || media.videoHeight || 0];
    const length = () => (Number.isFinite(media.duration) ? media.duration : 0);
    const told = h("p", { class: "cl-meta", role: "status" });

    const draw = () => {
      const [width, height] = size(), at = width ? box(part, width, height) : null;
      for (const side of at ? ["left", "top", "width", "height"] : []) frame.style[side] = `${at[side] * 100}%`;
      rows.forEach((row) => row.show());
      const end = part.end === null ? length() : part.end;
      told.textContent = offer.kind === "image" || !length() ? "" : `${number(end - part.start, 1, 1)} s / ${number(length(), 1, 1)} s`;
    };
    const tell = () => {
      const [width, height] = size();
      const inside = width ? box(part, width, height) : { left: 0, top: 0, width: 1, height: 1 };
      changed({ part: { ...part }, cut: { start_s: part.start, end_s: part.end, ...inside } });
    };
    const slider = (word, range, read, write) => {
      const input = h("input", { type: "range", step: 0.1, "aria-label": said(word), oninput: () => { write(Number(input.value)); draw(); }, onchange: tell });
      const said_ = h("output", {}), row = h("label", { class: "cl-part-row" }, h("span", {}, said(word)), input, said_);
      row.show = () => {
        const [low, high] = range();
        input.min = low;
        input.max = high;
        input.value = read();
        said_.textContent = high === 100 ? `${Math.round(read())} %` : `${number(read(), 1, 1)} s`;
        row.hidden = !(high > low);
      };
      rows.push(row);
      return row;
    };
    const percent = () => [0, 100];
    const select = h("select", { onchange: () => { part.shape = select.value; draw(); tell(); } },
      h("option", { value: "" }, said("studio_part_as_is")), ...SHAPES.map((shape) => h("option", { value: shape }, shape)));
    const pictures = offer.kind === "audio" ? [] : [
      h("label", { class: "cl-part-row" }, h("span", {}, said("studio_part_shape")), select),
      slider("studio_part_size", () => [10, 100], () => part.size * 100, (to) => { part.size = to / 100; }),
      slider("studio_part_across", percent, () => part.x * 100, (to) => { part.x = to / 100; }),
      slider("studio_part_down", percent, () => part.y * 100, (to) => { part.y = to / 100; }),
    ];
    const seek = (to) => { if (media.readyState) media.currentTime = to; };
    const times = offer.kind === "image" ? [] : [
      slider("studio_part_start", () => [0, Math.max(0, length() - LEAST)], () => part.start, (to) => {
        part.start = to;
        if (part.end !== null && part.end < to + LEAST) part.end = to + LEAST;
        seek(to);
      }),
      slider("studio_part_end", () => [LEAST, length()], () => (part.end === null ? length() : part.end), (to) => {
        part.end = to >= length() - 0.05 ? null : Math.max(to, part.start + LEAST);
        seek(part.end === null ? length() : part.end);
      }),
      told,
    ];
    const all = h("button", { type: "button", class: "cl-button", onclick: () => { Object.assign(part, WHOLE); select.value = ""; draw(); tell(); } }, said("studio_part_all"));
    const fold = h("details", { class: "cl-part" }, h("summary", {}, said("studio_part")), ...pictures, ...times, all);

    const place = media.parentElement; // the box lies over the picture as it is shown
    if (pictures.length) place.append(frame);
    frame.addEventListener("pointerdown", (press) => {
      const start = { x: part.x, y: part.y }, shown = media.getBoundingClientRect(), [width, height] = size(), at = box(part, width, height);
      const move = ({ clientX, clientY }) => {
        const roomX = (1 - at.width) * shown.width, roomY = (1 - at.height) * shown.height;
        if (roomX > 1) part.x = share(start.x + (clientX - press.clientX) / roomX);
        if (roomY > 1) part.y = share(start.y + (clientY - press.clientY) / roomY);
        draw();
      };
      press.preventDefault();
      frame.setPointerCapture(press.pointerId);
      frame.addEventListener("pointermove", move);
      frame.addEventListener("pointerup", () => { frame.removeEventListener("pointermove", move); tell(); }, { once: true });
    });
    fold.addEventListener("toggle", () => {
      frame.hidden = !fold.open || !pictures.length;
      if (offer.kind === "video") media.controls = !fold.open; // they would lie under the box
      if (!fold.open) return;
      if (!value.part && SHAPES.includes(chosen)) part.shape = chosen; // of the clip, in the middle
      select.value = part.shape;
      draw();
      if (!value.part && part.shape) tell();
    });
    media.addEventListener("loadedmetadata", draw);
    media.addEventListener("load", draw);
    return fold;
  };

  return { editor, box };
})();
