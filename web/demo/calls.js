// The buttons that call the API, and the strip that draws each call as far as it came.
import { isBffError } from "/bff/client.js";
import { $, clock, look, tell } from "/page.js";

const stripLength = 60;

/** Draws one call: what the browser asked, what Coatcheck did, what came of it. Returns how to say the last anew. */
function draw(asked, did, came, how) {
  const item = document.createElement("li"), way = document.createElement("span"), text = document.createElement("div");
  item.className = how;
  way.className = "way";
  way.append(...["i", "s", "i", "s", "i"].map((name) => document.createElement(name)));
  way.setAttribute("aria-hidden", "true");
  text.className = "text";
  for (const [name, words] of [["start", asked], ["mid", did], ["end", came]]) {
    const cell = document.createElement("span");
    cell.className = name;
    cell.textContent = words;
    text.append(cell);
  }
  item.append(way, text);
  $("strip").prepend(item);
  $("no-calls").hidden = true;
  while ($("strip").children.length > stripLength) $("strip").lastElementChild.remove();
  return (words) => { text.lastElementChild.textContent = words; };
}

/** Shows an answer's body as text; a page of the API can put nothing else here. */
function showAnswer(answer, text) {
  let body = text;
  try {
    body = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // not JSON: as it is
  }
  $("answer").textContent = `${answer.status} ${answer.statusText}\n\n${body || "no body"}`;
}

/** Makes one call with `send` and draws it. Returns the answer and its JSON, if it is some. */
async function call(send, path, init, did = "cookie off, token on") {
  const begun = performance.now();
  const answer = await send(path, init);
  const took = `${Math.round(performance.now() - begun)} ms`;
  const refusal = answer.headers.get("Coatcheck-Error");
  const asked = `${init?.method ?? "GET"} ${path}`;
  if (refusal) draw(asked, `${answer.status} ${refusal}`, "never asked", "no stopped");
  else draw(asked, did, `${answer.status} · ${took}`, answer.ok ? "yes" : "no");
  const text = await answer.text();
  showAnswer(answer, text);
  return { answer, json: answer.ok && text ? JSON.parse(text) : undefined };
}

function showArrived(echo) {
  $("authorization").textContent = echo.headers.Authorization?.join(", ") ?? "none";
  tell("cookie-arrived", echo.cookie_arrived ? "arrived" : "");
  if (!echo.cookie_arrived) $("cookie-arrived").textContent = "none";
  const times = echo.token.refreshes === 1 ? "once" : `${echo.token.refreshes} times`;
  $("token").textContent = `${clock(echo.token.expires_in * 1000)} left` + (echo.token.refreshes ? `, renewed ${times}` : "");
  $("api-verdict").textContent = echo.cookie_arrived ? "A cookie came through." : "A token, and no cookie.";
  const rows = Object.entries(echo.headers).sort().flatMap(([name, values]) => {
    const term = document.createElement("dt"), value = document.createElement("dd");
    term.textContent = name;
    value.textContent = values.join(", ");
    return [term, value];
  });
  $("header-list").replaceChildren(...rows);
  $("headers").hidden = false;
}

function forget() {
  $("strip").replaceChildren();
  $("no-calls").hidden = false;
  $("answer").textContent = "–";
  for (const id of ["authorization", "cookie-arrived", "token"]) {
    $(id).textContent = "–";
    $(id).className = "";
  }
  $("api-verdict").textContent = "";
  $("headers").hidden = true;
}

/** The calls by their buttons' names. */
const calls = (bff) => {
  const api = (path, init, did) => call(bff.fetch, path, init, did);
  const echo = async () => (await api("/api/echo")).json;
  return {
    echo: async () => {
      const arrived = await echo();
      if (arrived) showArrived(arrived);
    },
    read: () => api("/api/notes"),
    write: () => api("/api/notes", {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text: `A note, ${new Date().toLocaleTimeString()}` }),
    }),
    error: () => api("/api/error/418"),
    // What a page of somebody else's could send at most: no header of its own.
    forge: () => call((...args) => fetch(...args), "/api/notes", { method: "POST", body: "text=planted" }),
    expire: async () => {
      const before = await echo();
      const { answer } = await api("/api/expire", { method: "POST" }, "passed on");
      if (!answer.ok) return;
      const answers = (await Promise.all(Array.from({ length: 8 }, echo))).filter(Boolean);
      const newest = answers.reduce((a, b) => (b.token.refreshes > a.token.refreshes ? b : a));
      const refreshes = newest.token.refreshes - before.token.refreshes;
      showArrived(newest);
      draw("8 calls at once", `refreshes: ${refreshes}`, `${answers.length} answers`, refreshes === 1 ? "yes" : "no");
    },
    upload: () => upload(bff),
    events: () => events(),
  };
};

// XMLHttpRequest, because fetch tells nothing of an upload's progress.
const upload = (bff) => new Promise((resolve) => {
  const request = new XMLHttpRequest();
  request.open("POST", "/api/upload");
  request.setRequestHeader("X-CSRF", "1");
  request.upload.onprogress = (e) => { $("progress").value = e.loaded / e.total; };
  request.onloadend = () => {
    const refusal = request.getResponseHeader("Coatcheck-Error");
    if (refusal) draw("POST /api/upload", `${request.status} ${refusal}`, "", "no stopped");
    else draw("POST /api/upload", "passed on as it comes", String(request.status), request.status === 200 ? "yes" : "no");
    showAnswer(request, request.responseText);
    $("progress").hidden = true;
    if (request.status === 401) bff.refresh().catch(() => {});
    resolve();
  };
  $("progress").value = 0;
  $("progress").hidden = false;
  request.send(new Blob([new Uint8Array(2 << 20)]));
});

// EventSource sends no header of ours, and needs none: it can only read.
const events = () => new Promise((resolve) => {
  const source = new EventSource("/api/events?every=400&count=5");
  const asked = "GET /api/events";
  let retell;
  const end = () => {
    source.close();
    resolve();
  };
  source.addEventListener("tick", (event) => {
    const { n } = JSON.parse(event.data);
    const came = `event ${n} of 5`;
    if (retell) retell(came);
    else retell = draw(asked, "passed on as they come", came, "yes");
    $("answer").textContent = `event: tick\ndata: ${event.data}`;
    if (n === 5) end();
  });
  source.onerror = () => {
    draw(asked, "the stream ended", "", "no");
    end();
  };
});

/** Wires the buttons to bff. */
export function listen(bff) {
  const table = calls(bff);
  bff.on("logout", forget);
  $("calls").addEventListener("click", async (event) => {
    const button = event.target.closest("[data-call]");
    if (!button) return;
    button.disabled = true;
    try {
      await table[button.dataset.call]();
    } catch (e) {
      draw(button.textContent, isBffError(e) ? e.code : String(e), "", "no stopped");
    }
    button.disabled = false;
    look();
  });
}
