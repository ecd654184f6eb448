/* When the pictures of a clip are reached: what the form says of it, and what a move makes of it. */
/**
 * @typedef {{form: string, roles: string[], ends: string[], times: string, length: string}} Line as webui/page/timeline.py makes it: roles of
 *   pictures in the order of time, those that are needed, and the fields for times and length
 * @typedef {{key: string, file: FileValue, role: string, at: number}} Stop a picture, and the second at which it is reached
 */
const ClapperTimes = (() => {
  const LEAST = 0.1; // s between two pictures
  const cents = (time) => Math.round(time * 100) / 100;

  /** Times as core/domain/keyframes.py reads them; null where one is none. */
  const read = (text) => {
    const typed = text.trim(), spaced = /[;\s]/.test(typed);
    const parts = typed.split(spaced ? /[;\s]+|,(?=\s|$)/ : ",").map((part) => part.replace(/^[ ,;]+|[ ,;]+$/g, "")).filter(Boolean);
    const times = parts.map((part) => Number(part.toLowerCase().replace(/s$/, "").replace(",", ".")));
    return times.every((time) => Number.isFinite(time) && time >= 0) ? times : null;
  };
  const write = (stops) => stops.map(({ at }) => String(cents(at))).join(", ");
  const even = (count, length) => Array.from({ length: count }, (_, at) => (count > 1 ? length * at / (count - 1) : 0));

  /**
   * What stands in the form.
   * @param {Line} line
   * @returns {{stops: Stop[], length: number, text: string, times: number[] | null, fits: boolean}} fits: a time for each picture, in their order
   */
  const look = (line) => {
    const held = ClapperForms.held(line.form), length = Number(held[line.length]) || 0, text = String(held[line.times] || "");
    const roles = line.roles.filter((role) => held[role] && held[role].path), times = read(text);
    const fits = Boolean(times) && times.length === roles.length && times.every((time, at) => !at || time >= times[at - 1]);
    const ats = fits ? times : even(roles.length, length), seen = {};
    const key = ({ path }) => `${path} ${seen[path] = (seen[path] || 0) + 1}`; // one file may be there twice
    return { stops: roles.map((role, at) => ({ role, file: held[role], key: key(held[role]), at: ats[at] })), length, text, times, fits };
  };

  /* Pictures stay in the roles that they have among them, in the order of time; a needed one that is empty gets its neighbour. */
  const assign = (line, stops) => {
    const roles = stops.map(({ role }) => role).sort((a, b) => line.roles.indexOf(a) - line.roles.indexOf(b));
    const open = (role) => !roles.includes(role) && !ClapperForms.sends(line.form, role), [first, last] = [line.ends[0], line.ends.at(-1)];
    if (roles.length && open(first)) roles[0] = first;
    if (roles.length > 1 && open(last)) roles[roles.length - 1] = last;
    return stops.map((stop, at) => ({ ...stop, role: roles[at] }));
  };

  /* Give times to what came to pictures that had theirs: in the middle between its neighbours. */
  const among = (found, known, length) => found.map((stop, turn) => {
    const times = (some) => some.map(({ key }) => known.get(key)).filter((time) => time !== undefined);
    const before = times(found.slice(0, turn)).at(-1) ?? 0, after = times(found.slice(turn + 1))[0] ?? length;
    return { ...stop, at: known.get(stop.key) ?? cents((before + after) / 2) };
  });

  /**
   * Put a picture at a second; where another one stands there, they change places, and at the edge it makes room.
   * @param {Stop[]} stops in the order of time, before and after
   */
  const move = (stops, stop, to, length) => {
    const at = Math.min(length, Math.max(0, to)), up = at >= stop.at;
    let free = at;
    for (const other of up ? stops : [...stops].reverse()) {
      if (other !== stop && Math.abs(other.at - free) < LEAST - 1e-6) free = other.at + (up ? LEAST : -LEAST);
    }
    stop.at = cents(Math.min(length, Math.max(0, free)));
    const late = free > length, inwards = late ? [...stops].reverse() : free < 0 ? stops : [];
    let limit = stop.at;
    for (const other of inwards) {
      if (other === stop) continue;
      const least = cents(limit + (late ? -LEAST : LEAST));
      if (late ? other.at > least : other.at < least) other.at = least;
      limit = other.at;
    }
    stops.sort((a, b) => a.at - b.at);
  };

  return { write, even, cents, look, assign, among, move };
})();
