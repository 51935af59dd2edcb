// The demo's page: who is there, and what a script can see. The buttons that call
// the API are in calls.js. It does what a page of yours would do, no more.
import { createBff, isBffError } from "/bff/client.js";
import { listen } from "/calls.js";
import { $, clock, look } from "/page.js";

const bff = createBff();
const frontend = location.hostname.split(".")[0] === "admin" ? "admin" : "shop";

// The API's people. Their passwords are no secrets: they open this demo only.
const people = {
  shop: [["Ada", "ada@shop.example", "engine-number-one"], ["Grace", "grace@shop.example", "ship-in-harbour"], ["somebody locked out", "locked@shop.example", "lost-my-key"]],
  admin: [["Radia", "radia@admin.example", "spanning-tree"], ["Hedy", "hedy@admin.example", "piano-roll-88"]],
};
const names = { shop: "The shop", admin: "The back office" };
const ends = {
  signed_out: "You are signed out. The token is gone, here and at the API.", other_tab: "You signed out in another tab.",
  revoked: "This session was ended elsewhere.", upstream: "The API does not accept this session any more.",
  expired: "The session has run out.", replaced: "Somebody else signed in here.",
};
const refusals = {
  invalid_credentials: "E-mail or password is wrong.", account_locked: "This account is locked.",
  too_many_attempts: "Too many attempts.", upstream_unreachable: "The API cannot be reached.",
  store_unavailable: "Sessions cannot be stored just now.", network_error: "Coatcheck cannot be reached.",
};

const sentence = (e) => {
  if (!isBffError(e)) return String(e);
  const wait = e.retryAfter ? ` Try again in ${e.retryAfter} s.` : "";
  return `${refusals[e.code] ?? "That did not work."}${wait} (${e.code})`;
};

// --- what is shown

function show() {
  const { session } = bff;
  const inside = session.status === "authenticated";
  $("waiting").hidden = session.status !== "loading";
  $("door").hidden = session.status !== "anonymous";
  $("inside").hidden = $("person").hidden = !inside;
  $("number").textContent = inside ? session.id.slice(0, 4) : "—";
  if (!inside) return;
  $("who").textContent = session.user.name;
  $("who").title = session.user.email;
  $("handle").textContent = session.id;
  $("since").textContent = new Date(session.createdAt).toLocaleTimeString();
  look();
  tick();
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = text === "";
}

const longest = { idle: 1, life: 1 };

function tick() {
  const { session } = bff;
  if (session.status !== "authenticated") return;
  for (const [name, end] of [["idle", session.idleExpiresAt], ["life", session.expiresAt]]) {
    const left = Math.max(0, end - Date.now());
    longest[name] = Math.max(longest[name], left);
    $(name).textContent = clock(left);
    $(name + "-ring").style.strokeDashoffset = String(100.53 * (1 - left / longest[name]));
  }
}

// --- signing in and out

function fill([, email, password]) {
  $("login").elements.email.value = email;
  $("login").elements.password.value = password;
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.target.querySelector(".main");
  const fields = Object.fromEntries(new FormData(event.target));
  $("refusal").textContent = "";
  button.disabled = true;
  try {
    await bff.login(fields);
    event.target.reset();
    notice("");
    $("c1").focus();
  } catch (e) {
    $("refusal").textContent = sentence(e);
    event.target.elements.password.focus();
  } finally {
    button.disabled = false;
  }
});

$("logout").addEventListener("click", async () => {
  try {
    await bff.logout();
    $("login").elements.email.focus();
  } catch (e) {
    notice("You are still signed in. " + sentence(e));
  }
});

const trying = (work) => async () => {
  try {
    await work();
  } catch (e) {
    notice(sentence(e));
  }
};

$("retry").addEventListener("click", trying(() => bff.refresh()));
$("extend").addEventListener("click", trying(async () => {
  await bff.extend();
  notice("");
}));
$("sessions").addEventListener("click", trying(async () => {
  const closed = $("list").hidden;
  if (closed) await listSessions();
  unfold(closed);
}));

function unfold(open) {
  $("list").hidden = !open;
  $("sessions").setAttribute("aria-expanded", String(open));
}

async function listSessions() {
  const list = await bff.json("/bff/sessions");
  $("list").replaceChildren(...list.map((s) => {
    const item = document.createElement("li"), text = document.createElement("span"), end = document.createElement("button");
    text.textContent = `${s.current ? "This one" : "Another"}, since ${new Date(s.created_at).toLocaleTimeString()}, from ${s.address}`;
    end.textContent = "End it";
    end.addEventListener("click", trying(async () => {
      if (s.current) return bff.logout();
      await bff.json("/bff/sessions/" + s.id, { method: "DELETE" });
      item.remove();
    }));
    item.append(text, end);
    return item;
  }));
}

// --- all together

const other = frontend === "admin" ? "shop" : "admin";
document.documentElement.classList.add(frontend);
$("name").textContent = names[frontend];
document.title = `${names[frontend]} · Coatcheck demo`;
$("other").textContent = "Open " + names[other].toLowerCase();
$("other").href = $("other-door").href = `//${other}.coatcheck.localhost:${location.port}/`;
for (const person of people[frontend]) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = person[0];
  button.addEventListener("click", () => fill(person));
  $("people").append(button);
}

bff.subscribe(show);
bff.on("change", (now, was) => {
  if (now.status === "anonymous" && was.status !== "anonymous") fill(people[frontend][0]);
});
bff.on("logout", (reason) => {
  notice(ends[reason]);
  unfold(false);
});
bff.on("expiring", () => notice("The session ends within a minute. “I am still here” prolongs it."));
bff.on("error", (e) => {
  $("waiting-text").textContent = sentence(e);
  show();
});
listen(bff);
setInterval(tick, 1000);
bff.ready.then(show); // the session may have come with the page: then nothing changes
