/* The sidebar: model, queue and quota, and who is signed in; and the operators' page, for those who are. */
const ClapperSide = (() => {
  const { ask } = ClapperRequests, { put, card } = ClapperElements, { listen } = ClapperState;

  const side = (element) => {
    const [model, line, quota] = element.querySelectorAll("dd");
    const meter = element.querySelector("meter");
    listen(({ state }) => {
      if (!state) return;
      model.textContent = state.model;
      line.textContent = state.line;
      quota.textContent = state.quota.text;
      meter.value = state.quota.share;
    });
  };

  /* Who is signed in; what went wrong there is told once. */
  const account = (element) => {
    const name = element.querySelector("span"), link = element.querySelector("a");
    const address = new URL(location.href);
    let problem = address.searchParams.get("sign_in") || "", known = null;
    if (problem) {
      address.searchParams.delete("sign_in");
      window.history.replaceState(null, "", address);
    }
    if (window.self !== window.top) link.target = "_blank"; // providers refuse to be framed
    listen(async ({ state }) => {
      if (!state || state.account === known) return;
      known = state.account;
      const { ok, body } = await ask(`studio/account?sign_in=${encodeURIComponent(problem)}`).catch(() => ({ ok: false }));
      if (!ok) return;
      problem = "";
      name.textContent = body.text;
      link.textContent = body.link.label;
      link.href = body.link.href;
      link.hidden = false;
      put(element.querySelector("[data-part=problem]"), body.problem, body.problem && card(body.problem));
      document.dispatchEvent(new Event("clapper-history"));
    });
  };

  /* Their script comes once somebody is one. */
  const operators = (element, props) => {
    let tellWhether = null, asked = false;
    listen(({ state }) => {
      if (!state) return;
      if (tellWhether) return void tellWhether(state.operator);
      if (!state.operator || asked) return;
      asked = true;
      const script = document.createElement("script");
      script.addEventListener("load", () => {
        tellWhether = ClapperOperators.begin(element);
        ClapperState.tell();
      });
      script.addEventListener("error", () => { script.remove(); asked = false; }); // again with the next state
      script.src = new URL(props.script, document.baseURI);
      document.head.append(script);
    });
  };

  return { side, account, operators };
})();
