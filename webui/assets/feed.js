/* A clip in the feed of the community: its maker publishes it, or takes it down. Nothing is said of clips that cannot be. */
const ClapperFeed = (() => {
  const { PATIENCE, ask, post, insist } = ClapperRequests, { h, put } = ClapperElements, { store, words, tell, poll } = ClapperState;
  const AGAIN = 4000, TRIES = 8; // ms: until a post that is on its way has an address
  const known = {}, busy = new Set(); // what the server says, by job; null: it is asked

  const look = async (id, tries = 0) => {
    if (!(id in known)) known[id] = null;
    const answer = await ask(`studio/jobs/${id}/feed`).catch(() => null);
    if (!answer || !answer.ok) return void (tries || delete known[id]);
    known[id] = answer.body;
    tell();
    if (answer.body.coming && tries < TRIES) setTimeout(look, AGAIN, id, tries + 1);
  };

  const press = async (id, verb) => {
    if (busy.has(id)) return;
    busy.add(id);
    const answer = await insist(() => post(`studio/jobs/${id}/feed/${verb}`), { until: Date.now() + PATIENCE });
    busy.delete(id);
    store.problem = null;
    if (answer && answer.ok) known[id] = answer.body;
    else store.problem = { job: id, error: (answer && answer.body.error) || { title: words.studio_lost, text: "" } };
    tell();
    if (answer && answer.ok && answer.body.coming) setTimeout(look, AGAIN, id, 1);
    poll();
  };

  const button = (id, view) => h("button", { type: "button", class: "cl-button", "data-action": view.action, "data-job": id,
    onclick: () => press(id, view.action) }, h("span", {}, view.label), view.price && h("small", {}, ` · ${view.price}`));
  const draw = (id, { title, text, link, link_label: label, shown, buttons }) => {
    const inner = [h("p", {}, text, link && " ", link && h("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, label)),
      h("div", { class: "cl-buttons" }, ...buttons.map((view) => button(id, view)))];
    if (shown) return h("div", { class: "cl-feed", role: "status" }, ...inner);
    return h("details", { class: "cl-feed" }, h("summary", {}, title), ...inner);
  };

  /** @param {HTMLElement} place @param {JobView} job on the stage */
  const show = (place, job) => {
    const fit = job.clip && !job.ending;
    if (fit && !(job.id in known)) look(job.id);
    const view = fit && known[job.id];
    put(place, [job.id, view], view && view.text && draw(job.id, view));
  };

  return { show };
})();
