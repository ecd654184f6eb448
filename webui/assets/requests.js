/* How the page asks the server: in one place, again after a lost request, until it is answered or not wanted any more.
   This and the following files are one script. It stands inside the page and runs before Gradio builds anything. */
"use strict";
const ClapperRequests = (() => {
  const PAUSES = [300, 1000, 2000, 4000]; // ms between tries; the last one goes on
  const HANGS = 60_000; // ms without an answer: the connection is dead, as after a sleep
  const PATIENCE = 300_000; // ms that what somebody pressed is sent for
  const AWAY = new Set([502, 503, 504]); // what a proxy says while the server starts
  const OURS = { "X-Clapper": "1" };
  const ZONE = { "X-Clapper-Zone": Intl.DateTimeFormat().resolvedOptions().timeZone || "" }; // answers name times in it

  /* In the frame of Hugging Face only the page around knows in whose name a GPU is borrowed. It is asked as Gradio's own
     client does, and again before what it said is too old; every question brings it, as the newest one counts. */
  const HUB = "https://huggingface.co", NAMED = "zerogpu-headers", YOUNG = 30_000, SILENT = 3000; // ms
  let naming = Promise.resolve({}), namedAt = -Infinity;
  const named = async (before) => {
    const { port1, port2 } = new MessageChannel();
    const said = new Promise((done) => { port1.onmessage = ({ data }) => done(data); });
    window.parent.postMessage(NAMED, HUB, [port2]);
    const headers = await Promise.race([said, new Promise((done) => setTimeout(done, SILENT))]);
    port1.close();
    return headers instanceof Map ? Object.fromEntries(headers) : headers || before;
  };
  const borrower = () => {
    const framed = window.parent !== window && window.supports_zerogpu_headers;
    if (framed && location.hostname.endsWith(".hf.space") && performance.now() - namedAt > YOUNG) {
      namedAt = performance.now();
      naming = naming.then(named);
    }
    return naming;
  };

  const ask = async (address, options = {}) => {
    const headers = { ...ZONE, ...await borrower(), ...options.headers };
    const answer = await fetch(new URL(address, document.baseURI), { credentials: "same-origin", ...options, headers });
    const body = await answer.json().catch(() => ({}));
    return { ok: answer.ok, status: answer.status, body };
  };

  const post = (address, body) => ask(address, {
    method: "POST", headers: { ...OURS, "Content-Type": "application/json" }, body: JSON.stringify(body || {}),
    signal: AbortSignal.timeout(HANGS),
  });

  /* Make the key of one wish: however often its request is sent, it is done once. */
  const key = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  /* Wait for a while, or until the network is back, the page is looked at again, or the question is not wanted. */
  const pause = (time, unwanted) => new Promise((done) => {
    const stop = new AbortController();
    const end = () => { clearTimeout(timer); stop.abort(); done(); };
    const timer = setTimeout(end, time);
    addEventListener("online", end, { signal: stop.signal });
    document.addEventListener("visibilitychange", end, { signal: stop.signal });
    if (unwanted) unwanted.addEventListener("abort", end, { signal: stop.signal });
  });

  /* Try until there is an answer; null once it is not wanted any more, or not by `until` (ms of the clock). */
  const insist = async (attempt, { unwanted, until = Infinity } = {}) => {
    for (let tries = 0; !(unwanted && unwanted.aborted); tries += 1) {
      try {
        const answer = await attempt();
        if (!AWAY.has(answer.status)) return answer;
      } catch { /* no network, no server, or it hangs */ }
      if (Date.now() > until) return null;
      await pause(PAUSES[Math.min(tries, PAUSES.length - 1)], unwanted);
    }
    return null;
  };

  /* Send a file, again after a blip; `progress` gets the share that is sent. Gradio's own address keeps whose it is. */
  const sendOnce = (file, progress, unwanted) => borrower().then((headers) => new Promise((done, fail) => {
    const { api_prefix: prefix = "" } = window.gradio_config, request = new XMLHttpRequest(), body = new FormData();
    body.append("files", file, file.name || "file");
    request.open("POST", new URL(`${prefix}/upload`.replace(/^\/+/, ""), document.baseURI));
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    let silence = 0;
    const alive = () => { clearTimeout(silence); silence = setTimeout(() => request.abort(), HANGS); };
    request.upload.onprogress = ({ loaded, total }) => { alive(); progress(total ? loaded / total : 0); };
    request.onloadend = () => clearTimeout(silence);
    unwanted.addEventListener("abort", () => request.abort());
    alive();
    request.onload = () => done({ status: request.status, ok: request.status === 200, text: request.responseText });
    request.onerror = request.onabort = () => fail(new Error("upload"));
    request.send(body);
  }));
  /** @returns {Promise<{path?: string, text?: string, unwanted?: boolean}>} where it lies, or why not in words of the server */
  const upload = async (file, progress, unwanted) => {
    const answer = await insist(() => sendOnce(file, progress, unwanted), { unwanted }); // the page has it as long as it is open
    if (!answer) return { unwanted: true };
    try { if (answer.ok) return { path: JSON.parse(answer.text)[0] }; } catch { /* no list of paths */ }
    return { text: answer.text.length < 1000 ? answer.text : "" };
  };

  return { PATIENCE, ask, post, key, insist, upload };
})();
